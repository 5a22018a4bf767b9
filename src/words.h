// Words of the config for values of an enum.
#pragma once
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

template <class Value, std::size_t count>
struct Words {
    std::string_view name;  // of the key
    std::array<std::pair<std::string_view, Value>, count> words;

    // Throws ConfigError with the allowed words.
    [[nodiscard]] Value parse(std::string_view word) const {
        std::string allowed;
        for (const auto& [known, value] : words) {
            if (known == word) return value;
            allowed += (allowed.empty() ? "" : ", ") + std::string(known);
        }
        throw fastpose::ConfigError(std::string(name) + " is '" + std::string(word) +
                                    "'; allowed: " + allowed);
    }
};

// Names of actions as Python says them.
#pragma once
#include <array>
#include <string>
#include <string_view>

#include "base/command.h"
#include "base/error.h"

namespace fastpose {

inline constexpr std::array<const char*, 6> action_names{"off", "on", "pulse", "train", "level", "ramp"};

// Throws ConfigError.
inline Action action_from(const std::string& name) {
    for (std::size_t i = 0; i < action_names.size(); ++i)
        if (name == action_names[i]) return static_cast<Action>(i);
    throw ConfigError("action '" + name + "': allowed are off, on, pulse, train, level, ramp");
}

}  // namespace fastpose

// Checks of set-up values; each throws a ConfigError that names the value and what is allowed.
#pragma once
#include <cmath>
#include <sstream>
#include <string>
#include <string_view>

#include "base/error.h"

namespace fastpose {

namespace detail {
template <class Value>
[[noreturn]] void throw_not_allowed(std::string_view name, Value value, std::string_view allowed) {
    std::ostringstream text;
    text << name << " is " << value << "; allowed: " << allowed;
    throw ConfigError(text.str());
}

inline std::string describe_limit(std::string_view words, double limit) {
    std::ostringstream text;
    text << words << limit;
    return text.str();
}
}  // namespace detail

inline void require_above(std::string_view name, double value, double low) {
    if (std::isfinite(value) && value > low) return;
    detail::throw_not_allowed(name, value, detail::describe_limit("a finite number above ", low));
}

inline void require_at_least(std::string_view name, double value, double low) {
    if (std::isfinite(value) && value >= low) return;
    detail::throw_not_allowed(name, value, detail::describe_limit("a finite number of at least ", low));
}

// Both ends are allowed.
inline void require_between(std::string_view name, double value, double low, double high) {
    if (value >= low && value <= high) return;
    const auto allowed = detail::describe_limit(detail::describe_limit("", low) + " to ", high);
    detail::throw_not_allowed(name, value, allowed);
}

inline void require_index(std::string_view name, int value, int count) {
    if (value >= 0 && value < count) return;
    const auto allowed = detail::describe_limit("an index from 0 to ", count - 1);
    detail::throw_not_allowed(name, value, allowed);
}

// A place in the frame or near it, px; no sensor is wider, a larger number is a typing error.
inline void require_coordinate(std::string_view name, double value) {
    require_between(name, value, -1e6, 1e6);
}

}  // namespace fastpose

// Turns in a plane whose y axis points down, as frames have it: positive is to the right.
#pragma once
#include <cmath>
#include <limits>
#include <numbers>

#include "rule/calibration.h"

namespace fastpose {

enum class Side : int { left = 0, right = 1, both = 2 };

inline constexpr double no_angle = std::numeric_limits<double>::quiet_NaN();

inline Place way(const Place& from, const Place& to) noexcept { return {to.x - from.x, to.y - from.y}; }

// From one direction to another, -180..180 degrees; NaN without a direction. atan2 of cross and dot product
// keeps its precision near 0 and 180, where an acos does not.
inline double turn_deg(const Place& from, const Place& to) noexcept {
    const bool directed = (from.x != 0 || from.y != 0) && (to.x != 0 || to.y != 0);
    if (!directed) return no_angle;
    const double cross = from.x * to.y - from.y * to.x;
    const double dot = from.x * to.x + from.y * to.y;
    return std::atan2(cross, dot) * 180 / std::numbers::pi;
}

// How much of a turn is to a side. A turn to the other one reaches no limit: it is negative where a rule asks
// for more than a limit (`above`), else infinite.
inline double amount_to(Side side, double turn, bool above) noexcept {
    if (side == Side::both || std::isnan(turn)) return std::abs(turn);
    const double amount = side == Side::right ? turn : -turn;
    return amount > 0 || above ? amount : std::numeric_limits<double>::infinity();
}

}  // namespace fastpose

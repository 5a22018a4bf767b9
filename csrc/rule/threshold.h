// A limit on a number, from above or below, with hysteresis.
#pragma once
#include <limits>
#include <optional>
#include <string_view>

#include "rule/rule.h"

namespace fastpose {

class Threshold {
  public:
    // Exactly one of `above` and `below`; the values lie in 0..largest. Throws ConfigError with the unit in
    // the name: "above_px_s is ...". A threshold that could never become true, or never false again, is
    // refused.
    Threshold(std::optional<double> above, std::optional<double> below, double hysteresis,
              std::string_view unit, double largest = std::numeric_limits<double>::infinity());

    // Strict: a value equal to the limit is neither above nor below it. `active` eases the limit by the
    // hysteresis.
    [[nodiscard]] Truth test(double value, bool active) const noexcept {
        const double eased = active ? hysteresis_ : 0;
        const bool holds = above_ ? value > limit_ - eased : value < limit_ + eased;
        return holds ? Truth::yes : Truth::no;
    }

  private:
    bool above_;
    double limit_;
    double hysteresis_;
};

}  // namespace fastpose

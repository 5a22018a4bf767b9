// A limit on a number, from above or below, with hysteresis.
#pragma once
#include <limits>
#include <optional>
#include <string>

#include "rule/rule.h"

namespace fastpose {

struct LimitSpec {
    std::optional<double> above{}, below{};  // exactly one
    double hysteresis = 0;
    std::string unit = "px";  // as in the config's keys: px, mm_s, deg ...
};

class Threshold {
  public:
    // The values lie in 0..largest. Throws ConfigError with the unit in the name: "above_px_s is ...". A
    // threshold that could never become true, or never false again, is refused.
    explicit Threshold(const LimitSpec& limit, double largest = std::numeric_limits<double>::infinity());

    // Strict: a value equal to the limit is neither above nor below it. `active` eases the limit by the
    // hysteresis.
    [[nodiscard]] Truth test(double value, bool active) const noexcept {
        const double eased = active ? hysteresis_ : 0;
        const bool holds = above_ ? value > limit_ - eased : value < limit_ + eased;
        return holds ? Truth::yes : Truth::no;
    }
    [[nodiscard]] bool above() const noexcept { return above_; }

  private:
    bool above_;
    double limit_;
    double hysteresis_;
};

}  // namespace fastpose

// A limit on a number, from above or below, with hysteresis.
#include "rule/threshold.h"

#include <string>

#include "base/check.h"

namespace fastpose {
namespace {

// Once active, the limit moves by the hysteresis towards the end of the range; past it the rule would be
// stuck.
void require_releasable(double hysteresis, double room, const std::string& unit) {
    if (hysteresis == 0 || hysteresis < room) return;
    detail::throw_not_allowed("hysteresis_" + unit, hysteresis,
                              detail::describe_limit("0 or less than ", room) + ", else the rule never ends");
}

}  // namespace

Threshold::Threshold(const LimitSpec& limit, double largest)
    : above_(limit.above.has_value()),
      limit_(limit.above.value_or(limit.below.value_or(0))),
      hysteresis_(limit.hysteresis) {
    const std::string& suffix = limit.unit;
    if (above_ == limit.below.has_value()) {
        throw ConfigError("above_" + suffix + " and below_" + suffix + " are " + (above_ ? "both" : "not") +
                          " given; allowed: exactly one of them");
    }
    require_at_least("hysteresis_" + suffix, hysteresis_, 0);
    if (above_) {
        require_at_least("above_" + suffix, limit_, 0);
        if (limit_ >= largest) {
            detail::throw_not_allowed("above_" + suffix, limit_,
                                      detail::describe_limit("less than ", largest));
        }
        require_releasable(hysteresis_, limit_, suffix);
    } else {
        require_above("below_" + suffix, limit_, 0);
        if (limit_ > largest) {
            detail::throw_not_allowed("below_" + suffix, limit_, detail::describe_limit("up to ", largest));
        }
        require_releasable(hysteresis_, largest - limit_, suffix);
    }
}

}  // namespace fastpose

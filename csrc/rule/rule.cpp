// Timing of rules: missing keypoints, minimum duration, refractory period.
#include "rule/rule.h"

#include <cmath>
#include <string>
#include <utility>

#include "base/check.h"

namespace fastpose {
namespace {

constexpr double day_ms = 86'400'000;

MissingPolicy parse_missing(std::string_view word) {
    if (word == "hold") return MissingPolicy::hold;
    if (word == "false") return MissingPolicy::no;
    if (word == "true") return MissingPolicy::yes;
    throw ConfigError("missing is '" + std::string(word) + "'; allowed: hold, false, true");
}

bool resolve(Truth truth, MissingPolicy policy, bool last) noexcept {
    if (truth != Truth::missing) return truth == Truth::yes;
    return policy == MissingPolicy::hold ? last : policy == MissingPolicy::yes;
}

}  // namespace

RuleTiming make_timing(double min_duration_ms, double refractory_ms, std::string_view missing) {
    require_between("min_duration_ms", min_duration_ms, 0, day_ms);
    require_between("refractory_ms", refractory_ms, 0, day_ms);
    return {std::llround(min_duration_ms * 1e6), std::llround(refractory_ms * 1e6), parse_missing(missing)};
}

Rule::Rule(std::unique_ptr<Condition> condition, RuleTiming timing)
    : condition_(std::move(condition)), timing_(timing) {
    if (!condition_) throw ConfigError("a rule has no condition; allowed: one made by a make_* function");
    require_at_least("min_duration_ns", static_cast<double>(timing.min_duration_ns), 0);
    require_at_least("refractory_ns", static_cast<double>(timing.refractory_ns), 0);
}

bool Rule::update(const RuleInput& input) noexcept {
    const std::int64_t exposure_start_ns = input.exposure_start_ns;
    truth_ = condition_->evaluate(input, value_);
    held_raw_ = resolve(truth_, timing_.missing, held_raw_);
    if (!held_raw_) {
        if (value_) became_false_ns_ = exposure_start_ns;
        raw_since_ns_ = -1;
        value_ = false;
        return value_;
    }
    if (raw_since_ns_ < 0 || exposure_start_ns < raw_since_ns_) raw_since_ns_ = exposure_start_ns;
    if (exposure_start_ns < became_false_ns_) became_false_ns_ = exposure_start_ns;
    const bool lasted = exposure_start_ns - raw_since_ns_ >= timing_.min_duration_ns;
    const bool rested = became_false_ns_ < 0 || exposure_start_ns - became_false_ns_ >= timing_.refractory_ns;
    value_ = value_ || (lasted && rested);
    return value_;
}

void Rule::reset() noexcept {
    condition_->reset();
    value_ = held_raw_ = false;
    truth_ = Truth::missing;
    raw_since_ns_ = became_false_ns_ = -1;
}

}  // namespace fastpose

// Conditions on poses with their hysteresis and timing.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "pose/pose.h"

namespace fastpose {

enum class Truth : int { no = 0, yes = 1, missing = 2 };
enum class MissingPolicy : int { hold = 0, no = 1, yes = 2 };  // what a missing keypoint means

// How a raw condition becomes a rule's value.
struct RuleTiming {
    std::int64_t min_duration_ns = 0;  // the condition must hold this long before the rule becomes true
    std::int64_t refractory_ns = 0;    // after it became false it stays false at least this long
    MissingPolicy missing = MissingPolicy::hold;
};

// From the config's words: missing is hold, false or true. Throws ConfigError for values out of range.
[[nodiscard]] RuleTiming make_timing(double min_duration_ms, double refractory_ms, std::string_view missing);

// What a condition may look at in one frame; valid during the call only.
struct RuleInput {
    PoseView pose{};  // filtered
    std::int64_t exposure_start_ns = 0;
    // 0 or 1 per rule, in the config's order: this frame's value of those that the condition depends on.
    std::span<const std::uint8_t> rules{};
};

// A raw condition, evaluated once a frame. `active` is the rule's present value, for hysteresis.
class Condition {
  public:
    virtual ~Condition() = default;
    [[nodiscard]] virtual Truth evaluate(const RuleInput& input, bool active) noexcept = 0;
    virtual void reset() noexcept = 0;
    // Rules, by their index, that are evaluated before this one in each frame.
    [[nodiscard]] virtual std::span<const int> depends_on() const noexcept { return {}; }
};

// A condition with its timing, counted in exposure time: dropped frames neither shorten nor lengthen a
// duration. Thread-bound; allocates nothing after construction. The constructor throws ConfigError.
class Rule {
  public:
    Rule(std::unique_ptr<Condition> condition, RuleTiming timing);
    // The rule's value at this frame. A time that went back starts a duration or refractory period anew.
    bool update(const RuleInput& input) noexcept;
    [[nodiscard]] bool value() const noexcept { return value_; }
    // What the condition said last, before missing and timing.
    [[nodiscard]] Truth truth() const noexcept { return truth_; }
    [[nodiscard]] std::span<const int> depends_on() const noexcept { return condition_->depends_on(); }
    void reset() noexcept;

  private:
    std::unique_ptr<Condition> condition_;
    RuleTiming timing_;
    bool value_ = false;
    Truth truth_ = Truth::missing;
    bool held_raw_ = false;              // last raw truth, for MissingPolicy::hold
    std::int64_t raw_since_ns_ = -1;     // start of the present run of raw truth, -1: not true
    std::int64_t became_false_ns_ = -1;  // -1: never
};

}  // namespace fastpose

// Timing of rules: minimum duration, refractory period, missing policy, time that goes back.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "base/error.h"
#include "rule/rule.h"

namespace fastpose {
namespace {

constexpr std::int64_t ms = 1'000'000;

// Says what the test tells it to say; keeps what it was told about the rule.
class Scripted final : public Condition {
  public:
    explicit Scripted(Truth& truth, bool& active) : truth_(truth), active_(active) {}
    Truth evaluate(const RuleInput&, bool active) noexcept override {
        active_ = active;
        return truth_;
    }
    void reset() noexcept override {}

  private:
    Truth& truth_;
    bool& active_;
};

class RuleTimingTest : public testing::Test {
  protected:
    void start(RuleTiming timing) {
        rule_ = std::make_unique<Rule>(std::make_unique<Scripted>(truth_, active_), timing);
    }
    bool at(std::int64_t time_ms, Truth truth) {
        truth_ = truth;
        return rule_->update({{}, time_ms * ms});
    }

    Truth truth_ = Truth::no;
    bool active_ = false;
    std::unique_ptr<Rule> rule_;
};

TEST_F(RuleTimingTest, FollowsTheConditionWithoutTiming) {
    start({});
    EXPECT_FALSE(at(0, Truth::no));
    EXPECT_TRUE(at(10, Truth::yes));
    EXPECT_TRUE(rule_->value());
    EXPECT_FALSE(at(20, Truth::no));
}

TEST_F(RuleTimingTest, TellsTheConditionTheRulesValueNotTheRawTruth) {
    start({.min_duration_ns = 15 * ms});
    at(0, Truth::yes);
    at(10, Truth::yes);
    EXPECT_FALSE(active_);
    at(20, Truth::yes);  // becomes true here
    EXPECT_FALSE(active_);
    at(30, Truth::yes);
    EXPECT_TRUE(active_);
}

TEST_F(RuleTimingTest, MinimumDurationCountsExposureTimeNotFrames) {
    start({.min_duration_ns = 50 * ms});
    EXPECT_FALSE(at(100, Truth::yes));
    EXPECT_FALSE(at(149, Truth::yes));
    EXPECT_TRUE(at(150, Truth::yes));
    EXPECT_FALSE(at(160, Truth::no));
    EXPECT_FALSE(at(170, Truth::yes));
    EXPECT_TRUE(at(220, Truth::yes));  // frames between were dropped
}

TEST_F(RuleTimingTest, MinimumDurationStartsAnewAfterAnInterruption) {
    start({.min_duration_ns = 50 * ms});
    at(0, Truth::yes);
    at(40, Truth::no);
    EXPECT_FALSE(at(50, Truth::yes));
    EXPECT_FALSE(at(90, Truth::yes));
    EXPECT_TRUE(at(100, Truth::yes));
}

TEST_F(RuleTimingTest, RefractoryPeriodCountsFromTheEnd) {
    start({.refractory_ns = 100 * ms});
    EXPECT_TRUE(at(0, Truth::yes));
    EXPECT_FALSE(at(50, Truth::no));
    EXPECT_FALSE(at(60, Truth::yes));
    EXPECT_FALSE(at(149, Truth::yes));
    EXPECT_TRUE(at(150, Truth::yes));
}

TEST_F(RuleTimingTest, DurationRunsWithinTheRefractoryPeriod) {
    start({.min_duration_ns = 30 * ms, .refractory_ns = 100 * ms});
    at(0, Truth::yes);
    EXPECT_TRUE(at(30, Truth::yes));
    at(50, Truth::no);
    EXPECT_FALSE(at(120, Truth::yes));
    EXPECT_TRUE(at(150, Truth::yes));
}

TEST_F(RuleTimingTest, MissingHolds) {
    start({.missing = MissingPolicy::hold});
    EXPECT_FALSE(at(0, Truth::missing));
    EXPECT_TRUE(at(10, Truth::yes));
    EXPECT_TRUE(at(20, Truth::missing));
    EXPECT_FALSE(at(30, Truth::no));
    EXPECT_FALSE(at(40, Truth::missing));
}

TEST_F(RuleTimingTest, MissingIsFalseOrTrue) {
    start({.missing = MissingPolicy::no});
    at(0, Truth::yes);
    EXPECT_FALSE(at(10, Truth::missing));
    start({.min_duration_ns = 20 * ms, .missing = MissingPolicy::yes});
    EXPECT_FALSE(at(0, Truth::missing));
    EXPECT_TRUE(at(20, Truth::missing));
}

TEST_F(RuleTimingTest, TimeThatGoesBackStartsThePeriodsAnew) {
    start({.min_duration_ns = 50 * ms, .refractory_ns = 100 * ms});
    at(1000, Truth::yes);
    EXPECT_FALSE(at(500, Truth::yes));
    EXPECT_TRUE(at(550, Truth::yes));
    at(560, Truth::no);
    EXPECT_FALSE(at(100, Truth::yes));
    EXPECT_FALSE(at(199, Truth::yes));
    EXPECT_TRUE(at(200, Truth::yes));
}

TEST_F(RuleTimingTest, ResetForgets) {
    start({.refractory_ns = 100 * ms});
    at(0, Truth::yes);
    at(10, Truth::no);
    rule_->reset();
    EXPECT_TRUE(at(20, Truth::yes));
    rule_->reset();
    EXPECT_FALSE(rule_->value());
    EXPECT_FALSE(at(30, Truth::missing));
}

TEST(RuleTiming, IsMadeFromTheConfigsWords) {
    const RuleTiming timing = make_timing(1.5, 250, "true");
    EXPECT_EQ(timing.min_duration_ns, 1'500'000);
    EXPECT_EQ(timing.refractory_ns, 250 * ms);
    EXPECT_EQ(timing.missing, MissingPolicy::yes);
    EXPECT_THROW((void)make_timing(-1, 0, "hold"), ConfigError);
    EXPECT_THROW((void)make_timing(0, -1, "hold"), ConfigError);
    EXPECT_THROW((void)make_timing(0, 0, "maybe"), ConfigError);
}

TEST(RuleTiming, ARuleNeedsACondition) { EXPECT_THROW(Rule(nullptr, {}), ConfigError); }

}  // namespace
}  // namespace fastpose

// Conditions: hysteresis, three-valued answers, the speed ring at high rates.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include "base/error.h"
#include "rule/angle.h"
#include "rule/distance.h"
#include "rule/in_zone.h"
#include "rule/speed.h"

namespace fastpose {
namespace {

constexpr std::int64_t ms = 1'000'000;

// One individual with bodyparts on the x axis.
class Row {
  public:
    explicit Row(std::vector<float> xs) {
        for (const float x : xs) keypoints_.push_back({x, 0, 1});
    }
    PoseView view() { return {keypoints_.data(), 1, static_cast<int>(keypoints_.size())}; }

  private:
    std::vector<Keypoint> keypoints_;
};

Truth at(Condition& condition, std::vector<float> xs, bool active = false, std::int64_t time_ns = 0) {
    return condition.evaluate({Row(std::move(xs)).view(), time_ns}, active);
}

// The condition of a question.
template <class Spec>
std::unique_ptr<Condition> made(std::unique_ptr<Question> (*make)(const Spec&, const Gate&),
                                const std::type_identity_t<Spec>& spec, int individuals, int bodyparts,
                                const GateSpec& gate_spec = {}) {
    const Gate gate(gate_spec, individuals, bodyparts);
    return make_condition(gate, make(spec, gate));
}

InZoneSpec circle_of_10(bool outside, Which which, std::vector<int> bodyparts) {
    return {make_circle({0, 0}, 10), std::move(bodyparts), which, outside, 3};
}

TEST(InZone, TheZoneGrowsWhileActive) {
    const auto condition = made(make_in_zone, circle_of_10(false, Which::any, {0}), 1, 1);
    EXPECT_EQ(at(*condition, {10}), Truth::yes);
    EXPECT_EQ(at(*condition, {10.5f}), Truth::no);
    EXPECT_EQ(at(*condition, {13}, true), Truth::yes);
    EXPECT_EQ(at(*condition, {13.5f}, true), Truth::no);
}

TEST(OutsideZone, TheZoneShrinksWhileActive) {
    const auto condition = made(make_in_zone, circle_of_10(true, Which::any, {0}), 1, 1);
    EXPECT_EQ(at(*condition, {10}), Truth::no);
    EXPECT_EQ(at(*condition, {10.5f}), Truth::yes);
    EXPECT_EQ(at(*condition, {7.5f}, true), Truth::yes);
    EXPECT_EQ(at(*condition, {6.5f}, true), Truth::no);
}

TEST(InZone, AnyAndAllWithMissingBodyparts) {
    const auto any = made(make_in_zone, circle_of_10(false, Which::any, {0, 1}), 1, 2);
    const auto all = made(make_in_zone, circle_of_10(false, Which::all, {0, 1}), 1, 2);
    const float in = 0, out = 50, gone = NAN;
    struct {
        std::vector<float> xs;
        Truth any, all;
    } cases[] = {
        {{in, in}, Truth::yes, Truth::yes},  {{in, out}, Truth::yes, Truth::no},
        {{out, out}, Truth::no, Truth::no},  {{in, gone}, Truth::yes, Truth::missing},
        {{gone, out}, Truth::no, Truth::no}, {{gone, gone}, Truth::missing, Truth::missing},
    };
    for (const auto& [xs, by_any, by_all] : cases) {
        EXPECT_EQ(at(*any, xs), by_any);
        EXPECT_EQ(at(*all, xs), by_all);
    }
}

TEST(InZone, APoseWithFewerBodypartsIsMissing) {
    const auto condition = made(make_in_zone, circle_of_10(false, Which::any, {2}), 1, 3);
    EXPECT_EQ(at(*condition, {0, 0}), Truth::missing);
}

TEST(InZone, RefusesWhatItCannotTest) {
    EXPECT_THROW((void)made(make_in_zone, circle_of_10(false, Which::any, {}), 1, 1), ConfigError);
    EXPECT_THROW((void)made(make_in_zone, circle_of_10(false, Which::any, {1}), 1, 1), ConfigError);
    EXPECT_THROW((void)made(make_in_zone, {nullptr, {0}}, 1, 1), ConfigError);
}

TEST(Distance, LimitsAreStrictAndEasedWhileActive) {
    const auto below = made(make_distance, {.limit = {.below = 10, .hysteresis = 2}}, 1, 2);
    EXPECT_EQ(at(*below, {0, 10}), Truth::no);
    EXPECT_EQ(at(*below, {0, 9.9f}), Truth::yes);
    EXPECT_EQ(at(*below, {0, 11.9f}, true), Truth::yes);
    EXPECT_EQ(at(*below, {0, 12}, true), Truth::no);
    const auto above = made(make_distance, {.limit = {.above = 10, .hysteresis = 2}}, 1, 2);
    EXPECT_EQ(at(*above, {0, 10}), Truth::no);
    EXPECT_EQ(at(*above, {0, 8.1f}, true), Truth::yes);
    EXPECT_EQ(at(*above, {0, 8}, true), Truth::no);
    EXPECT_EQ(at(*above, {0, NAN}, true), Truth::missing);
}

TEST(Angle, CoincidingPlacesHaveNoDirection) {
    const auto condition = made(
        make_angle, {.bodyparts = {0, 1}, .heading_deg = 0, .limit = {.below = 10, .unit = "deg"}}, 1, 2);
    EXPECT_EQ(at(*condition, {5, 5}), Truth::missing);
    EXPECT_EQ(at(*condition, {5, 6}), Truth::yes);
    EXPECT_EQ(at(*condition, {6, 5}), Truth::no);
}

TEST(Angle, HeadingWrapsAround) {
    const auto condition =
        made(make_angle, {.bodyparts = {0, 1}, .heading_deg = 350, .limit = {.below = 10.001, .unit = "deg"}},
             1, 2);
    EXPECT_EQ(at(*condition, {0, 1}), Truth::yes);
}

// 100 kHz for a second: far more positions than the ring holds, and still the window is 50 ms long.
TEST(Speed, TheWindowKeepsItsLengthAtAnyRate) {
    const auto condition = made(make_speed, {.window_ms = 50, .limit = {.above = 99.5}}, 1, 1);
    const auto faster = made(make_speed, {.window_ms = 50, .limit = {.above = 101.5}}, 1, 1);
    for (int i = 0; i < 100'000; ++i) {
        const std::int64_t time_ns = i * 10'000;
        // 100 px/s until 0.5 s, then it stands
        const float x = 100e-9f * static_cast<float>(std::min<std::int64_t>(time_ns, 500 * ms));
        const Truth truth = at(*condition, {x}, false, time_ns);
        const Truth too_fast = at(*faster, {x}, false, time_ns);
        if (time_ns > 50 * ms) {
            ASSERT_EQ(too_fast, Truth::no) << time_ns;
        }
        if (time_ns > 50 * ms && time_ns <= 500 * ms) {
            ASSERT_EQ(truth, Truth::yes) << time_ns;
        }
        if (time_ns > 501 * ms) {
            ASSERT_EQ(truth, Truth::no) << time_ns;
        }
    }
}

TEST(Speed, AMissingBodypartIsMissingAndDoesNotEndTheWindow) {
    const auto condition = made(make_speed, {.window_ms = 50, .limit = {.above = 50}}, 1, 1);
    EXPECT_EQ(at(*condition, {0}, false, 0), Truth::missing);
    EXPECT_EQ(at(*condition, {1}, false, 10 * ms), Truth::yes);
    EXPECT_EQ(at(*condition, {NAN}, false, 20 * ms), Truth::missing);
    EXPECT_EQ(at(*condition, {3}, false, 30 * ms), Truth::yes);
    EXPECT_EQ(at(*condition, {NAN}, false, 90 * ms), Truth::missing);
    EXPECT_EQ(at(*condition, {9}, false, 95 * ms), Truth::missing);  // the window is empty but for this one
}

// The second individual's window fills while the first one decides the rule.
TEST(Speed, EveryIndividualIsObservedInEveryFrame) {
    const auto condition = made(make_speed, {.window_ms = 50, .limit = {.above = 50}}, 2, 1);
    Keypoint keypoints[] = {{0, 0, 1}, {0, 0, 1}};
    const PoseView pose{keypoints, 2, 1};
    (void)condition->evaluate({pose, 0}, false);
    keypoints[0].x = keypoints[1].x = 1;
    EXPECT_EQ(condition->evaluate({pose, 10 * ms}, false), Truth::yes);
    keypoints[0].x = NAN;
    keypoints[1].x = 6;
    EXPECT_EQ(condition->evaluate({pose, 60 * ms}, false), Truth::yes);
}

// See Note [Unique body parts]: two animals of bodyparts 0 and 1, and a lever, bodypart 2 of the third row.
class UniqueBodyparts : public ::testing::Test {
  protected:
    static GateSpec gate(std::optional<int> individual, bool all = false) {
        return {.individual = individual, .all = all, .unique_bodyparts = 1};
    }
    // A condition on what is within 10 px of the origin.
    static std::unique_ptr<Condition> home(std::vector<int> bodyparts, const GateSpec& gate) {
        return made(make_in_zone, {make_circle({0, 0}, 10), std::move(bodyparts), Which::all, false, 0}, 3, 3,
                    gate);
    }
    static std::unique_ptr<Condition> at_lever(const GateSpec& gate) {
        return made(make_distance, {.bodyparts = {0, 2}, .limit = {.below = 10}}, 3, 3, gate);
    }
    Truth of(Condition& condition) { return condition.evaluate({{pose_, 3, 3}, 0}, false); }

    static constexpr Keypoint kGone{NAN, NAN, 0};
    Keypoint pose_[9] = {{0, 0, 1}, {5, 0, 1}, kGone, {80, 0, 1}, {85, 0, 1},
                         kGone,     kGone,     kGone, {84, 0, 1}};
};

TEST_F(UniqueBodyparts, AnyAndAllAskTheAnimalsAlone) {
    EXPECT_EQ(of(*home({0}, gate({}, false))), Truth::yes);
    EXPECT_EQ(of(*home({0}, gate({}, true))), Truth::no);
    pose_[3].x = 3;
    EXPECT_EQ(of(*home({0}, gate({}, true))), Truth::yes);  // the lever's row has no bodypart 0
    pose_[3] = kGone;
    EXPECT_EQ(of(*home({0}, gate({}, true))), Truth::missing);
}

TEST_F(UniqueBodyparts, EveryAnimalCanBeComparedWithThem) {
    EXPECT_EQ(of(*at_lever(gate({}, false))), Truth::yes);
    EXPECT_EQ(of(*at_lever(gate({}, true))), Truth::no);
    EXPECT_EQ(of(*at_lever(gate(0))), Truth::no);
    EXPECT_EQ(of(*at_lever(gate(1))), Truth::yes);
    pose_[8] = kGone;
    EXPECT_EQ(of(*at_lever(gate({}, false))), Truth::missing);
}

TEST_F(UniqueBodyparts, ThemselvesAreTheSameForWhomeverARuleNames) {
    for (const GateSpec& asked : {gate({}, false), gate({}, true), gate(0), gate(2)}) {
        pose_[8].x = 5;
        EXPECT_EQ(of(*home({2}, asked)), Truth::yes);
        pose_[8].x = 50;
        EXPECT_EQ(of(*home({2}, asked)), Truth::no);
    }
}

TEST_F(UniqueBodyparts, TheSpeedOfOne) {
    const auto moves = made(make_speed, {.bodypart = 2, .limit = {.above = 50}}, 3, 3, gate(2));
    EXPECT_EQ(moves->evaluate({{pose_, 3, 3}, 0}, false), Truth::missing);
    pose_[8].x += 1;
    EXPECT_EQ(moves->evaluate({{pose_, 3, 3}, 10 * ms}, false), Truth::yes);
}

TEST_F(UniqueBodyparts, RefusesWhatTheLastIndividualCannotHave) {
    EXPECT_THROW((void)home({0}, gate(2)), ConfigError);
    EXPECT_THROW((void)at_lever(gate(2)), ConfigError);
    EXPECT_THROW((void)home({2}, {.unique_bodyparts = 3}), ConfigError);
    const Which which = Which::any;
    EXPECT_THROW((void)made(make_in_zone, {make_circle({0, 0}, 10), {0}, which, false, 0}, 1, 3, gate({})),
                 ConfigError);
}

TEST(Threshold, RefusesARuleThatWouldNeverBeginOrEnd) {
    EXPECT_THROW((void)made(make_distance, {}, 1, 2), ConfigError);
    EXPECT_THROW((void)made(make_distance, {.limit = {.above = 5, .below = 9}}, 1, 2), ConfigError);
    EXPECT_THROW((void)made(make_distance, {.limit = {.below = 0}}, 1, 2), ConfigError);
    EXPECT_THROW((void)made(make_distance, {.limit = {.above = 5, .hysteresis = 5}}, 1, 2), ConfigError);
    EXPECT_THROW((void)made(make_angle, {.bodyparts = {0, 1, 2}, .limit = {.above = 180}}, 1, 3),
                 ConfigError);
    EXPECT_THROW(
        (void)made(make_angle, {.bodyparts = {0, 1, 2}, .limit = {.below = 175, .hysteresis = 5}}, 1, 3),
        ConfigError);
}

}  // namespace
}  // namespace fastpose

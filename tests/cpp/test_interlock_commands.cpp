// Trains, levels, ramps, totals, exclusion, the watchdog and the emergency stop, on a clock moved by hand.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <vector>

#include "base/error.h"
#include "output/interlock.h"
#include "output/sim_output.h"

namespace fastpose {
namespace {

std::int64_t test_time_ns = 0;
std::int64_t test_now() noexcept { return test_time_ns; }

constexpr std::int64_t ms = 1'000'000;

class CommandsTest : public ::testing::Test {
  protected:
    CommandsTest() { test_time_ns = 1'000 * ms; }

    void make(LineLimits limits, std::vector<std::string> not_with = {}, std::int64_t max_pose_gap_ns = 0) {
        laser = std::make_shared<SimOutput>("laser");
        other = std::make_shared<SimOutput>("other");
        interlock = std::make_unique<Interlock>(
            std::vector<OutputLine>{{"laser", laser, limits, std::move(not_with)}, {"other", other, {}}},
            InterlockOptions{.now = test_now, .start_timer = false, .max_pose_gap_ns = max_pose_gap_ns});
        interlock->arm();
    }
    EdgeResult give(OutputCommand command) { return interlock->apply(command); }
    EdgeResult train(std::int64_t width, std::int64_t period, int count) {
        return give({0, Action::train, width, period, count});
    }
    // Moves the clock in steps of a tenth of a millisecond and notes the edges of the laser.
    std::vector<std::int64_t> edges_within(std::int64_t duration) {
        std::vector<std::int64_t> edges;
        bool high = laser->high();
        for (std::int64_t passed = 0; passed < duration; passed += ms / 10) {
            test_time_ns += ms / 10;
            interlock->end_due();
            if (laser->high() != high) edges.push_back(passed + ms / 10);
            high = laser->high();
        }
        return edges;
    }
    void pass(std::int64_t duration) {
        test_time_ns += duration;
        interlock->end_due();
    }
    std::vector<InterlockEvent> events() {
        std::vector<InterlockEvent> all;
        InterlockEvent event;
        while (interlock->poll_event(event)) all.push_back(event);
        return all;
    }
    std::vector<StopReason> stops() {
        std::vector<StopReason> all;
        for (const InterlockEvent& event : events())
            if (event.topic == EventTopic::stop) all.push_back(static_cast<StopReason>(event.value));
        return all;
    }

    std::shared_ptr<SimOutput> laser, other;
    std::unique_ptr<Interlock> interlock;
};

// --- trains ---

TEST_F(CommandsTest, TrainRisesOnItsGridAndEnds) {
    make({});
    EXPECT_TRUE(train(2 * ms, 10 * ms, 3).changed);
    EXPECT_EQ(edges_within(100 * ms),
              (std::vector<std::int64_t>{2 * ms, 10 * ms, 12 * ms, 20 * ms, 22 * ms}));
    EXPECT_EQ(interlock->line(0).rising_edges(), 3);
    EXPECT_FALSE(interlock->line(0).active());
    const auto all = events();
    ASSERT_EQ(all.size(), 5U);
    EXPECT_TRUE(all[1].high);
    EXPECT_EQ(all[1].cause, EdgeCause::timer);
}

TEST_F(CommandsTest, OffEndsATrainBetweenItsPulses) {
    make({});
    train(2 * ms, 10 * ms, 100);
    edges_within(5 * ms);
    EXPECT_TRUE(interlock->line(0).active());
    give({0, Action::off});
    EXPECT_FALSE(interlock->line(0).active());
    EXPECT_TRUE(edges_within(100 * ms).empty());
}

TEST_F(CommandsTest, TrainDuringATrainCountsAnewInItsRhythm) {
    make({});
    train(2 * ms, 10 * ms, 2);
    edges_within(5 * ms);
    EXPECT_FALSE(train(2 * ms, 10 * ms, 2).refused);
    EXPECT_EQ(edges_within(100 * ms), (std::vector<std::int64_t>{5 * ms, 7 * ms, 15 * ms, 17 * ms}));
}

TEST_F(CommandsTest, TrainThatCannotBeIsRefused) {
    make({.max_rate_hz = 100});
    EXPECT_TRUE(train(2 * ms, 9 * ms, 2).refused);    // faster than 100 Hz
    EXPECT_TRUE(train(10 * ms, 10 * ms, 2).refused);  // no gap
    EXPECT_TRUE(train(0, 10 * ms, 2).refused);
    EXPECT_TRUE(train(2 * ms, 10 * ms, 0).refused);
    EXPECT_TRUE(train(2 * ms, std::numeric_limits<std::int64_t>::max(), 2).refused);
    EXPECT_FALSE(train(2 * ms, 10 * ms, 2).refused);
}

TEST_F(CommandsTest, LatePulsesKeepTheirWidthAndTheRateKeepsItsLimit) {
    make({.max_rate_hz = 100});
    train(2 * ms, 10 * ms, 3);
    pass(3 * ms);   // the end of the first pulse, late
    pass(22 * ms);  // the second pulse is due 15 ms ago
    EXPECT_TRUE(laser->high());
    pass(2 * ms - 1);
    EXPECT_TRUE(laser->high());
    pass(1);
    EXPECT_FALSE(laser->high());
    EXPECT_EQ(edges_within(30 * ms), (std::vector<std::int64_t>{8 * ms, 10 * ms}));
}

TEST_F(CommandsTest, PulseOfATrainThatIsTooLongIsCutWithTheRest) {
    make({.max_on_ns = 5 * ms});
    train(8 * ms, 20 * ms, 3);
    EXPECT_EQ(edges_within(100 * ms), (std::vector<std::int64_t>{5 * ms}));
    EXPECT_EQ(interlock->line(0).forced_low(), 1);
}

TEST_F(CommandsTest, SafeStateEndsATrain) {
    make({});
    train(2 * ms, 10 * ms, 100);
    edges_within(5 * ms);
    interlock->to_safe();
    EXPECT_TRUE(edges_within(100 * ms).empty());
}

// --- levels and ramps ---

TEST_F(CommandsTest, LevelIsWrittenAndZeroEndsIt) {
    make({.max_level = 5});
    const EdgeResult first = give({.output = 0, .action = Action::level, .value = 2.5F});
    EXPECT_TRUE(first.changed);
    EXPECT_TRUE(first.valued);
    EXPECT_EQ(laser->value(), 2.5F);
    const EdgeResult second = give({.output = 0, .action = Action::level, .value = 4});
    EXPECT_FALSE(second.changed);
    EXPECT_TRUE(second.valued);
    EXPECT_TRUE(give({.output = 0, .action = Action::level, .value = 5.1F}).refused);
    EXPECT_TRUE(give({.output = 0, .action = Action::level, .value = -1}).refused);
    EXPECT_TRUE(give({.output = 0, .action = Action::level, .value = std::numeric_limits<float>::quiet_NaN()})
                    .refused);
    EXPECT_EQ(laser->value(), 4);
    EXPECT_TRUE(give({.output = 0, .action = Action::level, .value = 0}).changed);
    EXPECT_EQ(laser->value(), 0);
}

TEST_F(CommandsTest, RampGoesItsWayAndStays) {
    make({});
    give({.output = 0, .action = Action::ramp, .duration_ns = 100 * ms, .value = 0, .to = 4});
    EXPECT_TRUE(interlock->line(0).high());
    edges_within(50 * ms);
    EXPECT_NEAR(laser->value(), 2, 0.1);
    edges_within(60 * ms);
    EXPECT_EQ(laser->value(), 4);
    edges_within(500 * ms);
    EXPECT_EQ(laser->value(), 4);
    EXPECT_TRUE(interlock->line(0).high());
}

TEST_F(CommandsTest, RampToZeroEndsLow) {
    make({});
    give({.output = 0, .action = Action::ramp, .duration_ns = 100 * ms, .value = 4, .to = 0});
    edges_within(99 * ms);
    EXPECT_TRUE(interlock->line(0).high());
    edges_within(2 * ms);
    EXPECT_FALSE(interlock->line(0).high());
    EXPECT_EQ(laser->value(), 0);
    EXPECT_EQ(interlock->end_due(), GuardedLine::never_ns);
}

TEST_F(CommandsTest, MaxOnCutsARamp) {
    make({.max_on_ns = 30 * ms});
    give({.output = 0, .action = Action::ramp, .duration_ns = 100 * ms, .value = 1, .to = 4});
    edges_within(31 * ms);
    EXPECT_EQ(laser->value(), 0);
    edges_within(200 * ms);
    EXPECT_EQ(laser->value(), 0);
}

// --- on a late machine: what comes next follows from the stamps, not from when the timer looks ---

TEST_F(CommandsTest, TrainAsFastAsItsLineMayKeepsItsGapHoweverLateTheTimerIs) {
    make({.max_rate_hz = 100});
    train(2 * ms, 10 * ms, 4);
    pass(2 * ms);
    pass(11 * ms);  // the second one rises 3 ms late, at 13 ms
    pass(2 * ms);
    EXPECT_EQ(interlock->line(0).deadline_ns(), 1'023 * ms);
    pass(14 * ms);  // so late that the grid of the first would do, too
    EXPECT_TRUE(laser->high());
    pass(2 * ms);
    EXPECT_EQ(interlock->line(0).deadline_ns(), 1'039 * ms);
}

TEST_F(CommandsTest, RampThatEndedBeforeALimitIsToldBeforeIt) {
    make({.max_on_ns = 50 * ms});
    give({.output = 0, .action = Action::ramp, .duration_ns = 20 * ms, .value = 0.5F, .to = 2.0F});
    test_time_ns += 70 * ms;
    interlock->end_due();
    interlock->end_due();
    const auto all = events();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].topic, EventTopic::level);
    EXPECT_EQ(all[0].value, 2000);
    EXPECT_EQ(all[1].cause, EdgeCause::interlock);
}

TEST_F(CommandsTest, RefusalTellsWhetherTheOutputsWereSafe) {
    make({.max_rate_hz = 10});
    EXPECT_TRUE(give({0, Action::pulse, ms}).changed);
    pass(2 * ms);
    const EdgeResult limited = give({0, Action::on});
    EXPECT_TRUE(limited.refused && !limited.disarmed);
    interlock->to_safe();
    const EdgeResult stopped = give({0, Action::on});
    EXPECT_TRUE(stopped.refused && stopped.disarmed);
}

// --- totals ---

TEST_F(CommandsTest, TotalEndsTheLineForGood) {
    make({.max_total_ns = 25 * ms});
    train(10 * ms, 20 * ms, 10);
    const auto edges = edges_within(200 * ms);
    EXPECT_EQ(edges, (std::vector<std::int64_t>{10 * ms, 20 * ms, 30 * ms, 40 * ms, 45 * ms}));
    EXPECT_EQ(interlock->line(0).total_on_ns(), 25 * ms);
    EXPECT_TRUE(give({0, Action::pulse, ms}).refused);
    interlock->arm();  // as after a camera came back
    EXPECT_TRUE(give({0, Action::pulse, ms}).refused);
}

TEST_F(CommandsTest, TimeThatTheSafeStateEndsCountsToo) {
    make({.max_total_ns = 25 * ms});
    give({0, Action::on});
    pass(20 * ms);
    interlock->to_safe();
    interlock->arm();
    give({0, Action::on});
    EXPECT_EQ(edges_within(50 * ms), (std::vector<std::int64_t>{5 * ms}));
}

// --- exclusion ---

TEST_F(CommandsTest, ExcludedLineIsRefusedWhileTheOtherIsActive) {
    make({}, {"other"});
    train(2 * ms, 10 * ms, 2);
    edges_within(5 * ms);  // between its pulses
    EXPECT_TRUE(give({1, Action::on}).refused);
    EXPECT_EQ(interlock->line(1).refused(), 1);
    edges_within(10 * ms);
    EXPECT_TRUE(give({1, Action::on}).changed);
    EXPECT_TRUE(give({0, Action::on}).refused);  // both ways
    EXPECT_FALSE(give({0, Action::off}).refused);
    give({1, Action::off});
    EXPECT_TRUE(give({0, Action::on}).changed);
}

TEST_F(CommandsTest, ExclusionNamesOtherLinesThatAreSafeWhenLow) {
    EXPECT_THROW(make({}, {"nobody"}), ConfigError);
    EXPECT_THROW(make({}, {"laser"}), ConfigError);
    EXPECT_THROW(make({.safe_high = true}, {"other"}), ConfigError);
}

// --- watchdog and stop ---

TEST_F(CommandsTest, WatchdogMakesSafeWhenPosesStopAndLetsCommandsPassWhenTheyAreBack) {
    make({}, {}, 50 * ms);
    give({0, Action::on});
    pass(1'000 * ms);  // no pose yet: it does not watch
    EXPECT_TRUE(laser->high());
    interlock->note_pose();
    pass(49 * ms);
    interlock->note_pose();
    pass(49 * ms);
    EXPECT_TRUE(laser->high());
    pass(2 * ms);
    EXPECT_FALSE(laser->high());
    EXPECT_FALSE(interlock->armed());
    EXPECT_TRUE(give({0, Action::on}).refused);
    interlock->note_pose();
    EXPECT_FALSE(laser->high());
    EXPECT_TRUE(give({0, Action::on}).changed);
    EXPECT_EQ(stops(), (std::vector{StopReason::no_poses, StopReason::poses_back}));
}

TEST_F(CommandsTest, WatchdogDoesNotUndoWhatOthersMadeSafe) {
    make({}, {}, 50 * ms);
    interlock->note_pose();
    pass(51 * ms);
    interlock->to_safe();  // the session ends meanwhile
    interlock->note_pose();
    EXPECT_FALSE(interlock->armed());
}

TEST_F(CommandsTest, EmergencyStopIsForGood) {
    make({});
    give({0, Action::on});
    interlock->emergency_stop();
    interlock->emergency_stop();
    EXPECT_FALSE(laser->high());
    EXPECT_TRUE(give({0, Action::on}).refused);
    EXPECT_THROW(interlock->arm(), OutputError);
    EXPECT_EQ(stops(), (std::vector{StopReason::emergency}));
}

// --- what drivers say by themselves ---

class TalkingOutput final : public OutputDriver {
  public:
    [[nodiscard]] bool write(bool) noexcept override { return true; }
    [[nodiscard]] std::string description() const override { return "talking line"; }
    void listen(OutputListener* listener) override { listener_ = listener; }
    OutputListener* listener_ = nullptr;
};

TEST(Interlock, HearsConfirmationsAndFailures) {
    const auto driver = std::make_shared<TalkingOutput>();
    {
        Interlock interlock({{"laser", driver, {}}}, {.now = test_now, .start_timer = false});
        interlock.arm();
        driver->listener_->confirmed(true, 42);
        InterlockEvent event;
        ASSERT_TRUE(interlock.poll_event(event));
        EXPECT_EQ(event.topic, EventTopic::confirmed);
        EXPECT_EQ(event.stamp_ns, 42);
        EXPECT_TRUE(event.high);
        driver->listener_->failed();
        EXPECT_EQ(interlock.faulty_line(), 0);
        EXPECT_FALSE(interlock.armed());
    }
    EXPECT_EQ(driver->listener_, nullptr);
}

}  // namespace
}  // namespace fastpose

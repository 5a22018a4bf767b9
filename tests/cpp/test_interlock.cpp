// What a command, a limit, a deadline and a fault do to a line, on a clock that the test moves by hand.
#include <gtest/gtest.h>

#include <limits>
#include <tuple>

#include "base/error.h"
#include "output/interlock.h"
#include "output/sim_output.h"

namespace fastpose {
namespace {

std::int64_t test_time_ns = 0;
std::int64_t test_now() noexcept { return test_time_ns; }

constexpr std::int64_t ms = 1'000'000;

// A device whose write takes a while.
class SlowOutput final : public OutputDriver {
  public:
    [[nodiscard]] bool write(bool) noexcept override {
        test_time_ns += ms;
        return true;
    }
    [[nodiscard]] std::string description() const override { return "slow line"; }
};

class InterlockTest : public ::testing::Test {
  protected:
    InterlockTest() { test_time_ns = 1'000 * ms; }

    void make(LineLimits limits) {
        laser = std::make_shared<SimOutput>("laser");
        other = std::make_shared<SimOutput>("other");
        interlock = std::make_unique<Interlock>(
            std::vector<OutputLine>{{"laser", laser, limits}, {"other", other, {}}},
            InterlockOptions{.now = test_now, .start_timer = false});
        interlock->arm();
    }
    EdgeResult on(int line = 0) { return interlock->apply({line, Action::on}); }
    EdgeResult off(int line = 0) { return interlock->apply({line, Action::off}); }
    EdgeResult pulse(std::int64_t duration) { return interlock->apply({0, Action::pulse, duration}); }
    // Moves the clock and does what is due.
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
    const GuardedLine& line() { return interlock->line(0); }

    std::shared_ptr<SimOutput> laser, other;
    std::unique_ptr<Interlock> interlock;
};

TEST_F(InterlockTest, OnAndOffMakeOneEdgeEach) {
    make({});
    EXPECT_TRUE(on().changed);
    const EdgeResult again = on();
    EXPECT_FALSE(again.changed);
    EXPECT_FALSE(again.refused);
    EXPECT_TRUE(off().changed);
    EXPECT_FALSE(off().changed);
    EXPECT_EQ(laser->rising_edges(), 1);
    EXPECT_EQ(laser->falling_edges(), 1);
    EXPECT_TRUE(events().empty());  // the loop has its results already
}

TEST_F(InterlockTest, PulseEndsAfterItsDuration) {
    make({});
    EXPECT_TRUE(pulse(10 * ms).changed);
    EXPECT_EQ(interlock->end_due(), test_time_ns + 10 * ms);
    pass(10 * ms - 1);
    EXPECT_TRUE(laser->high());
    pass(1);
    EXPECT_FALSE(laser->high());
    EXPECT_EQ(interlock->end_due(), GuardedLine::never_ns);
    const auto all = events();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].cause, EdgeCause::timer);
    EXPECT_EQ(all[0].output, 0);
    EXPECT_FALSE(all[0].high);
    EXPECT_EQ(all[0].stamp_ns, test_time_ns);
}

TEST_F(InterlockTest, PulseDuringAPulseExtendsIt) {
    make({});
    pulse(10 * ms);
    test_time_ns += 6 * ms;
    EXPECT_FALSE(pulse(10 * ms).changed);
    pass(9 * ms);  // 15 ms after the first
    EXPECT_TRUE(laser->high());
    pass(1 * ms);
    EXPECT_FALSE(laser->high());
    EXPECT_EQ(laser->rising_edges(), 1);
}

TEST_F(InterlockTest, ShorterPulseDuringAPulseDoesNotShortenIt) {
    make({});
    pulse(10 * ms);
    pulse(2 * ms);
    pass(9 * ms);
    EXPECT_TRUE(laser->high());
}

TEST_F(InterlockTest, OnDuringAPulseKeepsItHigh) {
    make({});
    pulse(10 * ms);
    on();
    pass(100 * ms);
    EXPECT_TRUE(laser->high());
}

TEST_F(InterlockTest, PulseAfterOnEndsTheLine) {
    make({});
    on();
    pulse(10 * ms);
    pass(10 * ms);
    EXPECT_FALSE(laser->high());
}

TEST_F(InterlockTest, OffEndsAPulse) {
    make({});
    pulse(10 * ms);
    EXPECT_TRUE(off().changed);
    const std::int64_t writes = laser->writes();
    pass(20 * ms);
    EXPECT_EQ(laser->writes(), writes);
    EXPECT_TRUE(events().empty());
}

TEST_F(InterlockTest, LongestPulseDoesNotOverflow) {
    make({});
    EXPECT_TRUE(pulse(std::numeric_limits<std::int64_t>::max()).changed);
    pass(1'000'000 * ms);
    EXPECT_TRUE(laser->high());
}

TEST_F(InterlockTest, PulseWithoutDurationIsRefused) {
    make({});
    EXPECT_TRUE(pulse(0).refused);
    EXPECT_TRUE(pulse(-ms).refused);
    EXPECT_FALSE(laser->high());
}

TEST_F(InterlockTest, MaxOnForcesTheLineLow) {
    make({.max_on_ns = 50 * ms});
    on();
    pass(50 * ms - 1);
    EXPECT_TRUE(laser->high());
    pass(1);
    EXPECT_FALSE(laser->high());
    EXPECT_EQ(line().forced_low(), 1);
    const auto all = events();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].cause, EdgeCause::interlock);
}

TEST_F(InterlockTest, ExtendingDoesNotMoveMaxOn) {
    make({.max_on_ns = 25 * ms});
    pulse(10 * ms);
    for (int i = 0; i < 2; ++i) {
        pass(9 * ms);
        pulse(10 * ms);
    }
    EXPECT_TRUE(laser->high());
    pass(7 * ms);
    EXPECT_FALSE(laser->high());
    EXPECT_EQ(line().forced_low(), 1);
}

TEST_F(InterlockTest, PulseAsLongAsMaxOnEndsByItself) {
    make({.max_on_ns = 10 * ms});
    pulse(10 * ms);
    pass(10 * ms);
    EXPECT_EQ(line().forced_low(), 0);
    EXPECT_EQ(events().at(0).cause, EdgeCause::timer);
}

TEST_F(InterlockTest, AnOnThatWasCutStaysCutUntilOff) {
    make({.max_on_ns = 50 * ms});
    on();
    pass(50 * ms);
    EXPECT_TRUE(on().refused);
    test_time_ns += 1'000 * ms;
    EXPECT_TRUE(on().refused);
    EXPECT_FALSE(off().changed);
    EXPECT_TRUE(on().changed);
    EXPECT_EQ(line().refused(), 2);
}

TEST_F(InterlockTest, PulsesInARowCannotOutlastMaxOn) {
    make({.max_on_ns = 20 * ms});
    std::int64_t high_ms = 0;
    for (int i = 0; i < 100; ++i) {  // a pulse of 10 ms every 5 ms is one long request
        pulse(10 * ms);
        if (laser->high()) high_ms += 5;
        pass(5 * ms);
    }
    EXPECT_EQ(high_ms, 20);
    pass(10 * ms);  // the request has ended
    EXPECT_TRUE(pulse(10 * ms).changed);
}

TEST_F(InterlockTest, MaxRateRefusesRisingEdgesOnly) {
    make({.max_rate_hz = 20});
    EXPECT_TRUE(on().changed);
    EXPECT_TRUE(off().changed);
    test_time_ns += 50 * ms - 1;
    const EdgeResult early = on();
    EXPECT_TRUE(early.refused);
    EXPECT_FALSE(early.changed);
    EXPECT_EQ(early.stamp_ns, test_time_ns);
    test_time_ns += 1;
    EXPECT_TRUE(on().changed);
    EXPECT_FALSE(on().refused);  // no edge, so no rate
    EXPECT_TRUE(off().changed);
    EXPECT_EQ(line().refused(), 1);
    EXPECT_EQ(line().rising_edges(), 2);
}

TEST_F(InterlockTest, TheFirstEdgeIsNeverTooEarly) {
    test_time_ns = 0;
    make({.max_rate_hz = 0.001});
    EXPECT_TRUE(on().changed);
}

TEST_F(InterlockTest, StampsAreTakenAfterTheWrite) {
    Interlock slow({{"slow", std::make_shared<SlowOutput>(), {}}}, {.now = test_now, .start_timer = false});
    slow.arm();
    const std::int64_t before = test_time_ns;
    EXPECT_EQ(slow.apply({0, Action::pulse, 10 * ms}).stamp_ns, before + ms);
    EXPECT_EQ(slow.end_due(), before + 11 * ms);  // a pulse is as long as asked, edge to edge
}

TEST_F(InterlockTest, RefusesEverythingUntilArmed) {
    make({});
    interlock->to_safe();
    EXPECT_TRUE(on().refused);
    EXPECT_TRUE(pulse(ms).refused);
    EXPECT_TRUE(off().refused);
    EXPECT_FALSE(laser->high());
    interlock->arm();
    EXPECT_TRUE(on().changed);
}

TEST_F(InterlockTest, RefusesLinesThatAreNotThere) {
    make({});
    EXPECT_TRUE(on(2).refused);
    EXPECT_TRUE(on(-1).refused);
}

TEST_F(InterlockTest, SafeStateEndsHighLinesAndTheirPulses) {
    make({});
    on(0);
    on(1);
    interlock->to_safe();
    EXPECT_FALSE(laser->high());
    EXPECT_FALSE(other->high());
    const auto all = events();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].cause, EdgeCause::safe);
    EXPECT_EQ(interlock->end_due(), GuardedLine::never_ns);
    const std::int64_t writes = laser->writes();
    interlock->to_safe();
    EXPECT_EQ(laser->writes(), writes);
    EXPECT_TRUE(events().empty());
}

TEST_F(InterlockTest, SafeStateIsWrittenEvenToALineThatSeemsSafe) {
    make({});
    on();
    off();
    const std::int64_t writes = laser->writes();
    interlock->to_safe();
    EXPECT_EQ(laser->writes(), writes + 1);
}

TEST_F(InterlockTest, SafeCanBeHigh) {
    make({.max_on_ns = 50 * ms, .safe_high = true});
    EXPECT_TRUE(laser->high());
    pass(1'000 * ms);  // resting at the safe level is no on-time
    EXPECT_TRUE(laser->high());
    EXPECT_TRUE(off().changed);
    interlock->to_safe();
    EXPECT_TRUE(laser->high());
    const auto all = events();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_TRUE(all[0].high);
}

TEST_F(InterlockTest, MaxOnOfALineRestingHighStartsWithTheCommand) {
    make({.max_on_ns = 50 * ms, .safe_high = true});
    test_time_ns += 1'000 * ms;
    EXPECT_FALSE(on().changed);
    pass(50 * ms - 1);
    EXPECT_TRUE(laser->high());
    pass(1);
    EXPECT_FALSE(laser->high());
}

TEST_F(InterlockTest, DestructorPutsLinesSafe) {
    make({});
    on();
    interlock.reset();
    EXPECT_FALSE(laser->high());
}

TEST_F(InterlockTest, AFailedWritePutsAllLinesSafe) {
    make({});
    on(1);
    laser->set_broken(true);
    const EdgeResult edge = on(0);
    EXPECT_TRUE(edge.failed);
    EXPECT_FALSE(edge.changed);
    EXPECT_FALSE(other->high());
    EXPECT_FALSE(interlock->armed());
    EXPECT_EQ(interlock->faulty_line(), 0);
    EXPECT_EQ(
        interlock->fault_message(),
        "output 'laser' (simulated line laser) could not be written: the simulated line was told to fail; "
        "check the cable and the device");
    EXPECT_TRUE(on(1).refused);
}

TEST_F(InterlockTest, ASafeLevelThatFailedIsTriedAgain) {
    make({});
    on();
    laser->set_broken(true);
    EXPECT_TRUE(off().failed);
    EXPECT_TRUE(laser->high());
    const std::int64_t retry = interlock->end_due();
    ASSERT_LT(retry, GuardedLine::never_ns);
    test_time_ns = retry;
    EXPECT_GT(interlock->end_due(), retry);  // failed once more
    laser->set_broken(false);
    test_time_ns = interlock->end_due();
    EXPECT_EQ(interlock->end_due(), GuardedLine::never_ns);
    EXPECT_FALSE(laser->high());
}

TEST_F(InterlockTest, AFailedPulseEndPutsAllLinesSafe) {
    make({});
    on(1);
    pulse(ms);
    laser->set_broken(true);
    pass(ms);
    EXPECT_FALSE(other->high());
    EXPECT_EQ(interlock->faulty_line(), 0);
}

TEST_F(InterlockTest, ArmingNeedsEveryLine) {
    make({});
    on(1);
    laser->set_broken(true);
    EXPECT_THROW(interlock->arm(), OutputError);
    EXPECT_FALSE(interlock->armed());
    EXPECT_FALSE(other->high());
    laser->set_broken(false);
    interlock->arm();
    EXPECT_EQ(interlock->faulty_line(), -1);
    EXPECT_TRUE(on(0).changed);
}

TEST_F(InterlockTest, SetUpNeedsEveryLine) {
    const auto broken = std::make_shared<SimOutput>("broken");
    broken->set_broken(true);
    EXPECT_THROW(Interlock({{"broken", broken, {}}}), OutputError);
    EXPECT_THROW(Interlock({{"none", nullptr, {}}}), OutputError);
    const auto line = std::make_shared<SimOutput>("line");
    EXPECT_THROW(Interlock({{"line", line, {.max_on_ns = -1}}}), ConfigError);
    EXPECT_THROW(Interlock({{"line", line, {.max_rate_hz = -1}}}), ConfigError);
    EXPECT_THROW(Interlock({{"line", line, {.max_rate_hz = std::numeric_limits<double>::quiet_NaN()}}}),
                 ConfigError);
    EXPECT_THROW(Interlock(std::vector<OutputLine>(65, {"line", line, {}})), ConfigError);
}

TEST_F(InterlockTest, ArmingWritesTheSafeLevel) {
    make({});
    on();
    events();
    interlock->arm();
    EXPECT_FALSE(laser->high());
    ASSERT_EQ(events().size(), 1U);
    EXPECT_TRUE(on().changed);
}

TEST_F(InterlockTest, CommandsOfTheUserAreReported) {
    make({.max_rate_hz = 20});
    interlock->apply({0, Action::on}, EdgeCause::user);
    interlock->apply({0, Action::on}, EdgeCause::user);  // no edge
    interlock->apply({0, Action::off}, EdgeCause::user);
    interlock->apply({0, Action::on}, EdgeCause::user);  // refused
    const auto all = events();
    ASSERT_EQ(all.size(), 3U);
    for (const InterlockEvent& event : all) EXPECT_EQ(event.cause, EdgeCause::user);
    EXPECT_TRUE(all[0].high && !all[0].refused);
    EXPECT_TRUE(!all[1].high && !all[1].refused);
    EXPECT_TRUE(all[2].high && all[2].refused);
}

TEST_F(InterlockTest, EventsBeyondTheRoomAreCounted) {
    make({});
    for (int i = 0; i < 2'500; ++i) {
        interlock->apply({0, Action::on}, EdgeCause::user);
        interlock->apply({0, Action::off}, EdgeCause::user);
    }
    EXPECT_EQ(interlock->events_lost(), 5'000 - 4'096);
    EXPECT_EQ(events().size(), 4'096U);
    interlock->apply({0, Action::on}, EdgeCause::user);
    EXPECT_EQ(events().size(), 1U);
}

TEST(EventQueue, GivesBackInOrderAcrossItsEnd) {
    EventQueue queue(4);
    InterlockEvent event;
    EXPECT_FALSE(queue.pop(event));
    for (int i = 0; i < 10; ++i) {
        EXPECT_TRUE(queue.push({.stamp_ns = 2 * i}));
        EXPECT_TRUE(queue.push({.stamp_ns = 2 * i + 1}));
        ASSERT_TRUE(queue.pop(event));
        EXPECT_EQ(event.stamp_ns, 2 * i);
        ASSERT_TRUE(queue.pop(event));
        EXPECT_EQ(event.stamp_ns, 2 * i + 1);
    }
    EXPECT_EQ(queue.lost(), 0);
}

}  // namespace
}  // namespace fastpose

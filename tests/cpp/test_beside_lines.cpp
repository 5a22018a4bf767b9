// Lines beside the loop and the stop switch: order, bounds, delays, and who hears of a host that is gone.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "output/beside_lines.h"
#include "output/interlock.h"
#include "output/sim_output.h"
#include "output/stop_switch.h"

namespace fastpose {
namespace {

constexpr std::int64_t ms = 1'000'000;

std::string fresh_name(const char* what) {
    static std::atomic<int> count{0};
    return "/fastpose-" + std::to_string(this_process_id()) + "-" + what + std::to_string(++count);
}

template <typename Condition>
bool soon(Condition condition) {
    const std::int64_t deadline_ns = now_ns() + 10'000 * ms;
    bool is_so = condition();
    while (!is_so && now_ns() < deadline_ns) {
        sleep_until_ns(now_ns() + ms);
        is_so = condition();
    }
    return is_so;
}

class Beside : public ::testing::Test {
  protected:
    Beside()
        : lines(BesideLines::create(fresh_name("beside"), {false, true})),
          host(BesideLines::attach(lines->name())),
          device(std::make_shared<BesideDevice>(lines)),
          line(std::make_shared<BesideOutput>(device, 0, "a marker", true)) {}
    std::shared_ptr<BesideLines> lines;
    std::unique_ptr<BesideLines> host;
    std::shared_ptr<BesideDevice> device;
    std::shared_ptr<BesideOutput> line;
};

TEST_F(Beside, CommandsComeInOrderAndNoneIsLeftOut) {
    EXPECT_TRUE(line->write(true) && line->write(false) && line->write_value(0.5F));
    BesideCommand command;
    std::vector<float> seen;
    while (host->next(command, 0)) seen.push_back(command.valued != 0 ? command.value : 10.0F * command.high);
    EXPECT_EQ(seen, (std::vector<float>{10, 0, 0.5F}));
    EXPECT_TRUE(host->safe_high(1));
    EXPECT_FALSE(host->safe_high(0));
}

TEST_F(Beside, NobodyWaitsAndAFullQueueIsAFailure) {
    for (int i = 0; i < BesideLines::capacity; ++i) EXPECT_TRUE(line->write(i % 2 == 0));
    EXPECT_FALSE(line->write(true));
    EXPECT_NE(line->error().find("too slow"), std::string::npos);
    EXPECT_EQ(lines->waiting(), BesideLines::capacity);
}

TEST_F(Beside, ConfirmsWhenTheHostHasDoneIt) {
    Interlock interlock({{"marker", line, {}}});
    interlock.arm();
    std::thread worker([this] {
        BesideCommand command;
        while (host->next(command, 50 * ms) || !host->goodbye()) {
            if (command.sequence == 0) continue;
            sleep_until_ns(now_ns() + 2 * ms);
            host->answer(command, true, "");
            command.sequence = 0;
        }
    });
    const EdgeResult edge = interlock.apply({0, Action::on});
    EXPECT_TRUE(edge.changed);
    InterlockEvent event;
    EXPECT_TRUE(soon(
        [&] { return interlock.poll_event(event) && event.topic == EventTopic::confirmed && event.high; }));
    EXPECT_GE(event.stamp_ns - edge.stamp_ns, 2 * ms);
    lines->say_goodbye();
    worker.join();
}

TEST_F(Beside, AFailureOfTheHostIsAFault) {
    Interlock interlock({{"marker", line, {}}});
    interlock.arm();
    interlock.apply({0, Action::on});
    BesideCommand command;
    ASSERT_TRUE(host->next(command, 0));
    host->answer(command, false, "the cable is gone");
    EXPECT_TRUE(soon([&] { return interlock.faulty_line() == 0; }));
    EXPECT_NE(interlock.fault_message().find("the cable is gone"), std::string::npos);
}

TEST_F(Beside, AHostThatEndsIsAFault) {
    Interlock interlock({{"marker", line, {}}});
    interlock.arm();
    lines->end("its process ended with code 1");
    EXPECT_TRUE(soon([&] { return interlock.faulty_line() == 0; }));
    EXPECT_FALSE(line->write(true));
}

TEST(BesideLines, BlocksOfOthersAreRefused) {
    EXPECT_THROW(BesideLines::attach("/fastpose-not-there"), DeviceError);
    EXPECT_THROW(BesideLines::create(fresh_name("none"), {}), OutputError);
}

// --- the switch ---

TEST(StopSwitch, MakesLinesSafeFromAnotherMapping) {
    const auto laser = std::make_shared<SimOutput>("laser");
    Interlock interlock({{"laser", laser, {}}});
    interlock.arm();
    interlock.apply({0, Action::on});
    const std::string name = fresh_name("stop");
    const auto made = StopSwitch::create(name, [&] { interlock.emergency_stop(); });
    EXPECT_FALSE(made->thrown());
    EXPECT_TRUE(StopSwitch::attach(name)->throw_and_wait(10'000 * ms));
    EXPECT_FALSE(laser->high());
    EXPECT_TRUE(made->thrown());
    EXPECT_GT(made->reaction_ns(), 0);
    EXPECT_TRUE(made->throw_and_wait(0));  // once more does no harm
}

TEST(StopSwitch, GoesWithoutBeingThrown) {
    bool thrown = false;
    {
        const auto made = StopSwitch::create(fresh_name("stop"), [&] { thrown = true; });
    }
    EXPECT_FALSE(thrown);
}

}  // namespace
}  // namespace fastpose

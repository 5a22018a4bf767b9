// The loop's priority over a session: taken, left when the work fills the budget, taken again.
#include "engine/loop_priority.h"

#include <gtest/gtest.h>

#include <thread>

namespace fastpose {
namespace {

constexpr std::int64_t ms = 1'000'000;
constexpr RealtimeLimits usual{950'000, 1'000'000};

// On a thread of its own, whose priority ends with it.
template <typename Session>
LoopTiming on_a_thread(int priority, const Session& session) {
    LoopPriority loop(priority, usual);
    std::thread([&] { session(loop); }).join();
    return loop.timing();
}

void run(LoopPriority& loop, std::int64_t& now_ns, std::int64_t work_ns, std::int64_t for_ns) {
    for (const std::int64_t end = now_ns + for_ns; now_ns < end; now_ns += 10 * ms)
        loop.after_frame(now_ns, now_ns + work_ns, 0, false);
}

TEST(LoopPriority, NotAskedForIsNotTaken) {
    const LoopTiming timing = on_a_thread(0, [](LoopPriority& loop) { loop.start(ms, 10 * ms); });
    EXPECT_EQ(timing.fifo, Fifo::not_asked);
    EXPECT_EQ(timing.warm_up_work_ns, ms);
    EXPECT_DOUBLE_EQ(timing.expected_share, 0.1);
    EXPECT_GT(timing.spin_ns, 0);
}

TEST(LoopPriority, ASlowNetworkNeverHasIt) {
    const LoopTiming timing = on_a_thread(10, [](LoopPriority& loop) {
        loop.start(20 * ms, 10 * ms);
        loop.after_frame(1000 * ms, 1001 * ms, 0, false);
    });
    EXPECT_EQ(timing.fifo, Fifo::over_budget);
    EXPECT_DOUBLE_EQ(timing.expected_share, 1);
    EXPECT_DOUBLE_EQ(timing.most_share, 0) << "nothing was measured yet";
    EXPECT_EQ(timing.left, 0);
    EXPECT_EQ(timing.spin_ns, 0);
}

TEST(LoopPriority, LeftUnderLoadAndTakenAgain) {
    Fifo first{}, loaded{};
    const LoopTiming timing = on_a_thread(10, [&](LoopPriority& loop) {
        std::int64_t now = 1000 * ms;
        loop.start(2 * ms, 10 * ms);
        first = loop.timing().fifo;
        run(loop, now, 10 * ms, 600 * ms);
        loaded = loop.timing().fifo;
        run(loop, now, 2 * ms, 3000 * ms);
    });
    if (first == Fifo::refused) GTEST_SKIP() << "SCHED_FIFO is not granted here";
    EXPECT_EQ(first, Fifo::granted);
    EXPECT_EQ(loaded, Fifo::over_budget);
    EXPECT_EQ(timing.fifo, Fifo::granted);
    EXPECT_EQ(timing.left, 1);
    EXPECT_GT(timing.most_share, 0.99);
    EXPECT_NEAR(timing.share, 0.2, 0.02);
    EXPECT_EQ(timing.frames, 360);
}

}  // namespace
}  // namespace fastpose

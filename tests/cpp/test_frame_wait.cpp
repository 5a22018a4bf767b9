// Waiting for frames: what is taken, and that spinning stays within what is allowed.
#include "engine/frame_wait.h"

#include <gtest/gtest.h>

#include <thread>

#include "allocation_counter.h"
#include "base/clock.h"
#include "engine_rig.h"

namespace fastpose {
namespace {

using testing_rig::make_ring;
constexpr std::int64_t us = 1000, ms = 1'000'000;

void publish(Ring& ring, std::int64_t received_ns) {
    const int slot = ring.acquire(1000 * ms);
    FrameMeta meta;
    meta.received_ns = received_ns;
    ring.publish(slot, meta);
}

// Frames have come, some of them early or late: the window in which the next one is looked for is some
// hundred ms long, so that a busy machine does not sleep through it.
void teach(FrameWait& wait, std::int64_t expected_ns) {
    constexpr std::int64_t period = 2000 * ms, jitter = 400 * ms;
    for (int i = 200; i >= 1; --i) {
        const std::int64_t off = i % 8 == 3 ? jitter : i % 8 == 7 ? -jitter : 0;
        wait.note_received(expected_ns - i * period + off);
    }
}

TEST(FrameWait, TakesWhatLiesThere) {
    const auto ring = make_ring(FramePolicy::newest);
    FrameWait wait(*ring);
    publish(*ring, now_ns());
    const int slot = wait.take(0);
    ASSERT_GE(slot, 0);
    EXPECT_EQ(wait.spun_ns(), 0);
    EXPECT_FALSE(wait.caught());
    ring->release(slot);
    EXPECT_EQ(wait.take(ms), -1);
}

TEST(FrameWait, WithoutAllowanceItNeverSpins) {
    const auto ring = make_ring(FramePolicy::newest);
    FrameWait wait(*ring);
    teach(wait, now_ns() + 10 * ms);
    EXPECT_EQ(wait.take(20 * ms), -1);
    EXPECT_EQ(wait.take(20 * ms), -1);
    EXPECT_EQ(wait.spun_ns(), 0);
}

TEST(FrameWait, WithoutAPaceItNeverSpins) {
    const auto ring = make_ring(FramePolicy::newest);
    FrameWait wait(*ring);
    wait.allow_spin(300 * us);
    EXPECT_EQ(wait.take(5 * ms), -1);
    EXPECT_EQ(wait.spun_ns(), 0);
}

TEST(FrameWait, GivesUpOnALateFrameAndSleeps) {
    const auto ring = make_ring(FramePolicy::newest);
    FrameWait wait(*ring);
    wait.allow_spin(1000 * ms);
    teach(wait, now_ns() + 50 * ms);
    EXPECT_EQ(wait.take(1000 * ms), -1);  // it spun for the frame that was expected
    EXPECT_GT(wait.spun_ns(), 0);
    const std::int64_t spun = wait.spun_ns();
    publish(*ring, now_ns());
    const int slot = wait.take(100 * ms);
    ASSERT_GE(slot, 0);
    EXPECT_EQ(wait.spun_ns(), spun) << "what was spun for a frame counts for it";
    EXPECT_FALSE(wait.caught());
    ring->release(slot);
}

TEST(FrameWait, AllocatesNothing) {
    const auto ring = make_ring(FramePolicy::newest);
    FrameWait wait(*ring);
    wait.allow_spin(100 * us);
    start_counting_allocations();
    for (int i = 0; i < 50; ++i) {
        publish(*ring, now_ns());
        const int slot = wait.take(10 * ms);
        wait.note_received(ring->meta(slot).received_ns);
        ring->release(slot);
        sleep_until_ns(now_ns() + 100 * us);
    }
    EXPECT_EQ(stop_counting_allocations(), 0);
}

TEST(FrameWait, CatchesAFrameThatComesWhileItSpins) {
    const auto ring = make_ring(FramePolicy::newest);
    FrameWait wait(*ring);
    wait.allow_spin(1000 * ms);
    const std::int64_t expected = now_ns() + 100 * ms;
    teach(wait, expected);
    std::thread camera([&] {
        sleep_until_ns(expected);
        publish(*ring, now_ns());
    });
    int slot = -1;
    while (slot < 0) slot = wait.take(5000 * ms);
    camera.join();
    EXPECT_TRUE(wait.caught());
    EXPECT_GT(wait.spun_ns(), 0);
    ring->release(slot);
}

}  // namespace
}  // namespace fastpose

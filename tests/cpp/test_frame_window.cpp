// The moment in which the next frame is looked for: when there is one, how long it is, what moves it.
#include "engine/frame_window.h"

#include <gtest/gtest.h>

namespace fastpose {
namespace {

constexpr std::int64_t us = 1000, ms = 1'000'000;

FrameWindow at_100_hz(std::int64_t last_ns) {
    FrameWindow window;
    window.allow_spin(300 * us);
    for (int i = 100; i >= 0; --i) window.note_received(last_ns - i * 10 * ms);
    return window;
}

TEST(FrameWindow, ThereIsNoneWithoutAPaceOrAnAllowance) {
    FrameWindow window;
    window.allow_spin(300 * us);
    EXPECT_EQ(window.next().end_ns, 0);
    window = at_100_hz(1000 * ms);
    window.allow_spin(FrameWindow::shortest_spin_ns - 1);
    EXPECT_EQ(window.next().end_ns, 0);
}

TEST(FrameWindow, LiesAroundTheExpectedFrame) {
    const FrameWindow::Span span = at_100_hz(1000 * ms).next();
    EXPECT_LT(span.begin_ns, 1010 * ms);
    EXPECT_GT(span.end_ns, 1010 * ms);
    EXPECT_LE(span.end_ns - span.begin_ns, 300 * us);
}

TEST(FrameWindow, BeginsEarlierWhereWakingUpTakesLong) {
    FrameWindow quick = at_100_hz(1000 * ms), slow = quick;
    for (int i = 0; i < 100; ++i) {
        quick.note_wake_up(10 * us);
        slow.note_wake_up(100 * us);
    }
    EXPECT_LT(slow.next().begin_ns, quick.next().begin_ns - 100 * us);
}

}  // namespace
}  // namespace fastpose

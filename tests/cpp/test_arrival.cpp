// The expected arrival of frames: steady, jittery, lost, late and changing cameras.
#include "engine/arrival.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace fastpose {
namespace {

constexpr std::int64_t us = 1000, ms = 1'000'000, origin = 5'000 * ms;

void feed(Arrival& arrival, std::int64_t first, int frames, std::int64_t period_ns) {
    for (int i = 0; i < frames; ++i) arrival.add(first + i * period_ns);
}

TEST(Arrival, NothingIsExpectedOfAFewFrames) {
    Arrival arrival;
    feed(arrival, origin, 15, 5 * ms);
    EXPECT_FALSE(arrival.known());
    arrival.add(origin + 15 * 5 * ms);
    EXPECT_TRUE(arrival.known());
}

TEST(Arrival, SteadyFramesComeWhenExpected) {
    Arrival arrival;
    feed(arrival, origin, 200, 5 * ms);
    EXPECT_NEAR(static_cast<double>(arrival.expected_ns()), static_cast<double>(origin + 200 * 5 * ms), us);
    EXPECT_LT(arrival.jitter_ns(), us);
}

TEST(Arrival, LostFramesChangeNothing) {
    Arrival arrival;
    for (int i = 0; i < 300; ++i)
        if (i % 7 != 3) arrival.add(origin + i * 5 * ms);
    EXPECT_NEAR(arrival.period_ns(), 5.0 * ms, 10 * us);
    EXPECT_NEAR(static_cast<double>(arrival.expected_ns()), static_cast<double>(origin + 300 * 5 * ms),
                20 * us);
}

TEST(Arrival, OneLateFrameMovesTheExpectationALittle) {
    Arrival arrival;
    feed(arrival, origin, 200, 5 * ms);
    arrival.add(origin + 200 * 5 * ms + 2 * ms);
    EXPECT_NEAR(static_cast<double>(arrival.expected_ns()), static_cast<double>(origin + 201 * 5 * ms),
                300 * us);
}

TEST(Arrival, FollowsACameraThatDrifts) {
    Arrival arrival;
    constexpr std::int64_t drifting = 5 * ms + 2500;  // 500 ppm
    feed(arrival, origin, 100, 5 * ms);
    const std::int64_t second = origin + 99 * 5 * ms + drifting;
    feed(arrival, second, 1000, drifting);
    EXPECT_NEAR(static_cast<double>(arrival.expected_ns()), static_cast<double>(second + 1000 * drifting),
                5 * us);
}

TEST(Arrival, JitterIsTheMeanDistance) {
    Arrival arrival;
    for (int i = 0; i < 2000; ++i) arrival.add(origin + i * 5 * ms + (i % 2 == 0 ? 100 : -100) * us);
    EXPECT_NEAR(static_cast<double>(arrival.jitter_ns()), 100.0 * us, 15 * us);
    EXPECT_TRUE(arrival.known());
}

TEST(Arrival, FramesWithoutAPaceAreNotExpected) {
    Arrival arrival;
    std::srand(1);
    std::int64_t at = origin;
    for (int i = 0; i < 500; ++i) arrival.add(at += (1 + std::rand() % 20) * ms);
    EXPECT_FALSE(arrival.known());
}

TEST(Arrival, LearnsAnewAfterTheRateChangedOrAPause) {
    Arrival arrival;
    feed(arrival, origin, 200, 5 * ms);
    const std::int64_t second = origin + 60'000 * ms;
    feed(arrival, second, 200, 8 * ms + 100 * us);
    EXPECT_TRUE(arrival.known());
    EXPECT_NEAR(arrival.period_ns(), 8.1 * ms, 10 * us);
    const std::int64_t third = second + 200 * (8 * ms + 100 * us);
    feed(arrival, third, 200, 5 * ms + 300 * us);
    EXPECT_TRUE(arrival.known());
    EXPECT_NEAR(arrival.period_ns(), 5.3 * ms, 10 * us);
}

}  // namespace
}  // namespace fastpose

// The Kalman filter: steady gains, prediction to the horizon, likelihood gate.
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "filter/filter.h"

namespace fastpose {
namespace {

constexpr std::int64_t frame_ns = 10'000'000;

Keypoint apply(Filter& filter, Keypoint keypoint, std::int64_t time_ns) {
    filter.apply({&keypoint, 1, 1}, time_ns);
    return keypoint;
}

// A target at 200 px/s in x and -100 px/s in y; the error in x of the last frame against the place at the
// horizon.
TEST(Kalman, PredictsAConstantVelocityToTheHorizon) {
    const auto filter = make_kalman({.horizon_ms = 25}, 1, 1);
    Keypoint out{};
    for (int i = 0; i < 200; ++i) {
        out = apply(*filter, {2.0f * static_cast<float>(i), 500 - static_cast<float>(i), 1}, i * frame_ns);
    }
    EXPECT_NEAR(out.x, 2 * 199 + 200 * 0.025, 0.05);
    EXPECT_NEAR(out.y, 500 - 199 - 100 * 0.025, 0.05);
}

TEST(Kalman, PredictsOnThroughAGap) {
    const auto filter = make_kalman({.process_noise = 100}, 1, 1);
    const float nan = std::nanf("");
    for (int i = 0; i < 100; ++i) apply(*filter, {2.0f * static_cast<float>(i), 0, 1}, i * frame_ns);
    for (int i = 100; i < 130; ++i) EXPECT_TRUE(std::isnan(apply(*filter, {nan, nan, 0}, i * frame_ns).x));
    // Seen again 20 px behind where it should be: the estimate lies between the two, near the prediction at
    // first.
    const float out = apply(*filter, {2.0f * 130 - 20, 0, 1}, 130 * frame_ns).x;
    EXPECT_LT(out, 2 * 130 - 1);
    EXPECT_GT(out, 2 * 130 - 19);
}

TEST(Kalman, TheSameWhetherAGapHasFramesOrNot) {
    const auto with_frames = make_kalman({}, 1, 1);
    const auto without = make_kalman({}, 1, 1);
    const float nan = std::nanf("");
    for (int i = 0; i < 10; ++i) {
        apply(*with_frames, {3.0f * static_cast<float>(i), 0, 1}, i * frame_ns);
        apply(*without, {3.0f * static_cast<float>(i), 0, 1}, i * frame_ns);
    }
    for (int i = 10; i < 20; ++i) apply(*with_frames, {nan, nan, 0}, i * frame_ns);
    EXPECT_EQ(apply(*with_frames, {70, 1, 1}, 20 * frame_ns).x, apply(*without, {70, 1, 1}, 20 * frame_ns).x);
}

TEST(Kalman, AnUnlikelyKeypointIsMissing) {
    const auto filter = make_kalman({.min_likelihood = 0.7}, 1, 1);
    EXPECT_EQ(apply(*filter, {10, 10, 0.7f}, 0).x, 10);
    EXPECT_TRUE(std::isnan(apply(*filter, {900, 10, 0.69f}, frame_ns).x));
    EXPECT_TRUE(std::isnan(apply(*filter, {900, 10, std::nanf("")}, 2 * frame_ns).x));
    EXPECT_NEAR(apply(*filter, {10, 10, 1}, 3 * frame_ns).x, 10, 1e-4);
}

TEST(Kalman, RefusesValuesOutOfRange) {
    EXPECT_THROW((void)make_kalman({.process_noise = 0}, 1, 1), ConfigError);
    EXPECT_THROW((void)make_kalman({.measurement_noise_px = -1}, 1, 1), ConfigError);
    EXPECT_THROW((void)make_kalman({.horizon_ms = 1001}, 1, 1), ConfigError);
    EXPECT_THROW((void)make_kalman({.min_likelihood = 2}, 1, 1), ConfigError);
    EXPECT_THROW((void)make_kalman({.max_gap_ms = -1}, 1, 1), ConfigError);
}

}  // namespace
}  // namespace fastpose

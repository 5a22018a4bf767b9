// The One-Euro filter: its step by hand, real time steps, the cutoff that opens with speed.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/error.h"
#include "filter/filter.h"

namespace fastpose {
namespace {

constexpr std::int64_t frame_ns = 10'000'000;

float apply(Filter& filter, float x, std::int64_t time_ns) {
    Keypoint keypoint{x, 0, 1};
    filter.apply({&keypoint, 1, 1}, time_ns);
    return keypoint.x;
}

// With beta = 0 it is a low-pass of 1 Hz: after a step of 1 px, one time constant later, 1 - 1/e of it is
// there.
TEST(OneEuro, LowPassHasItsTimeConstantWhateverTheRate) {
    for (const std::int64_t step_ns : {100'000, 1'000'000}) {
        const auto filter = make_one_euro({.min_cutoff_hz = 1, .beta = 0}, 1, 1);
        apply(*filter, 0, 0);
        const auto time_constant_ns = static_cast<std::int64_t>(1e9 / (2 * std::numbers::pi));
        float out = 0;
        for (std::int64_t t = step_ns; t <= time_constant_ns; t += step_ns) out = apply(*filter, 1, t);
        EXPECT_NEAR(out, 1 - 1 / std::numbers::e, 0.005) << "step " << step_ns << " ns";
    }
}

TEST(OneEuro, SecondFrameByHand) {
    const auto filter = make_one_euro({.min_cutoff_hz = 2, .beta = 0.5, .derivative_cutoff_hz = 1}, 1, 1);
    apply(*filter, 100, 0);
    const double tau_speed = 1 / (2 * std::numbers::pi);
    const double speed = 1 / (1 + tau_speed / 0.01) * (104 - 100) / 0.01;
    const double tau = 1 / (2 * std::numbers::pi * (2 + 0.5 * speed));
    EXPECT_NEAR(apply(*filter, 104, frame_ns), 100 + 4 / (1 + tau / 0.01), 1e-4);
}

TEST(OneEuro, RefusesValuesOutOfRange) {
    EXPECT_THROW((void)make_one_euro({.min_cutoff_hz = 0}, 1, 1), ConfigError);
    EXPECT_THROW((void)make_one_euro({.beta = -1}, 1, 1), ConfigError);
    EXPECT_THROW((void)make_one_euro({.derivative_cutoff_hz = NAN}, 1, 1), ConfigError);
    EXPECT_THROW((void)make_one_euro({.max_gap_ms = INFINITY}, 1, 1), ConfigError);
}

}  // namespace
}  // namespace fastpose

// An LED in view: as bright as the part of the exposure for which its output was high, in every format.
#include "camera/sim_led.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/sim_light.h"
#include "camera/sim_camera.h"
#include "camera/sim_simulation.h"
#include "grab_into.h"
#include "output/sim_output.h"

namespace fastpose {
namespace {

constexpr std::int64_t kMs = 1'000'000;

using Bytes = std::vector<std::uint8_t>;

SimSpec spec_with_led(PixelFormat format = PixelFormat::mono8) {
    SimSpec spec;
    spec.size = {64, 64};
    spec.noise = 0;
    spec.pixel_format = format;
    spec.led = SimLed{.output = "led-of-a-test", .x = 8, .y = 50, .radius_px = 4, .level = 80};
    return spec;
}

double sum(const Bytes& bytes) { return std::accumulate(bytes.begin(), bytes.end(), 0.0); }

Bytes painted(const SimSpec& spec, double fraction) {
    Bytes pixels(frame_bytes(spec.pixel_format, spec.width(), spec.height()), 0);
    sim::paint_led(*spec.led, fraction, spec, pixels);
    return pixels;
}

TEST(SimLed, AddsInProportionToTheTimeItWasOn) {
    const SimSpec spec = spec_with_led();
    const double full = sum(painted(spec, 1));
    EXPECT_NEAR(full, 80 * 3.14159 * 4.0 * 4.0, 0.05 * full);
    for (const double fraction : {0.0, 0.013, 0.25, 0.77})
        EXPECT_NEAR(sum(painted(spec, fraction)), fraction * full, 0.01 * full);
}

TEST(SimLed, StaysInItsDiscAndBelowWhite) {
    SimSpec spec = spec_with_led();
    spec.led->level = 200;
    Bytes pixels(64UL * 64, 100);
    sim::paint_led(*spec.led, 1, spec, pixels);
    EXPECT_EQ(pixels[50 * 64 + 8], 255);
    EXPECT_EQ(pixels[50 * 64 + 14], 100);
    EXPECT_EQ(pixels[44 * 64 + 8], 100);
}

TEST(SimLed, LightsTheSamplesOfEveryFormat) {
    const double grey = sum(painted(spec_with_led(), 1));
    EXPECT_NEAR(sum(painted(spec_with_led(PixelFormat::rgb8), 1)), 3 * grey, 1);
    EXPECT_NEAR(sum(painted(spec_with_led(PixelFormat::bayer_rg8), 1)), grey, 1);
    EXPECT_NEAR(sum(painted(spec_with_led(PixelFormat::nv12), 1)), grey, 1);
    const Bytes yuyv = painted(spec_with_led(PixelFormat::yuyv), 1);
    EXPECT_NEAR(sum(yuyv), grey, 1);
    for (std::size_t i = 1; i < yuyv.size(); i += 2) ASSERT_EQ(yuyv[i], 0) << "chroma at " << i;
    const Bytes wide = painted(spec_with_led(PixelFormat::mono12), 1);
    const std::size_t centre = 2 * (50UL * 64 + 8);
    EXPECT_NEAR(wide[centre] + 256 * wide[centre + 1], 80 * 16, 1);
}

TEST(SimLed, AnLedAtTheEdgeIsCutOff) {
    SimSpec spec = spec_with_led();
    spec.led->x = spec.led->y = 0;
    EXPECT_LT(sum(painted(spec, 1)), 0.5 * sum(painted(spec_with_led(), 1)));
}

TEST(SimLed, IsRefusedOutsideTheFrame) {
    SimSpec spec = spec_with_led();
    spec.led->x = 64;
    EXPECT_THROW(spec.validate(), ConfigError);
    spec = spec_with_led();
    spec.led->output.clear();
    EXPECT_THROW(spec.validate(), ConfigError);
}

// What frame `index` has more than the arena alone, as a fraction of what the LED gives when it is on.
double seen(const SimSpec& spec, const Bytes& pixels, std::int64_t index) {
    Simulation dark(spec);
    Bytes without(dark.frame_bytes());
    dark.render(index, without);
    return (sum(pixels) - sum(without)) / sum(painted(spec, 1));
}

TEST(SimCamera, SeesWhatItsOutputDidInEachExposure) {
    SimSpec spec = spec_with_led();
    spec.rate_hz = 50;
    spec.exposure_us = 15'000;
    spec.frames_total = 2;
    spec.led->delay_us = 20'000;
    SimOutput output("led-of-a-test");
    const auto camera = make_sim_camera(spec);
    camera->arm();
    ClockPair pair;
    ASSERT_TRUE(camera->latch_clock(pair));
    ASSERT_TRUE(output.write(true));
    const std::int64_t on_ns = now_ns() + 20 * kMs;
    Bytes pixels(frame_bytes(spec.pixel_format, 64, 64));
    FrameMeta meta;
    for (std::int64_t index = 0; index < 2; ++index) {
        ASSERT_EQ(grab_into(*camera, pixels, meta, 1000 * kMs), GrabStatus::frame);
        const std::int64_t begin_ns = meta.camera_timestamp_ns + pair.host_before_ns - pair.camera_ns;
        const double lit = static_cast<double>(begin_ns + 15 * kMs - on_ns) / (15.0 * kMs);
        EXPECT_NEAR(seen(spec, pixels, index), std::clamp(lit, 0.0, 1.0), 0.1) << "frame " << index;
    }
    camera->disarm();
}

TEST(SimCamera, StampsLateWhereItIsTold) {
    SimSpec spec = spec_with_led();
    spec.clock.drift_ppm = 0;
    spec.frames_total = 1;
    const auto stamp_ns = [](const SimSpec& asked) {
        const auto camera = make_sim_camera(asked);
        camera->arm();
        ClockPair pair;
        EXPECT_TRUE(camera->latch_clock(pair));
        Bytes pixels(64UL * 64);
        FrameMeta meta;
        EXPECT_EQ(grab_into(*camera, pixels, meta, 1000 * kMs), GrabStatus::frame);
        return meta.received_ns - (meta.camera_timestamp_ns + pair.host_before_ns - pair.camera_ns);
    };
    const std::int64_t age_ns = stamp_ns(spec);
    EXPECT_GE(age_ns, 2 * kMs);  // exposure, transfer
    spec.clock.stamp_late_us = 1e6;
    EXPECT_LT(stamp_ns(spec), 0);  // the stamp lies in the future
}

}  // namespace
}  // namespace fastpose

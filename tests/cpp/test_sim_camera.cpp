// The simulated camera behind the camera interface: pace, clock, faults, ends.
#include "camera/sim_camera.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "camera/sim_simulation.h"
#include "grab_into.h"

namespace fastpose {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000, kMs = 1'000'000;

SimSpec fast_spec() {
    SimSpec spec;
    spec.size = {64, 64};
    spec.rate_hz = 1000;
    spec.exposure_us = 200;
    spec.transfer_ms = 0.1;
    spec.frames_total = 40;
    spec.every_frame = true;
    return spec;
}

struct Delivery {
    FrameMeta meta;
    std::vector<std::uint8_t> pixels;
};

struct Recording {
    std::vector<Delivery> deliveries;
    GrabStatus end = GrabStatus::frame;
    double host_minus_camera_ns = 0;  // right for a clock without drift
};

Recording record(const SimSpec& spec) {
    Recording result;
    const auto camera = make_sim_camera(spec);
    camera->arm();
    ClockPair pair;
    EXPECT_TRUE(camera->latch_clock(pair));
    result.host_minus_camera_ns = static_cast<double>(pair.host_before_ns - pair.camera_ns);
    while (true) {
        Delivery delivery;
        delivery.pixels.resize(frame_bytes(spec.pixel_format, spec.width(), spec.height()));
        result.end = grab_into(*camera, delivery.pixels, delivery.meta, 5 * kSecond);
        if (result.end != GrabStatus::frame) {
            camera->disarm();
            return result;
        }
        result.deliveries.push_back(std::move(delivery));
    }
}

TEST(SimCamera, DeliversTheFramesOfTheSimulation) {
    SimSpec spec = fast_spec();
    spec.faults.torn = 0.3;
    Simulation simulation(spec);
    std::vector<std::uint8_t> expected(simulation.frame_bytes());
    const Recording result = record(spec);
    ASSERT_EQ(result.deliveries.size(), 40U);
    int torn = 0;
    for (std::size_t i = 0; i < result.deliveries.size(); ++i) {
        const FrameMeta& meta = result.deliveries[i].meta;
        EXPECT_EQ(meta.camera_counter, static_cast<std::int64_t>(i));
        EXPECT_EQ(meta.width, 64);
        EXPECT_EQ(meta.height, 64);
        EXPECT_EQ((meta.flags & frame_torn) != 0, simulation.fate(meta.camera_counter).torn);
        torn += (meta.flags & frame_torn) != 0;
        simulation.render(meta.camera_counter, expected);
        EXPECT_EQ(result.deliveries[i].pixels, expected) << i;
    }
    EXPECT_GT(torn, 0);
}

TEST(SimCamera, EndsAfterFramesTotal) {
    const Recording result = record(fast_spec());
    EXPECT_EQ(result.end, GrabStatus::finished);
    for (const Delivery& delivery : result.deliveries) {
        EXPECT_EQ((delivery.meta.flags & frame_last) != 0, delivery.meta.camera_counter == 39);
    }
}

TEST(SimCamera, NoFrameArrivesBeforeItsExposureAndTransferEnd) {
    SimSpec spec = fast_spec();
    spec.clock.drift_ppm = 0;
    const Recording result = record(spec);
    std::int64_t previous_ns = 0;
    for (const Delivery& delivery : result.deliveries) {
        const FrameMeta& meta = delivery.meta;
        const double exposed_ns = static_cast<double>(meta.camera_timestamp_ns) + result.host_minus_camera_ns;
        // The pair was read once; a stop between its two readings shifts the estimate to the early side only.
        EXPECT_GE(static_cast<double>(meta.received_ns) - exposed_ns, 300'000.0 - 1000);
        EXPECT_GE(meta.received_ns, previous_ns);
        previous_ns = meta.received_ns;
    }
}

TEST(SimCamera, ExposuresKeepToTheirRateOnTheCamerasOwnClock) {
    SimSpec spec = fast_spec();
    spec.clock = {.offset_s = 3, .drift_ppm = 10000};
    const Recording result = record(spec);
    const std::int64_t first_ns = result.deliveries[0].meta.camera_timestamp_ns;
    EXPECT_GE(first_ns, 3 * kSecond);
    for (std::size_t i = 0; i < result.deliveries.size(); ++i) {
        const auto expected_ns =
            static_cast<double>(i) * 1.01 * kMs;  // 1 ms of the host is 1.01 ms of the camera
        EXPECT_NEAR(static_cast<double>(result.deliveries[i].meta.camera_timestamp_ns - first_ns),
                    expected_ns, 2);
    }
}

TEST(SimCamera, ClockDriftsAsAsked) {
    SimSpec spec = fast_spec();
    spec.clock = {.offset_s = 7, .drift_ppm = -10000};
    const std::int64_t before_ns = now_ns();
    const auto camera = make_sim_camera(spec);
    const std::int64_t after_ns = now_ns();
    sleep_until_ns(now_ns() + 20 * kMs);
    ClockPair pair;
    ASSERT_TRUE(camera->latch_clock(pair));
    EXPECT_LE(pair.host_before_ns, pair.host_after_ns);
    const auto camera_at = [](std::int64_t elapsed_ns) {
        return 7e9 + 0.99 * static_cast<double>(elapsed_ns);
    };
    EXPECT_GE(static_cast<double>(pair.camera_ns), camera_at(pair.host_before_ns - after_ns) - 2);
    EXPECT_LE(static_cast<double>(pair.camera_ns), camera_at(pair.host_after_ns - before_ns) + 2);
}

TEST(SimCamera, DroppedFramesAreGapsInTheCounter) {
    SimSpec spec = fast_spec();
    spec.faults.drop = 0.3;
    std::vector<std::int64_t> expected, seen;
    for (std::int64_t index = 0; index < 40; ++index) {
        if (!sim_fate(spec, index).dropped) expected.push_back(index);
    }
    for (const Delivery& delivery : record(spec).deliveries) {
        seen.push_back(delivery.meta.camera_counter);
    }
    EXPECT_LT(seen.size(), 40U);
    EXPECT_EQ(seen, expected);
}

TEST(SimCamera, LateFramesHoldUpTheOnesBehind) {
    SimSpec spec = fast_spec();
    spec.clock.drift_ppm = 0;
    spec.faults.late = 0.1;
    spec.faults.late_ms = 5;
    const Recording result = record(spec);
    int late = 0;
    std::int64_t previous_ns = 0;
    for (std::size_t i = 0; i < result.deliveries.size(); ++i) {
        const FrameMeta& meta = result.deliveries[i].meta;
        EXPECT_EQ(meta.camera_counter, static_cast<std::int64_t>(i));
        EXPECT_GE(meta.received_ns, previous_ns);
        previous_ns = meta.received_ns;
        if (!sim_fate(spec, meta.camera_counter).late) continue;
        ++late;
        const double exposed_ns = static_cast<double>(meta.camera_timestamp_ns) + result.host_minus_camera_ns;
        EXPECT_GE(static_cast<double>(meta.received_ns) - exposed_ns, 5.3e6 - 1000);
        EXPECT_NE(meta.flags & frame_late, 0);
    }
    EXPECT_GT(late, 0);
}

TEST(SimCamera, CableIsPulled) {
    SimSpec spec = fast_spec();
    spec.frames_total.reset();
    spec.faults.disconnect_after_s = 0.02;
    const auto camera = make_sim_camera(spec);
    camera->arm();
    std::vector<std::uint8_t> slot(64 * 64);
    FrameMeta meta;
    GrabStatus status = GrabStatus::frame;
    int frames = 0;
    for (; status == GrabStatus::frame; ++frames) {
        status = grab_into(*camera, slot, meta, kSecond);
    }
    EXPECT_EQ(status, GrabStatus::disconnected);
    EXPECT_LE(frames, 21);
    EXPECT_EQ(grab_into(*camera, slot, meta, kSecond), GrabStatus::disconnected);
    ClockPair pair;
    EXPECT_FALSE(camera->latch_clock(pair));
}

TEST(SimCamera, CableIsPluggedInAgain) {
    SimSpec spec = fast_spec();
    spec.faults.disconnect_after_s = 0.0105;
    spec.faults.reconnect_after_s = 3;
    spec.every_frame = true;  // however busy the host is
    const auto camera = make_sim_camera(spec);
    camera->arm();
    Simulation simulation(spec);
    std::vector<std::uint8_t> slot(64 * 64), expected(64 * 64);
    FrameMeta meta;
    std::int64_t frames = 0;
    while (grab_into(*camera, slot, meta, kSecond) == GrabStatus::frame) ++frames;
    camera->disarm();
    EXPECT_THROW(camera->arm(), CameraError);
    sleep_until_ns(now_ns() + 3000 * kMs);
    camera->arm();
    ClockPair pair;
    EXPECT_TRUE(camera->latch_clock(pair));
    EXPECT_LT(pair.camera_ns, static_cast<std::int64_t>(spec.clock.offset_s * 1e9) + 3000 * kMs);
    for (std::int64_t counter = 0; frames < 40; ++counter, ++frames) {
        ASSERT_EQ(grab_into(*camera, slot, meta, kSecond), GrabStatus::frame);
        EXPECT_EQ(meta.camera_counter, counter);
        simulation.render(frames, expected);
        EXPECT_EQ(slot, expected) << frames;
    }
    EXPECT_EQ(grab_into(*camera, slot, meta, kSecond), GrabStatus::finished);
}

TEST(SimCamera, FailedBuffersAreExposuresToo) {
    SimSpec spec = fast_spec();
    spec.faults.failed = 0.3;
    const auto camera = make_sim_camera(spec);
    camera->arm();
    std::vector<std::uint8_t> slot(64 * 64);
    int failed = 0;
    for (std::int64_t index = 0; index < 40; ++index) {
        FrameMeta meta;
        const GrabStatus status = grab_into(*camera, slot, meta, kSecond);
        EXPECT_EQ(status == GrabStatus::failed, sim_fate(spec, index).failed);
        EXPECT_EQ(meta.camera_counter, index);
        failed += status == GrabStatus::failed;
    }
    EXPECT_GT(failed, 0);
}

TEST(SimCamera, ClockIsSet) {
    SimSpec spec = fast_spec();
    spec.clock.drift_ppm = 0;
    spec.faults.clock_jump_after_s = 0.0201;
    spec.faults.clock_jump_s = -2;
    const Recording result = record(spec);
    const std::int64_t first_ns = result.deliveries[0].meta.camera_timestamp_ns;
    for (std::size_t i = 0; i < result.deliveries.size(); ++i) {
        const std::int64_t jump_ns = i > 20 ? -2 * kSecond : 0;
        EXPECT_NEAR(static_cast<double>(result.deliveries[i].meta.camera_timestamp_ns - first_ns),
                    static_cast<double>(static_cast<std::int64_t>(i) * kMs + jump_ns), 2);
    }
}

TEST(SimCamera, TimesOutAndThenDelivers) {
    SimSpec spec = fast_spec();
    spec.rate_hz = 50;
    const auto camera = make_sim_camera(spec);
    camera->arm();
    std::vector<std::uint8_t> slot(64 * 64);
    FrameMeta meta;
    ASSERT_EQ(grab_into(*camera, slot, meta, kSecond), GrabStatus::frame);
    GrabStatus status = GrabStatus::timeout;
    int timeouts = 0;
    for (; status == GrabStatus::timeout; ++timeouts) {
        status = grab_into(*camera, slot, meta, kMs);
    }
    EXPECT_GT(timeouts, 1);
    EXPECT_EQ(status, GrabStatus::frame);
    EXPECT_EQ(meta.camera_counter, 1);
}

TEST(SimCamera, TimesOutWhenEveryFrameIsDropped) {
    SimSpec spec = fast_spec();
    spec.frames_total.reset();
    spec.faults.drop = 1;
    const auto camera = make_sim_camera(spec);
    camera->arm();
    std::vector<std::uint8_t> slot(64 * 64);
    FrameMeta meta;
    EXPECT_EQ(grab_into(*camera, slot, meta, 3 * kMs), GrabStatus::timeout);
}

TEST(SimCamera, ASlowHostLosesTheOldestFramesOfTheQueue) {
    SimSpec spec = fast_spec();
    spec.rate_hz = 10000;
    spec.exposure_us = 50;
    spec.frames_total.reset();
    spec.prerender_frames = 4;
    for (const bool every_frame : {false, true}) {
        spec.every_frame = every_frame;
        const auto camera = make_sim_camera(spec);
        camera->arm();
        std::vector<std::uint8_t> slot(64 * 64);
        FrameMeta meta;
        ASSERT_EQ(grab_into(*camera, slot, meta, kSecond), GrabStatus::frame);
        const std::int64_t counter = meta.camera_counter;
        sleep_until_ns(now_ns() + 20 * kMs);
        ASSERT_EQ(grab_into(*camera, slot, meta, kSecond), GrabStatus::frame);
        if (every_frame) {
            EXPECT_EQ(meta.camera_counter, counter + 1);
        } else {
            EXPECT_GT(meta.camera_counter, counter + 100);
        }
    }
}

TEST(SimCamera, RefusesABadSpec) {
    SimSpec spec;
    spec.noise = -1;
    EXPECT_THROW(static_cast<void>(make_sim_camera(spec)), ConfigError);
}

}  // namespace
}  // namespace fastpose

// Simulated cameras on one wire: the same exposures, counted by each from when it was armed.
#include "camera/sim_wire.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "camera/sim_camera.h"
#include "grab_into.h"

namespace fastpose {
namespace {

constexpr std::int64_t ms = 1'000'000;

SimSpec on_wire(const char* line, const char* source, double drift_ppm = 0) {
    SimSpec spec;
    spec.size = {64, 64};
    spec.rate_hz = 200;
    spec.exposure_us = 100;
    spec.transfer_ms = 0;
    spec.every_frame = true;
    spec.clock = {1.0, drift_ppm};
    spec.camera_trigger = {source, line};
    return spec;
}

// Camera time and counter of the next frame.
FrameMeta next(Camera& camera, std::int64_t timeout_ns = 10'000 * ms) {
    std::vector<std::uint8_t> pixels(64 * 64);
    FrameMeta meta;
    meta.camera_counter = -1;
    EXPECT_EQ(grab_into(camera, pixels, meta, timeout_ns), GrabStatus::frame);
    return meta;
}

TEST(SimWire, TheNameIsTheWire) {
    const auto wire = sim_wire("a");
    EXPECT_EQ(wire, sim_wire("a"));
    EXPECT_NE(wire, sim_wire("b"));
}

TEST(SimWire, EdgesComeAtTheRateUntilTheyEnd) {
    SimWire wire;
    EXPECT_FALSE(wire.wait_started(now_ns()));
    wire.start(1000 * ms, 100, 5);
    EXPECT_TRUE(wire.wait_started(now_ns()));
    EXPECT_EQ(wire.edge_ns(3), 1030 * ms);
    EXPECT_EQ(wire.first_edge_after(0), 0);
    EXPECT_EQ(wire.first_edge_after(1020 * ms), 2);
    EXPECT_EQ(wire.first_edge_after(1021 * ms), 3);
    EXPECT_TRUE(wire.has(4));
    EXPECT_FALSE(wire.has(5));
}

TEST(SimWire, AFollowerArmedFirstCountsAsTheDriverDoes) {
    const auto driver = make_sim_camera(on_wire("first", "internal"));
    const auto follower = make_sim_camera(on_wire("first", "external_edge", 500));
    follower->arm();
    driver->arm();
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(next(*driver).camera_counter, i);
        EXPECT_EQ(next(*follower).camera_counter, i);
    }
}

TEST(SimWire, AFollowerArmedLaterMissedEdges) {
    const auto driver = make_sim_camera(on_wire("late", "internal"));
    const auto follower = make_sim_camera(on_wire("late", "external_edge"));
    driver->arm();
    for (int i = 0; i < 4; ++i) (void)next(*driver);
    follower->arm();
    const FrameMeta mine = next(*follower), other = next(*driver);
    EXPECT_EQ(mine.camera_counter, 0);
    EXPECT_GE(other.camera_counter, 4);
}

TEST(SimWire, WithoutEdgesThereIsNoFrame) {
    const auto follower = make_sim_camera(on_wire("silent", "external_edge"));
    std::vector<std::uint8_t> pixels(64 * 64);
    FrameMeta meta;
    follower->arm();
    EXPECT_EQ(grab_into(*follower, pixels, meta, ms), GrabStatus::timeout);
    const auto driver = make_sim_camera(on_wire("silent", "internal"));
    driver->arm();
    (void)next(*follower);
    driver->disarm();
    while (grab_into(*follower, pixels, meta, 20 * ms) == GrabStatus::frame) {
    }
    EXPECT_EQ(grab_into(*follower, pixels, meta, 20 * ms), GrabStatus::timeout);
}

TEST(SimWire, AnEdgeNeedsItsLine) {
    EXPECT_THROW(on_wire("", "external_edge").validate(), ConfigError);
    EXPECT_THROW(on_wire("x", "software").validate(), ConfigError);
    EXPECT_NO_THROW(on_wire("", "internal").validate());
}

}  // namespace
}  // namespace fastpose

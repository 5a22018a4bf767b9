// Counter and clock of a frame in one step.
#include "engine/frame_stamper.h"

#include <gtest/gtest.h>

namespace fastpose {
namespace {

constexpr std::int64_t ms = 1'000'000;

FrameStamper stamper() { return {counter_range_from("uint64"), 100}; }

TEST(FrameStamper, WithoutAClockTheExposureIsGuessedFromTheArrival) {
    FrameStamper made = stamper();
    made.begin(2 * ms);
    const FrameMeta meta = made.stamp(7, 0, 100 * ms);
    EXPECT_EQ(meta.camera_counter, 7);
    EXPECT_EQ(meta.camera_timestamp_ns, 0);
    EXPECT_EQ(meta.received_ns, 100 * ms);
    EXPECT_EQ(meta.exposure_start_ns, 98 * ms);
    EXPECT_EQ(meta.exposure_error_ns, 0);
    EXPECT_EQ(meta.flags, frame_clock_unfitted);
}

TEST(FrameStamper, AReadingPlacesTheFrames) {
    FrameStamper made = stamper();
    made.begin(2 * ms);
    for (std::int64_t i = 0; i < 8; ++i) made.clock().add(i * ms, 500 * ms + i * ms, i * ms + 2);
    const FrameMeta meta = made.stamp(0, 520 * ms, 25 * ms);
    EXPECT_NEAR(static_cast<double>(meta.exposure_start_ns), 20.0 * ms, 10);
    EXPECT_GT(meta.exposure_error_ns, 0);
    EXPECT_EQ(meta.flags, 0);
}

TEST(FrameStamper, TheCountRunsOnOverConnections) {
    FrameStamper made = stamper();
    made.begin(0);
    EXPECT_EQ(made.stamp(40, 0, 10 * ms).camera_counter, 40);
    EXPECT_EQ(made.stamp(42, 0, 30 * ms).camera_counter, 42);
    made.begin(0);
    const FrameMeta again = made.stamp(0, 0, 5000 * ms);
    EXPECT_EQ(again.camera_counter, 43);
    EXPECT_EQ(again.flags & frame_counter_reset, frame_counter_reset);
}

TEST(FrameStamper, AFormerConnectionsClockIsForgotten) {
    FrameStamper made = stamper();
    made.begin(0);
    made.clock().add(0, 500 * ms, 2);
    EXPECT_TRUE(made.clock().fitted());
    made.begin(0);
    EXPECT_FALSE(made.clock().fitted());
}

}  // namespace
}  // namespace fastpose

// Frames held in memory behind the camera interface: order, pace, flags, ends.
#include "camera/memory_camera.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "grab_into.h"

namespace fastpose {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::shared_ptr<FrameStore> three_frames() {
    auto store = std::make_shared<FrameStore>(PixelFormat::mono8, 8, 4);
    for (int i = 0; i < 3; ++i) {
        const auto pixels = store->append(i == 1 ? frame_unreadable : 0);
        std::fill(pixels.begin(), pixels.end(), static_cast<std::uint8_t>(10 * i));
    }
    return store;
}

struct Grabbed {
    GrabStatus status;
    FrameMeta meta;
    std::vector<std::uint8_t> pixels;
};

Grabbed grab(Camera& camera, std::int64_t timeout_ns = kSecond) {
    Grabbed grabbed{GrabStatus::timeout, {}, std::vector<std::uint8_t>(32)};
    grabbed.status = grab_into(camera, grabbed.pixels, grabbed.meta, timeout_ns);
    return grabbed;
}

TEST(MemoryCamera, PlaysEachFrameOnceAndEnds) {
    const auto camera = make_memory_camera(three_frames(), 2000, false);
    camera->arm();
    for (int i = 0; i < 3; ++i) {
        const Grabbed frame = grab(*camera);
        ASSERT_EQ(frame.status, GrabStatus::frame);
        EXPECT_EQ(frame.pixels, std::vector<std::uint8_t>(32, static_cast<std::uint8_t>(10 * i)));
        EXPECT_EQ(frame.meta.camera_counter, i);
        EXPECT_EQ((frame.meta.flags & frame_unreadable) != 0, i == 1);
        EXPECT_EQ((frame.meta.flags & frame_last) != 0, i == 2);
    }
    EXPECT_EQ(grab(*camera).status, GrabStatus::finished);
}

TEST(MemoryCamera, ExposuresKeepToTheRateAndAreNeverEarly) {
    const auto camera = make_memory_camera(three_frames(), 500, true);
    camera->arm();
    std::vector<Grabbed> frames;
    for (int i = 0; i < 8; ++i) frames.push_back(grab(*camera));
    for (std::size_t i = 1; i < frames.size(); ++i) {
        const FrameMeta& meta = frames[i].meta;
        EXPECT_EQ(meta.camera_timestamp_ns - frames[i - 1].meta.camera_timestamp_ns, 2'000'000);
        EXPECT_GE(meta.received_ns, meta.camera_timestamp_ns);
        EXPECT_EQ(frames[i].pixels[0], 10 * (i % 3));
        EXPECT_EQ(meta.flags & frame_last, 0);
    }
}

TEST(MemoryCamera, ATimeoutTakesNoFrameAway) {
    const auto camera = make_memory_camera(three_frames(), 20, false);
    camera->arm();
    ASSERT_EQ(grab(*camera).status, GrabStatus::frame);
    ASSERT_EQ(grab(*camera, 1'000'000).status, GrabStatus::timeout);
    EXPECT_EQ(grab(*camera).meta.camera_counter, 1);
}

TEST(MemoryCamera, ItsClockIsTheHosts) {
    const auto camera = make_memory_camera(three_frames(), 100, false);
    ClockPair pair;
    ASSERT_TRUE(camera->latch_clock(pair));
    EXPECT_LE(pair.host_before_ns, pair.camera_ns);
    EXPECT_LE(pair.camera_ns, pair.host_after_ns);
}

TEST(MemoryCamera, RefusesWhatItCannotPlay) {
    const auto empty = std::make_shared<FrameStore>(PixelFormat::mono8, 8, 4);
    EXPECT_THROW(static_cast<void>(make_memory_camera(empty, 100, false)), ConfigError);
    EXPECT_THROW(static_cast<void>(make_memory_camera(three_frames(), 0, false)), ConfigError);
    EXPECT_THROW(FrameStore(PixelFormat::mono8, 0, 4), ConfigError);
}

}  // namespace
}  // namespace fastpose

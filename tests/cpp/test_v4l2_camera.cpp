// The V4L2 driver over a device in memory.
#include "camera/v4l2_camera.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

#include "allocation_counter.h"
#include "base/clock.h"
#include "base/error.h"
#include "camera/v4l2_controls.h"
#include "camera/v4l2_numbers.h"
#include "fake_v4l2.h"
#include "fake_v4l2_calls.h"
#include "says.h"

namespace fastpose {
namespace {

using testing::FakeFault;
using testing::FakeV4l2;
using testing::FakeV4l2Calls;
using testing::FakeV4l2Control;
using testing::FakeV4l2Setup;
using testing::says;

constexpr int width = 64, height = 48;
constexpr int slots = 6;
constexpr std::int64_t us = 1000, stamp_ns = 5'000'000'000;

V4l2Spec spec_of(PixelFormat format = PixelFormat::mono8) {
    V4l2Spec spec;
    spec.path = "/dev/video7";
    spec.pixel_format = format;
    spec.width = width;
    spec.height = height;
    return spec;
}

FakeV4l2Setup with_exposure() {
    FakeV4l2Setup setup;
    FakeV4l2Control automatic{V4L2_CID_EXPOSURE_AUTO, V4L2_CTRL_TYPE_MENU, "Auto Exposure", 0, 3, 1, 3};
    automatic.menu = {"Auto Mode", "Manual Mode", "Shutter Priority Mode", "Aperture Priority Mode"};
    FakeV4l2Control exposure{
        V4L2_CID_EXPOSURE_ABSOLUTE, V4L2_CTRL_TYPE_INTEGER, "Exposure Time, Absolute", 1, 5000, 1, 156};
    exposure.flags = V4L2_CTRL_FLAG_INACTIVE;
    FakeV4l2Control priority{
        V4L2_CID_EXPOSURE_AUTO_PRIORITY, V4L2_CTRL_TYPE_BOOLEAN, "Exposure, Dynamic Framerate", 0, 1, 1, 1};
    setup.controls = {
        {V4L2_CID_GAIN, V4L2_CTRL_TYPE_INTEGER, "Gain", 0, 100, 5, 0}, automatic, exposure, priority};
    return setup;
}

// A camera over a device, with memory to lend it.
class Bench {
  public:
    explicit Bench(const FakeV4l2Setup& setup = {}, const V4l2Spec& spec = spec_of())
        : device(setup), calls(device), camera(make_v4l2_camera(spec, calls)) {
        const CameraInfo& info = camera->info();
        bytes_ = std::max<std::size_t>(static_cast<std::size_t>(info.buffer_bytes),
                                       4 * static_cast<std::size_t>(info.width * info.height));
        memory_.resize(bytes_ * slots);
    }
    std::span<std::uint8_t> memory(int slot) {
        return std::span(memory_).subspan(static_cast<std::size_t>(slot) * bytes_, bytes_);
    }
    void lend(int slot) { camera->lend(slot, memory(slot)); }
    // Lends as many slots as the camera wants, and arms it.
    void arm() {
        for (int slot = 0; slot < std::min(slots, camera->depth()); ++slot) lend(slot);
        camera->arm();
    }
    Grab grab() { return camera->grab(meta, 1 * us); }

    FakeV4l2 device;
    FakeV4l2Calls calls;
    std::unique_ptr<V4l2Camera> camera;
    FrameMeta meta;

  private:
    std::size_t bytes_ = 0;
    std::vector<std::uint8_t> memory_;
};

// The text of the CameraError with which set-up fails.
std::string refusal(const FakeV4l2Setup& setup, const V4l2Spec& spec) {
    FakeV4l2 device(setup);
    FakeV4l2Calls calls(device);
    try {
        static_cast<void>(make_v4l2_camera(spec, calls));
    } catch (const CameraError& error) {
        return error.what();
    }
    return "it was not refused";
}

TEST(V4l2Numbers, ASlotGetsTheNumberThatItHadBefore) {
    V4l2Numbers numbers;
    numbers.reset(3);
    EXPECT_EQ(numbers.take(7), 0 + 2);
    EXPECT_EQ(numbers.take(9), 1);
    EXPECT_EQ(numbers.give_back(2), 7);
    EXPECT_EQ(numbers.take(7), 2);
    EXPECT_EQ(numbers.held(), 2);
}

TEST(V4l2Numbers, NoneIsLeftWhenAllAreTaken) {
    V4l2Numbers numbers;
    numbers.reset(2);
    EXPECT_GE(numbers.take(0), 0);
    EXPECT_GE(numbers.take(1), 0);
    EXPECT_EQ(numbers.take(2), -1);
    EXPECT_EQ(numbers.give_back(5), -1);
}

TEST(V4l2Describe, ListsFormatsSizesRatesAndControls) {
    FakeV4l2Setup setup = with_exposure();
    setup.modes = {{V4L2_PIX_FMT_GREY, 64, 48, {{1, 100}, {1, 50}}},
                   {V4L2_PIX_FMT_GREY, 32, 24, {{1, 200}}},
                   {V4L2_PIX_FMT_MJPEG, 64, 48, {{1001, 30000}}},
                   {V4L2_PIX_FMT_H264, 64, 48, {}}};
    FakeV4l2 device(setup);
    FakeV4l2Calls calls(device);
    const V4l2Description found = describe_v4l2("/dev/video7", calls);
    EXPECT_EQ(found.card, "Fake Camera");
    ASSERT_EQ(found.formats.size(), 3U);
    EXPECT_EQ(found.formats[0].fourcc, "GREY");
    EXPECT_EQ(found.formats[0].pixel_format, "mono8");
    ASSERT_EQ(found.formats[0].sizes.size(), 2U);
    EXPECT_EQ(found.formats[0].sizes[0].rates_hz, (std::vector<double>{100, 50}));
    EXPECT_EQ(found.formats[1].pixel_format, "mjpg");
    EXPECT_NEAR(found.formats[1].sizes[0].rates_hz[0], 29.97, 0.001);
    EXPECT_EQ(found.formats[2].pixel_format, "");
    ASSERT_EQ(found.controls.size(), 4U);
    const auto exposure =
        std::find_if(found.controls.begin(), found.controls.end(),
                     [](const V4l2Control& c) { return c.name == "exposure_time_absolute"; });
    ASSERT_NE(exposure, found.controls.end());
    EXPECT_TRUE(exposure->inactive);
    EXPECT_EQ(exposure->maximum, 5000);
    EXPECT_EQ(device.is_open(), 0);
}

TEST(V4l2Describe, RefusesWhatIsNoCamera) {
    FakeV4l2Setup setup;
    setup.capabilities = V4L2_CAP_META_CAPTURE | V4L2_CAP_STREAMING;
    EXPECT_TRUE(says(refusal(setup, spec_of()), {"captures no video"}));
    setup.capabilities = V4L2_CAP_VIDEO_CAPTURE_MPLANE | V4L2_CAP_STREAMING;
    EXPECT_TRUE(says(refusal(setup, spec_of()), {"several planes"}));
    FakeV4l2 device;
    FakeV4l2Calls calls(device);
    EXPECT_THROW(static_cast<void>(describe_v4l2("/dev/video8", calls)), CameraError);
}

TEST(V4l2Setup, WhatIsAskedForIsSetAndReadBack) {
    V4l2Spec spec = spec_of();
    spec.rate_hz = 50;
    spec.exposure_us = 2000;
    spec.controls = {{"gain", 15}};
    Bench bench(with_exposure(), spec);
    const CameraInfo& info = bench.camera->info();
    EXPECT_EQ(info.width, width);
    EXPECT_EQ(info.height, height);
    EXPECT_DOUBLE_EQ(info.rate_hz, 50);
    EXPECT_DOUBLE_EQ(bench.device.period_s(), 0.02);
    EXPECT_EQ(info.exposure_ns, 2000 * us);
    EXPECT_EQ(bench.device.value_of("Gain"), 15);
    EXPECT_EQ(bench.device.value_of("Auto Exposure"), V4L2_EXPOSURE_MANUAL);
    EXPECT_EQ(bench.device.value_of("Exposure, Dynamic Framerate"), 0);
    const auto& controls = bench.camera->settings().controls;
    EXPECT_NE(std::find(controls.begin(), controls.end(), std::pair<std::string, std::int64_t>("gain", 15)),
              controls.end());
}

TEST(V4l2Setup, WhatIsNotGivenStaysAsTheCameraIsSet) {
    FakeV4l2Setup setup;
    setup.modes = {{V4L2_PIX_FMT_YUYV, 32, 24, {{1, 25}}}, {V4L2_PIX_FMT_GREY, width, height, {}}};
    V4l2Spec spec;
    spec.path = "/dev/video7";
    Bench bench(setup, spec);
    EXPECT_EQ(bench.camera->info().format, PixelFormat::yuyv);
    EXPECT_EQ(bench.camera->info().width, 32);
    EXPECT_DOUBLE_EQ(bench.camera->info().rate_hz, 25);
    setup.modes = {{V4L2_PIX_FMT_H264, width, height, {}}};
    EXPECT_TRUE(says(refusal(setup, spec), {"it is set to H264, which is not supported: give pixel_format"}));
}

TEST(V4l2Setup, WithoutARateTheCameraKeepsItsOwn) {
    Bench bench;
    EXPECT_DOUBLE_EQ(bench.camera->info().rate_hz, 100);
}

TEST(V4l2Setup, AnAutomaticExposureIsNotKnown) {
    Bench bench(with_exposure());
    EXPECT_EQ(bench.camera->info().exposure_ns, 0);
}

TEST(V4l2Setup, RefusesWithWhatIsAllowed) {
    FakeV4l2Setup setup = with_exposure();
    setup.modes.push_back({V4L2_PIX_FMT_MJPEG, width, height, {}});
    EXPECT_TRUE(says(refusal(setup, spec_of(PixelFormat::nv12)),
                     {"/dev/video7", "nv12 needs NV12", "GREY (mono8)", "compression: mjpg"}));
    V4l2Spec spec = spec_of();
    spec.width = 640;
    EXPECT_TRUE(says(refusal(setup, spec), {"size is 640x48", "allowed with GREY: 64x48"}));
    spec = spec_of();
    spec.rate_hz = 77;
    EXPECT_TRUE(says(refusal(setup, spec), {"rate_hz is 77", "100, 50"}));
    spec = spec_of();
    spec.exposure_us = 150;
    EXPECT_TRUE(says(refusal(setup, spec), {"multiples of 100"}));
}

TEST(V4l2Setup, RefusesControlsWithWhatIsAllowed) {
    V4l2Spec spec = spec_of();
    spec.controls = {{"gian", 5}};
    EXPECT_TRUE(says(refusal(with_exposure(), spec), {"no control 'gian'", "gain, "}));
    spec.controls = {{"gain", 101}};
    EXPECT_TRUE(
        says(refusal(with_exposure(), spec), {"control gain is 101; allowed: 0 to 100 in steps of 5"}));
    spec.controls = {{"gain", 12}};
    EXPECT_TRUE(says(refusal(with_exposure(), spec), {"of which it makes 10"}));
    spec.controls = {{"exposure_time_absolute", 20}};
    EXPECT_TRUE(says(refusal(with_exposure(), spec), {"set that one to manual before it"}));
    spec.controls = {{"auto_exposure", 7}};
    EXPECT_TRUE(says(refusal(with_exposure(), spec), {"1: manual_mode"}));
    spec.controls = {{"auto_exposure", 1}, {"exposure_time_absolute", 20}};
    Bench bench(with_exposure(), spec);
    EXPECT_EQ(bench.camera->info().exposure_ns, 2000 * us);
}

TEST(V4l2Setup, ARateThatTheDriverCannotSetIsRefused) {
    FakeV4l2Setup setup;
    setup.modes = {{V4L2_PIX_FMT_GREY, width, height, {}}};
    V4l2Spec spec = spec_of();
    spec.rate_hz = 100;
    EXPECT_TRUE(says(refusal(setup, spec), {"leave rate_hz out"}));
}

TEST(V4l2UserMemory, FramesLieInTheLentSlotsAndNothingIsMapped) {
    Bench bench;
    EXPECT_TRUE(bench.camera->settings().user_memory);
    ASSERT_GE(bench.camera->depth(), slots);
    bench.arm();
    for (std::uint32_t n = 0; n < slots; ++n) {
        ASSERT_TRUE(bench.device.expose(stamp_ns));
        const Grab grab = bench.grab();
        ASSERT_EQ(grab.status, GrabStatus::frame);
        EXPECT_EQ(bench.device.filled().back().address, bench.memory(grab.slot).data());
        EXPECT_EQ(bench.memory(grab.slot)[2 * width + 5], testing::fake_pixel(5, 2, n));
    }
    EXPECT_EQ(bench.device.maps(), 0);
    EXPECT_EQ(bench.grab().status, GrabStatus::timeout);
}

TEST(V4l2UserMemory, FramesComeInTheOrderOfExposureWhileSlotsGoRound) {
    Bench bench;
    const int before = bench.device.new_addresses();
    bench.arm();
    for (int n = 0; n < 100; ++n) {
        bench.device.expose(stamp_ns);
        const Grab grab = bench.grab();
        ASSERT_EQ(grab.status, GrabStatus::frame);
        EXPECT_EQ(bench.meta.camera_counter, n);
        bench.lend(grab.slot);
    }
    EXPECT_EQ(bench.device.new_addresses() - before, slots)
        << "memory that was pinned already is not pinned again";
}

TEST(V4l2UserMemory, WithoutALentSlotItWaits) {
    Bench bench;
    bench.camera->arm();
    EXPECT_FALSE(bench.device.expose(stamp_ns));
    EXPECT_EQ(bench.grab().status, GrabStatus::timeout);
    bench.lend(3);
    EXPECT_TRUE(bench.device.expose(stamp_ns));
    EXPECT_EQ(bench.grab().slot, 3);
    EXPECT_EQ(bench.meta.camera_counter, 1);
}

TEST(V4l2UserMemory, ADriverWithFewBuffersGetsNoMore) {
    FakeV4l2Setup setup;
    setup.most_buffers = 3;
    Bench bench(setup);
    EXPECT_EQ(bench.camera->depth(), 3);
    bench.arm();
    bench.device.expose(stamp_ns);
    EXPECT_EQ(bench.grab().status, GrabStatus::frame);
}

TEST(V4l2Mapped, WhereTheDriverTakesNoMemoryOfOursEachFrameIsCopiedAndThatIsSaid) {
    for (const bool needs_one_piece : {false, true}) {
        FakeV4l2Setup setup;
        setup.takes_user_memory = needs_one_piece;
        setup.needs_one_piece = needs_one_piece;
        Bench bench(setup);
        EXPECT_FALSE(bench.camera->settings().user_memory);
        EXPECT_TRUE(says(bench.camera->settings().why_copied, {"one copy a frame, for driver 'fake'"}));
        EXPECT_EQ(bench.camera->depth(), 1);
        bench.camera->arm();
        for (std::uint32_t n = 0; n < 50; ++n) {
            bench.lend(static_cast<int>(n) % slots);
            ASSERT_TRUE(bench.device.expose(stamp_ns));
            const Grab grab = bench.grab();
            ASSERT_EQ(grab.status, GrabStatus::frame);
            EXPECT_EQ(bench.memory(grab.slot)[7], testing::fake_pixel(7, 0, n));
        }
        EXPECT_GT(bench.device.maps(), 0);
    }
}

TEST(V4l2Mapped, UserMemoryThatIsAskedForIsNotReplaced) {
    FakeV4l2Setup setup;
    setup.takes_user_memory = false;
    V4l2Spec spec = spec_of();
    spec.memory = V4l2Memory::userptr;
    EXPECT_TRUE(says(refusal(setup, spec), {"memory is userptr", "allowed here: auto, mmap"}));
    spec.memory = V4l2Memory::mmap;
    Bench bench({}, spec);
    EXPECT_FALSE(bench.camera->settings().user_memory);
}

TEST(V4l2Mapped, FramesWaitInTheDriverUntilASlotIsLent) {
    V4l2Spec spec = spec_of();
    spec.memory = V4l2Memory::mmap;
    spec.buffers = 4;
    Bench bench({}, spec);
    bench.camera->arm();
    for (int n = 0; n < 6; ++n) bench.device.expose(stamp_ns);
    EXPECT_EQ(bench.grab().status, GrabStatus::timeout);
    for (int n = 0; n < 4; ++n) {
        bench.lend(n);
        EXPECT_EQ(bench.grab().slot, n);
        EXPECT_EQ(bench.meta.camera_counter, n);
    }
}

struct FormatCase {
    PixelFormat format;
    std::uint32_t fourcc;
    std::int64_t row, bytes;
};

class V4l2Formats : public ::testing::TestWithParam<std::tuple<FormatCase, bool>> {};

TEST_P(V4l2Formats, RowsLieAsTheDriverPutsThem) {
    const auto& [format, mapped] = GetParam();
    constexpr std::uint32_t padding = 16;
    FakeV4l2Setup setup;
    setup.modes = {{format.fourcc, width, height, {}}};
    setup.padding_bytes = padding;
    V4l2Spec spec = spec_of(format.format);
    spec.memory = mapped ? V4l2Memory::mmap : V4l2Memory::userptr;
    Bench bench(setup, spec);
    const CameraInfo& info = bench.camera->info();
    EXPECT_EQ(info.stride_bytes, format.row + padding);
    EXPECT_EQ(info.buffer_bytes, mapped ? 0 : format.bytes + format.bytes / format.row * padding);
    bench.arm();
    bench.device.expose(stamp_ns);
    const Grab grab = bench.grab();
    ASSERT_EQ(grab.status, GrabStatus::frame);
    const auto pixels = bench.memory(grab.slot);
    EXPECT_EQ(pixels[static_cast<std::size_t>(9 * info.stride_bytes)], testing::fake_pixel(0, 9, 0));
    if (format.format == PixelFormat::nv12) {
        EXPECT_EQ(pixels[static_cast<std::size_t>(height * info.stride_bytes)], 128);
    }
}

constexpr std::int64_t plane = width * height;
INSTANTIATE_TEST_SUITE_P(
    All, V4l2Formats,
    ::testing::Combine(
        ::testing::Values(FormatCase{PixelFormat::mono8, V4L2_PIX_FMT_GREY, width, plane},
                          FormatCase{PixelFormat::yuyv, V4L2_PIX_FMT_YUYV, 2 * width, 2 * plane},
                          FormatCase{PixelFormat::nv12, V4L2_PIX_FMT_NV12, width, 3 * plane / 2},
                          FormatCase{PixelFormat::rgb8, V4L2_PIX_FMT_RGB24, 3 * width, 3 * plane},
                          FormatCase{PixelFormat::bgr8, V4L2_PIX_FMT_BGR24, 3 * width, 3 * plane},
                          FormatCase{PixelFormat::bayer_rg8, V4L2_PIX_FMT_SRGGB8, width, plane}),
        ::testing::Bool()));

class V4l2Faults : public ::testing::TestWithParam<bool> {
  protected:
    V4l2Faults() : bench_({}, spec()) { bench_.arm(); }
    static V4l2Spec spec() {
        V4l2Spec spec = spec_of();
        spec.memory = GetParam() ? V4l2Memory::mmap : V4l2Memory::userptr;
        return spec;
    }
    Grab next(FakeFault fault = FakeFault::none) {
        bench_.device.expose(stamp_ns, fault);
        const Grab grab = bench_.grab();
        if (grab.slot >= 0) bench_.lend(grab.slot);
        return grab;
    }
    Bench bench_;
};
INSTANTIATE_TEST_SUITE_P(Memory, V4l2Faults, ::testing::Bool());

TEST_P(V4l2Faults, BuffersMarkedAsBadOrCutShortAreFailedFramesAndGiveTheirSlotBack) {
    EXPECT_EQ(next().status, GrabStatus::frame);
    for (const FakeFault fault : {FakeFault::marked_bad, FakeFault::cut_short}) {
        const Grab failed = next(fault);
        EXPECT_EQ(failed.status, GrabStatus::failed);
        EXPECT_GE(failed.slot, 0);
    }
    EXPECT_EQ(bench_.meta.camera_counter, 2);
    EXPECT_EQ(next().status, GrabStatus::frame);
    EXPECT_EQ(bench_.meta.camera_counter, 3);
    EXPECT_TRUE(
        says(bench_.camera->statistics(), {"2 frames, 1 that the driver marked as bad", "1 cut short"}));
}

TEST_P(V4l2Faults, FramesThatTheDriverLostAreMissingInTheCounter) {
    next();
    bench_.device.lose(4);
    next();
    EXPECT_EQ(bench_.meta.camera_counter, 5);
}

TEST_P(V4l2Faults, TheCounterGoesOnAfter32Bits) {
    bench_.device.set_sequence(0xFFFFFFFE);
    for (const std::int64_t counter : {0xFFFFFFFELL, 0xFFFFFFFFLL, 0x100000000LL, 0x100000001LL}) {
        next();
        EXPECT_EQ(bench_.meta.camera_counter, counter);
    }
}

TEST_P(V4l2Faults, UnpluggedItIsDisconnectedAndComesBack) {
    next();
    bench_.device.unplug();
    EXPECT_EQ(bench_.grab().status, GrabStatus::disconnected);
    EXPECT_EQ(bench_.grab().status, GrabStatus::disconnected);
    bench_.camera->disarm();
    EXPECT_EQ(bench_.device.is_open(), 0) << "or the system gives its path to nobody";
    EXPECT_THROW(bench_.camera->arm(), CameraError);
    bench_.camera->disarm();
    bench_.device.plug_in();
    bench_.arm();
    EXPECT_EQ(next().status, GrabStatus::frame);
    EXPECT_EQ(bench_.meta.flags, frame_counter_reset);
}

TEST_P(V4l2Faults, AnotherCameraInItsPlaceIsRefused) {
    FakeV4l2Setup setup;
    setup.card = "Some Webcam";
    FakeV4l2 other(setup);
    bench_.device.unplug();
    EXPECT_EQ(bench_.grab().status, GrabStatus::disconnected);
    bench_.camera->disarm();
    bench_.calls.swap_for(other);
    try {
        bench_.camera->arm();
        FAIL();
    } catch (const CameraError& error) {
        EXPECT_TRUE(says(error.what(), {"'Some Webcam' is there now, not 'Fake Camera'"}));
    }
    EXPECT_EQ(other.is_open(), 0);
}

TEST_P(V4l2Faults, ItCanBeArmedAgain) {
    next();
    bench_.camera->disarm();
    EXPECT_FALSE(bench_.device.streaming());
    bench_.arm();
    EXPECT_EQ(next().status, GrabStatus::frame);
}

TEST_P(V4l2Faults, NothingIsAllocatedWhileItGrabs) {
    for (int n = 0; n < 10; ++n) next();
    std::int64_t allocated = 0;
    for (int n = 0; n < 1000; ++n) {
        bench_.device.expose(stamp_ns);
        start_counting_allocations();
        const Grab grab = bench_.grab();
        bench_.lend(grab.slot);
        allocated += stop_counting_allocations();
    }
    EXPECT_EQ(allocated, 0);
}

TEST(V4l2Start, NoBandwidthIsSaidInWords) {
    Bench bench;
    bench.device.refuse_start_with = ENOSPC;
    bench.lend(0);
    try {
        bench.camera->arm();
        FAIL();
    } catch (const CameraError& error) {
        EXPECT_TRUE(says(error.what(), {"the USB bus has no bandwidth left"}));
    }
    bench.camera->disarm();
    bench.device.refuse_start_with = 0;
    bench.arm();
    bench.device.expose(stamp_ns);
    EXPECT_EQ(bench.grab().status, GrabStatus::frame);
}

// Of the frame whose stamp is stamp_ns, with an exposure of 2 ms.
FrameMeta stamped(std::uint32_t stamps, bool& clock_known) {
    FakeV4l2Setup setup = with_exposure();
    setup.stamps = stamps;
    V4l2Spec spec = spec_of();
    spec.exposure_us = 2000;
    Bench bench(setup, spec);
    bench.arm();
    bench.device.expose(stamp_ns);
    EXPECT_EQ(bench.grab().status, GrabStatus::frame);
    ClockPair pair;
    clock_known = bench.camera->latch_clock(pair);
    return bench.meta;
}

TEST(V4l2Timestamps, TheStartOfTheExposureIsTakenFromTheDriver) {
    bool known = false;
    EXPECT_EQ(
        stamped(V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC | V4L2_BUF_FLAG_TSTAMP_SRC_SOE, known).camera_timestamp_ns,
        stamp_ns);
    EXPECT_TRUE(known);
}

TEST(V4l2Timestamps, TheEndOfAFrameIsAnExposureLater) {
    bool known = false;
    EXPECT_EQ(
        stamped(V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC | V4L2_BUF_FLAG_TSTAMP_SRC_EOF, known).camera_timestamp_ns,
        stamp_ns - 2000 * us);
    EXPECT_TRUE(known);
}

TEST(V4l2Timestamps, OfAnUnknownClockThereAreNone) {
    bool known = true;
    const FrameMeta meta = stamped(V4L2_BUF_FLAG_TIMESTAMP_UNKNOWN, known);
    EXPECT_EQ(meta.camera_timestamp_ns, 0);
    EXPECT_NEAR(static_cast<double>(meta.received_ns), static_cast<double>(now_ns()), 1e9);
    EXPECT_FALSE(known);
}

TEST(V4l2Counter, ADriverThatDoesNotCountHasNoCounter) {
    FakeV4l2Setup setup;
    setup.counts_frames = false;
    Bench bench(setup);
    bench.arm();
    for (int n = 0; n < 3; ++n) bench.device.expose(stamp_ns);
    for (int n = 0; n < 3; ++n) EXPECT_EQ(bench.grab().status, GrabStatus::frame);
    EXPECT_EQ(bench.meta.camera_counter, -1);
    EXPECT_TRUE(says(bench.camera->statistics(), {"2 without a number of their own"}));
}

TEST(V4l2ControlName, IsWhatTheToolsPrint) {
    EXPECT_EQ(control_name("Exposure Time, Absolute"), "exposure_time_absolute");
    EXPECT_EQ(control_name("White Balance Temperature, Auto"), "white_balance_temperature_auto");
    EXPECT_EQ(control_name(" Pan (Absolute) "), "pan_absolute");
}

}  // namespace
}  // namespace fastpose

// Motion-JPEG as webcams send it, whole and damaged, alone and out of a V4L2 device.
#include "camera/jpeg_decoder.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/error.h"
#include "camera/v4l2_camera.h"
#include "fake_v4l2.h"
#include "fake_v4l2_calls.h"
#include "says.h"
#include "small_jpeg.h"

namespace fastpose {
namespace {

using testing::says;

constexpr int width = 64, height = 48;
constexpr double tolerance = 8;  // grey levels, of quality 80

std::unique_ptr<JpegDecoder> decoder_or_null(PixelFormat format) {
    try {
        return make_jpeg_decoder(format);
    } catch (const CameraError&) {
        return nullptr;
    }
}

class Jpeg : public ::testing::Test {
  protected:
    void SetUp() override {
        if (!decoder_or_null(PixelFormat::mono8)) GTEST_SKIP() << "libturbojpeg.so.0 is not here";
    }
    JpegResult decode(std::span<const std::uint8_t> jpeg, PixelFormat format = PixelFormat::mono8) {
        pixels_.assign(3 * width * height, 0);
        return make_jpeg_decoder(format)->decode(jpeg, pixels_, width, height);
    }
    std::vector<std::uint8_t> pixels_;
};

double red(int x, int y) { return 2 * x + y; }
double luma(int x, int y) { return 0.299 * red(x, y) + 0.587 * 64 + 0.114 * (255 - red(x, y)); }

TEST_F(Jpeg, GreyIsItsLuma) {
    ASSERT_EQ(decode(testing::small_jpeg), JpegResult::whole);
    for (int y = 0; y < height; y += 5)
        for (int x = 0; x < width; x += 7)
            EXPECT_NEAR(pixels_[static_cast<std::size_t>(y * width + x)], luma(x, y), tolerance);
}

TEST_F(Jpeg, ColoursLieInTheOrderAskedFor) {
    for (const PixelFormat format : {PixelFormat::rgb8, PixelFormat::bgr8}) {
        ASSERT_EQ(decode(testing::small_jpeg, format), JpegResult::whole);
        const std::size_t at = 3 * (20 * width + 40);
        const std::size_t red_at = format == PixelFormat::rgb8 ? at : at + 2;
        EXPECT_NEAR(pixels_[red_at], red(40, 20), tolerance);
        EXPECT_NEAR(pixels_[at + 1], 64, tolerance);
    }
}

TEST_F(Jpeg, ACutFrameIsDamagedAndNoiseUnreadable) {
    const std::span<const std::uint8_t> whole(testing::small_jpeg);
    EXPECT_EQ(decode(whole.first(whole.size() * 3 / 4)), JpegResult::damaged);
    EXPECT_EQ(decode(whole.first(40)), JpegResult::unreadable);
    EXPECT_EQ(decode(std::vector<std::uint8_t>(500, 0x5A)), JpegResult::unreadable);
    EXPECT_EQ(decode({}), JpegResult::unreadable);
}

TEST_F(Jpeg, BytesTooManyBeforeTheEndAreNoDamage) {
    std::vector<std::uint8_t> padded(testing::small_jpeg.begin(), testing::small_jpeg.end() - 2);
    padded.insert(padded.end(), {0x00, 0x00, 0x00, 0xFF, 0xD9});
    EXPECT_EQ(decode(padded), JpegResult::whole);
}

TEST_F(Jpeg, AFrameOfAnotherSizeIsUnreadable) {
    std::vector<std::uint8_t> pixels(4 * width * height);
    const auto decoder = make_jpeg_decoder(PixelFormat::mono8);
    EXPECT_EQ(decoder->decode(testing::small_jpeg, pixels, 2 * width, height), JpegResult::unreadable);
}

TEST(JpegFormats, OthersAreRefused) {
    try {
        static_cast<void>(make_jpeg_decoder(PixelFormat::nv12));
        FAIL();
    } catch (const CameraError& error) {
        EXPECT_TRUE(says(error.what(), {"nv12 with compression: mjpg; allowed: mono8, rgb8, bgr8"}));
    }
}

TEST_F(Jpeg, AV4l2DeviceDeliversItDecodedIntoTheSlot) {
    testing::FakeV4l2Setup setup;
    setup.modes = {{V4L2_PIX_FMT_MJPEG, width, height, {}}};
    const std::vector<std::uint8_t> whole(testing::small_jpeg.begin(), testing::small_jpeg.end());
    setup.jpegs = {whole, {whole.begin(), whole.end() - 60}, std::vector<std::uint8_t>(64, 1)};
    testing::FakeV4l2 device(setup);
    testing::FakeV4l2Calls calls(device);
    V4l2Spec spec;
    spec.path = "/dev/video7";
    spec.pixel_format = PixelFormat::mono8;
    spec.mjpg = true;
    spec.width = width;
    spec.height = height;
    const auto camera = make_v4l2_camera(spec, calls);
    EXPECT_EQ(camera->settings().fourcc, "MJPG");
    EXPECT_EQ(camera->info().stride_bytes, width);
    camera->arm();
    std::vector<std::uint8_t> slot(width * height);
    FrameMeta meta;
    const auto next = [&] {
        device.expose(1);
        camera->lend(5, slot);
        meta = {};
        return camera->grab(meta, 1);
    };
    EXPECT_EQ(next().status, GrabStatus::frame);
    EXPECT_EQ(meta.flags, 0);
    EXPECT_NEAR(slot[10 * width + 30], luma(30, 10), tolerance);
    EXPECT_EQ(next().status, GrabStatus::frame);
    EXPECT_EQ(meta.flags, frame_torn);
    const Grab failed = next();
    EXPECT_EQ(failed.status, GrabStatus::failed);
    EXPECT_EQ(failed.slot, 5);
    EXPECT_EQ(meta.camera_counter, 2);
    EXPECT_TRUE(says(camera->statistics(), {"2 with damaged JPEG data"}));
}

}  // namespace
}  // namespace fastpose

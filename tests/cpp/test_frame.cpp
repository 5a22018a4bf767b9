// Names and sizes of the pixel formats.
#include "frame/frame.h"

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"

namespace fastpose {
namespace {

TEST(Frame, NamesGoBothWays) {
    for (int i = 0; i <= static_cast<int>(PixelFormat::mono12); ++i) {
        const auto format = static_cast<PixelFormat>(i);
        EXPECT_EQ(pixel_format_from(name_of(format)), format);
    }
    EXPECT_EQ(name_of(PixelFormat::bayer_gb8), "bayer_gb8");
}

TEST(Frame, UnknownNameListsTheAllowedOnes) {
    try {
        static_cast<void>(pixel_format_from("mono16"));
        FAIL() << "mono16 was accepted";
    } catch (const ConfigError& error) {
        const std::string text = error.what();
        EXPECT_NE(text.find("'mono16'"), std::string::npos);
        EXPECT_NE(text.find("mono8, rgb8, bgr8, bayer_rg8"), std::string::npos);
        EXPECT_NE(text.find("nv12, mono10, mono12"), std::string::npos);
    }
}

TEST(Frame, BytesOfADenseFrame) {
    EXPECT_EQ(frame_bytes(PixelFormat::mono8, 64, 48), 64U * 48U);
    EXPECT_EQ(frame_bytes(PixelFormat::bgr8, 64, 48), 3U * 64U * 48U);
    EXPECT_EQ(frame_bytes(PixelFormat::yuyv, 64, 48), 2U * 64U * 48U);
    EXPECT_EQ(frame_bytes(PixelFormat::nv12, 64, 48), 64U * 72U);
    EXPECT_EQ(row_bytes(PixelFormat::nv12, 64), 64U);
    EXPECT_EQ(row_bytes(PixelFormat::rgb8, 5), 15U);
    EXPECT_EQ(frame_bytes(PixelFormat::mono12, 63, 48), 2U * 63U * 48U);
}

TEST(Frame, WhiteOfAFormat) {
    EXPECT_EQ(white_of(PixelFormat::nv12), 255);
    EXPECT_EQ(white_of(PixelFormat::mono10), 1023);
    EXPECT_EQ(white_of(PixelFormat::mono12), 4095);
}

}  // namespace
}  // namespace fastpose

// Names and sizes of the pixel formats.
#include "frame/frame.h"

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"

namespace fastpose {
namespace {

TEST(Frame, NamesGoBothWays) {
    for (int i = 0; i <= static_cast<int>(PixelFormat::nv12); ++i) {
        const auto format = static_cast<PixelFormat>(i);
        EXPECT_EQ(pixel_format_from(name_of(format)), format);
    }
    EXPECT_EQ(name_of(PixelFormat::bayer_gb8), "bayer_gb8");
}

TEST(Frame, UnknownNameListsTheAllowedOnes) {
    try {
        static_cast<void>(pixel_format_from("mono10"));
        FAIL() << "mono10 was accepted";
    } catch (const ConfigError& error) {
        const std::string text = error.what();
        EXPECT_NE(text.find("'mono10'"), std::string::npos);
        EXPECT_NE(text.find("mono8, rgb8, bgr8, bayer_rg8"), std::string::npos);
        EXPECT_NE(text.find("nv12"), std::string::npos);
    }
}

TEST(Frame, BytesOfADenseFrame) {
    EXPECT_EQ(frame_bytes(PixelFormat::mono8, 64, 48), 64U * 48U);
    EXPECT_EQ(frame_bytes(PixelFormat::bgr8, 64, 48), 3U * 64U * 48U);
    EXPECT_EQ(frame_bytes(PixelFormat::yuyv, 64, 48), 2U * 64U * 48U);
    EXPECT_EQ(frame_bytes(PixelFormat::nv12, 64, 48), 64U * 72U);
    EXPECT_EQ(row_bytes(PixelFormat::nv12, 64), 64U);
    EXPECT_EQ(row_bytes(PixelFormat::rgb8, 5), 15U);
}

}  // namespace
}  // namespace fastpose

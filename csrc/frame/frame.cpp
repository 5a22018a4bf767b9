// Names and sizes of the pixel formats.
#include "frame/frame.h"

#include <array>
#include <string>

#include "base/error.h"

namespace fastpose {
namespace {

constexpr std::array<std::string_view, 11> kNames{"mono8",     "rgb8",      "bgr8",      "bayer_rg8",
                                                  "bayer_gr8", "bayer_gb8", "bayer_bg8", "yuyv",
                                                  "nv12",      "mono10",    "mono12"};

}  // namespace

std::string_view name_of(PixelFormat format) noexcept {
    const auto index = static_cast<std::size_t>(format);
    return index < kNames.size() ? kNames[index] : "unknown";
}

PixelFormat pixel_format_from(std::string_view name) {
    std::string allowed;
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (kNames[i] == name) return static_cast<PixelFormat>(i);
        allowed += (i == 0 ? "" : ", ") + std::string(kNames[i]);
    }
    throw ConfigError("pixel_format is '" + std::string(name) + "'; allowed: " + allowed);
}

std::size_t row_bytes(PixelFormat format, int width) noexcept {
    const auto pixels = static_cast<std::size_t>(width);
    switch (format) {
        case PixelFormat::rgb8:
        case PixelFormat::bgr8:
            return 3 * pixels;
        case PixelFormat::yuyv:
        case PixelFormat::mono10:
        case PixelFormat::mono12:
            return 2 * pixels;
        default:
            return pixels;
    }
}

int white_of(PixelFormat format) noexcept {
    switch (format) {
        case PixelFormat::mono10:
            return 1023;
        case PixelFormat::mono12:
            return 4095;
        default:
            return 255;
    }
}

std::size_t frame_bytes(PixelFormat format, int width, int height) noexcept {
    const std::size_t luma = row_bytes(format, width) * static_cast<std::size_t>(height);
    return format == PixelFormat::nv12 ? luma + luma / 2 : luma;
}

}  // namespace fastpose

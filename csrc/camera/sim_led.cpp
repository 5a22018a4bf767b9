// A disc with a soft edge, in every format of the simulated camera.
#include "camera/sim_led.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace fastpose::sim {
namespace {

// Of the luma of a pixel, or of all its channels.
struct Samples {
    std::size_t pixel_bytes, count;
    bool wide;  // 16 bits
};

Samples samples_of(PixelFormat format) noexcept {
    switch (format) {
        case PixelFormat::rgb8:
        case PixelFormat::bgr8:
            return {3, 3, false};
        case PixelFormat::yuyv:
            return {2, 1, false};
        case PixelFormat::mono10:
        case PixelFormat::mono12:
            return {2, 1, true};
        default:
            return {1, 1, false};
    }
}

void add_wide(std::uint8_t* sample, double value, int white) noexcept {
    std::uint16_t level = 0;
    std::memcpy(&level, sample, sizeof level);
    level = static_cast<std::uint16_t>(std::min(level + static_cast<int>(value), white));
    std::memcpy(sample, &level, sizeof level);
}

// Between 0 and 1 and spread evenly over any patch of pixels.
double threshold_at(int x, int y) noexcept {
    const double place = 0.7548776662 * x + 0.5698402910 * y;
    return place - std::floor(place);
}

double cover_at(const SimLed& led, int x, int y) noexcept {
    return std::clamp(led.radius_px + 0.5 - std::hypot(x - led.x, y - led.y), 0.0, 1.0);
}

}  // namespace

void paint_led(const SimLed& led, double fraction_on, const SimSpec& spec,
               std::span<std::uint8_t> pixels) noexcept {
    const Samples samples = samples_of(spec.pixel_format);
    const int white = white_of(spec.pixel_format);
    const std::size_t row = row_bytes(spec.pixel_format, spec.width());
    const double full = fraction_on * led.level * (white + 1) / 256;
    const double reach_px = led.radius_px + 1;
    const int left = std::max(0, static_cast<int>(led.x - reach_px));
    const int right = std::min(spec.width() - 1, static_cast<int>(led.x + reach_px) + 1);
    const int top = std::max(0, static_cast<int>(led.y - reach_px));
    const int bottom = std::min(spec.height() - 1, static_cast<int>(led.y + reach_px) + 1);
    for (int y = top; y <= bottom; ++y) {
        for (int x = left; x <= right; ++x) {
            const double value = std::floor(full * cover_at(led, x, y) + threshold_at(x, y));
            std::uint8_t* first = pixels.data() + static_cast<std::size_t>(y) * row +
                                  static_cast<std::size_t>(x) * samples.pixel_bytes;
            if (samples.wide) add_wide(first, value, white);
            for (std::size_t i = 0; i < samples.count && !samples.wide; ++i)
                first[i] = static_cast<std::uint8_t>(std::min(first[i] + static_cast<int>(value), 255));
        }
    }
}

}  // namespace fastpose::sim

// Both filters are separable; along columns whole rows are added up.
#include "decode/map_upsampling.h"

#include <algorithm>
#include <array>

namespace fastpose {
namespace {

// The cubic's weights of the cells at distances 1.75, 0.75, 0.25 and 1.25 from the new, even cell; the odd
// one's are these backwards.
constexpr std::array<float, 4> kCubic{-0.03515625F, 0.26171875F, 0.87890625F, -0.10546875F};
constexpr std::array<float, 5> kBinomial{1.0F / 16, 4.0F / 16, 6.0F / 16, 4.0F / 16, 1.0F / 16};

// out += weight * row
void add(float* out, const float* row, float weight, int count) noexcept {
    for (int i = 0; i < count; ++i) out[i] += weight * row[i];
}

void widen(const float* row, int count, float* out) noexcept {
    const auto at = [&](int i) { return row[std::clamp(i, 0, count - 1)]; };
    for (int i = 0; i < count; ++i) {
        float even = 0, odd = 0;
        for (int tap = 0; tap < 4; ++tap) {
            even += kCubic[static_cast<std::size_t>(tap)] * at(i - 2 + tap);
            odd += kCubic[static_cast<std::size_t>(3 - tap)] * at(i - 1 + tap);
        }
        out[2 * i] = even;
        out[2 * i + 1] = odd;
    }
}

void smooth_row(const float* row, int count, float* out) noexcept {
    std::fill_n(out, count, 0.0F);
    for (int tap = -2; tap <= 2; ++tap) {
        const int begin = std::max(0, -tap), end = count - std::max(0, tap);
        if (begin < end)
            add(out + begin, row + begin + tap, kBinomial[static_cast<std::size_t>(tap + 2)], end - begin);
    }
}

}  // namespace

MapUpsampling::MapUpsampling(int height, int width, int steps)
    : height_(height),
      width_(width),
      steps_(steps),
      map_(static_cast<std::size_t>(output_height()) * static_cast<std::size_t>(output_width())),
      scratch_(map_.size()) {}

const float* MapUpsampling::run(const float* map) noexcept {
    std::copy_n(map, static_cast<std::size_t>(height_) * static_cast<std::size_t>(width_), map_.data());
    for (int step = 0; step < steps_; ++step) {
        enlarge(height_ << step, width_ << step);
        smooth(height_ << (step + 1), width_ << (step + 1));
    }
    return map_.data();
}

// map_ (height, width) -> map_ (2 height, 2 width)
void MapUpsampling::enlarge(int height, int width) noexcept {
    const std::ptrdiff_t wide = 2 * static_cast<std::ptrdiff_t>(width);
    for (int y = 0; y < height; ++y) widen(map_.data() + y * wide / 2, width, scratch_.data() + y * wide);
    for (int y = 0; y < 2 * height; ++y) {
        float* out = map_.data() + y * wide;
        std::fill_n(out, wide, 0.0F);
        for (int tap = 0; tap < 4; ++tap) {
            const int row = std::clamp(y / 2 - 2 + y % 2 + tap, 0, height - 1);
            add(out, scratch_.data() + row * wide,
                kCubic[static_cast<std::size_t>(y % 2 == 0 ? tap : 3 - tap)], 2 * width);
        }
    }
}

void MapUpsampling::smooth(int height, int width) noexcept {
    const std::ptrdiff_t pitch = width;
    for (int y = 0; y < height; ++y) smooth_row(map_.data() + y * pitch, width, scratch_.data() + y * pitch);
    for (int y = 0; y < height; ++y) {
        float* out = map_.data() + y * pitch;
        std::fill_n(out, width, 0.0F);
        for (int tap = -2; tap <= 2; ++tap)
            if (y + tap >= 0 && y + tap < height)
                add(out, scratch_.data() + (y + tap) * pitch, kBinomial[static_cast<std::size_t>(tap + 2)],
                    width);
    }
}

}  // namespace fastpose

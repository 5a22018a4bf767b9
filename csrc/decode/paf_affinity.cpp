// The line integral of a part affinity field between two peaks.
#include "decode/paf_affinity.h"

#include <cmath>
#include <cstddef>
#include <limits>

namespace fastpose {

PafAffinity::PafAffinity(int width, int height, int points)
    : width_(width), cells_(static_cast<std::size_t>(width) * height), fractions_(points) {
    const float step = 1.0F / static_cast<float>(points - 1);
    for (int i = 0; i < points; ++i) {  // from both ends, so that the last is 1
        const auto before = static_cast<float>(i), behind = static_cast<float>(points - 1 - i);
        fractions_[i] = i < points / 2 ? step * before : std::fma(-step, behind, 1.0F);
    }
}

float PafAffinity::operator()(const float* field, const PafPeak& from, const PafPeak& to) const noexcept {
    const auto x0 = static_cast<float>(from.column), y0 = static_cast<float>(from.row);
    const float dx = static_cast<float>(to.column) - x0, dy = static_cast<float>(to.row) - y0;
    float sum_x = 0, sum_y = 0, last_u = 0, last_v = 0;
    int last_x = 0, last_y = 0;
    for (std::size_t i = 0; i < fractions_.size(); ++i) {
        const float way_x = fractions_[i] * dx, way_y = fractions_[i] * dy;
        const int x = static_cast<int>(x0 + way_x), y = static_cast<int>(y0 + way_y);
        const std::size_t cell = static_cast<std::size_t>(y) * width_ + x;
        const float u = field[cell], v = field[cells_ + cell];
        if (i > 0) {
            sum_x += static_cast<float>(x - last_x) * (u + last_u);
            sum_y += static_cast<float>(y - last_y) * (v + last_v);
        }
        last_u = u, last_v = v, last_x = x, last_y = y;
    }
    sum_x /= 2, sum_y /= 2;
    const float length = std::sqrt(dx * dx + dy * dy) + std::numeric_limits<float>::epsilon();
    const float affinity = std::nearbyint(std::sqrt(sum_x * sum_x + sum_y * sum_y) / length * 1000) / 1000;
    return std::isnan(affinity) ? 0 : affinity;
}

}  // namespace fastpose

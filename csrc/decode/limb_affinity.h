// How well a field supports that two peaks belong to one animal: the arithmetic that host and kernels share.
#pragma once
#include <cmath>
#include <cstdint>
#include <limits>

#include "cuda/host_device.h"

namespace fastpose {

inline constexpr int most_points_per_limb = 64;

struct MapCell {
    int row = 0, column = 0;
};

// See PafAffinity. field: of x, behind it of y; fractions: of the way, 0 to 1, `points` of them.
template <class Field>
FASTPOSE_HD float limb_affinity(const Field& field, int width, std::int64_t cells, const float* fractions,
                                int points, MapCell from, MapCell to) noexcept {
    const auto x0 = static_cast<float>(from.column), y0 = static_cast<float>(from.row);
    const float dx = static_cast<float>(to.column) - x0, dy = static_cast<float>(to.row) - y0;
    float sum_x = 0, sum_y = 0, last_u = 0, last_v = 0;
    int last_x = 0, last_y = 0;
    for (int i = 0; i < points; ++i) {
        const float way_x = fractions[i] * dx, way_y = fractions[i] * dy;
        const int x = static_cast<int>(x0 + way_x), y = static_cast<int>(y0 + way_y);
        const std::int64_t cell = static_cast<std::int64_t>(y) * width + x;
        const float u = field[cell], v = field[cells + cell];
        if (i > 0) {
            sum_x += static_cast<float>(x - last_x) * (u + last_u);
            sum_y += static_cast<float>(y - last_y) * (v + last_v);
        }
        last_u = u, last_v = v, last_x = x, last_y = y;
    }
    sum_x /= 2, sum_y /= 2;
    const float length = std::sqrt(dx * dx + dy * dy) + std::numeric_limits<float>::epsilon();
    const float affinity = std::rint(std::sqrt(sum_x * sum_x + sum_y * sum_y) / length * 1000) / 1000;
    return std::isnan(affinity) ? 0 : affinity;
}

// The field of a tree's limb: its cells, and what a line costs that is longer than `longest_px`.
struct TreeField {
    int height = 0, width = 0;  // cells
    float stride = 4;           // tensor px per cell
    int points = 10;            // samples along the line
    float longest_px = 0, length_penalty = 1;

    FASTPOSE_HD int cell(float place, int size) const noexcept {
        const float nearest = std::rint(place / stride), last = static_cast<float>(size - 1);
        return static_cast<int>(std::fmin(std::fmax(nearest, 0.0F), last));
    }
};

// See make_paf_tree_decoder; places in tensor px.
template <class Field>
FASTPOSE_HD float tree_affinity(const Field& field, const TreeField& spec, float from_x, float from_y,
                                float to_x, float to_y) noexcept {
    const std::int64_t cells = static_cast<std::int64_t>(spec.height) * spec.width;
    const float dx = to_x - from_x, dy = to_y - from_y, length = std::sqrt(dx * dx + dy * dy);
    const auto last = static_cast<float>(spec.points - 1);
    float sum = 0;
    for (int i = 0; i < spec.points; ++i) {
        const float way = static_cast<float>(i) / last;
        const int column = spec.cell(from_x + way * dx, spec.width);
        const int row = spec.cell(from_y + way * dy, spec.height);
        const std::int64_t at = static_cast<std::int64_t>(row) * spec.width + column;
        sum += (field[at] * dx + field[cells + at] * dy) / length;
    }
    return sum / static_cast<float>(spec.points) +
           spec.length_penalty * std::fmin(spec.longest_px / length - 1, 0.0F);
}

}  // namespace fastpose

// What the decoders share: a missing keypoint, the activation of a score, the way back to the sensor.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>

#include "decode/decoder.h"

namespace fastpose {

inline constexpr Keypoint kMissing{std::numeric_limits<float>::quiet_NaN(),
                                   std::numeric_limits<float>::quiet_NaN(), 0};

[[nodiscard]] inline float activated(ScoreActivation activation, float value) noexcept {
    switch (activation) {
        case ScoreActivation::sigmoid:
            return 1.0F / (1.0F + std::exp(-value));
        case ScoreActivation::clip:
            return std::clamp(value, 0.0F, 1.0F);
        default:
            return value;
    }
}

[[nodiscard]] inline Keypoint on_sensor(const Keypoint& tensor, const DecodeAffine& affine) noexcept {
    return {tensor.x * affine.scale_x + affine.offset_x, tensor.y * affine.scale_y + affine.offset_y,
            tensor.likelihood};
}

struct MapSize {
    int height = 0, width = 0;  // cells
};

// Whether a cell is higher than its eight neighbours; of equal ones the first in row-major order is.
[[nodiscard]] bool is_local_peak(const float* map, MapSize map_size, int row, int column) noexcept;

// x, y in cells: the mean of the window's cells weighted by their values; not finite where these sum to 0.
[[nodiscard]] Keypoint refined_peak(const float* map, MapSize map_size, int row, int column,
                                    int window) noexcept;

}  // namespace fastpose

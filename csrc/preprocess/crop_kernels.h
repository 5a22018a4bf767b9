// The sums of a crop's resize. Every product is fused into its sum (FMA) and sums are in the order of the
// taps, horizontal first: bit for bit what torch computes, so that a value half way between two grey levels
// rounds the same way.
#pragma once
#include <cstddef>

#include "base/cpu_features.h"
#include "preprocess/axis_taps.h"

namespace fastpose {

struct CropKernels {
    // out[i] = sum over the taps of sample i of weight * line, for all samples of `taps`.
    void (*resample)(const float* line, const AxisTaps& taps, float* out) noexcept;
    // sum[i] += weight * row[i].
    void (*add_row)(const float* row, float weight, float* sum, std::size_t count) noexcept;
};

void crop_resample_scalar(const float* line, const AxisTaps& taps, float* out) noexcept;
void crop_add_row_scalar(const float* row, float weight, float* sum, std::size_t count) noexcept;
void crop_resample_avx2(const float* line, const AxisTaps& taps, float* out) noexcept;
void crop_add_row_avx2(const float* row, float weight, float* sum, std::size_t count) noexcept;

[[nodiscard]] CropKernels crop_kernels_for(Isa isa) noexcept;

}  // namespace fastpose

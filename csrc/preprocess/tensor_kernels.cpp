// The portable kernels, and the choice of kernels.
#include "preprocess/tensor_kernels.h"

#include <algorithm>
#include <cmath>

namespace fastpose {
namespace {

std::uint8_t rounded(float value) noexcept {
    return static_cast<std::uint8_t>(std::nearbyint(std::clamp(value, 0.0F, 255.0F)));
}

}  // namespace

void quantise_scalar(const float* row, std::size_t count, std::uint8_t* out) noexcept {
    for (std::size_t i = 0; i < count; ++i) out[i] = rounded(row[i]);
}

void quantise_pixels_scalar(const ChannelRows& rows, std::size_t count, std::uint8_t* out) noexcept {
    for (std::size_t i = 0; i < count; ++i)
        for (std::size_t c = 0; c < 3; ++c) out[3 * i + c] = rounded(rows[c][i]);
}

void interleave_scalar(const ChannelRows& rows, std::size_t count, float* out) noexcept {
    for (std::size_t i = 0; i < count; ++i)
        for (std::size_t c = 0; c < 3; ++c) out[3 * i + c] = rows[c][i];
}

TensorKernels tensor_kernels_for(Isa isa) noexcept {
#if FASTPOSE_X86
    if (isa == Isa::avx512) return {quantise_avx512, quantise_pixels_avx512, interleave_avx2};
    if (isa == Isa::avx2) return {quantise_avx2, quantise_pixels_avx2, interleave_avx2};
#endif
    static_cast<void>(isa);
    return {quantise_scalar, quantise_pixels_scalar, interleave_scalar};
}

}  // namespace fastpose

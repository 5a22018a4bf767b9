// The portable kernels, and the choice between both.
#include "preprocess/crop_kernels.h"

#include <cmath>

namespace fastpose {

void crop_resample_scalar(const float* line, const AxisTaps& taps, float* out) noexcept {
    for (int x = 0; x < taps.output(); ++x) {
        const float* source = line + taps.first(x);
        const float* weights = taps.weights(x);
        float sum = 0;
        for (int j = 0; j < taps.count(x); ++j) sum = std::fma(weights[j], source[j], sum);
        out[x] = sum;
    }
}

void crop_add_row_scalar(const float* row, float weight, float* sum, std::size_t count) noexcept {
    for (std::size_t i = 0; i < count; ++i) sum[i] = std::fma(weight, row[i], sum[i]);
}

CropKernels crop_kernels_for(Isa isa) noexcept {
#if FASTPOSE_X86
    if (isa >= Isa::avx2) return {crop_resample_avx2, crop_add_row_avx2};
#endif
    static_cast<void>(isa);
    return {crop_resample_scalar, crop_add_row_scalar};
}

}  // namespace fastpose

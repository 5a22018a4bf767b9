// As the portable kernels; here an FMA is one instruction.
#include "preprocess/crop_kernels.h"

#if FASTPOSE_X86
#include <immintrin.h>

#include <cmath>

namespace fastpose {

FASTPOSE_AVX2 void crop_resample_avx2(const float* line, const AxisTaps& taps, float* out) noexcept {
    for (int x = 0; x < taps.output(); ++x) {
        const float* source = line + taps.first(x);
        const float* weights = taps.weights(x);
        float sum = 0;
        for (int j = 0; j < taps.count(x); ++j) sum = std::fma(weights[j], source[j], sum);
        out[x] = sum;
    }
}

FASTPOSE_AVX2 void crop_add_row_avx2(const float* row, float weight, float* sum, std::size_t count) noexcept {
    const __m256 factor = _mm256_set1_ps(weight);
    std::size_t i = 0;
    for (; i + 8 <= count; i += 8)
        _mm256_storeu_ps(sum + i,
                         _mm256_fmadd_ps(factor, _mm256_loadu_ps(row + i), _mm256_loadu_ps(sum + i)));
    for (; i < count; ++i) sum[i] = std::fma(weight, row[i], sum[i]);
}

}  // namespace fastpose
#endif

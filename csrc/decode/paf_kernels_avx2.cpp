// Eight cells at once. exp is Cephes' expf: 2^n * exp(r), |r| <= ln 2 / 2, a polynomial for exp(r).
#include "decode/paf_kernels.h"

#if FASTPOSE_X86
#include <immintrin.h>

#include <bit>

namespace fastpose {
namespace {

FASTPOSE_AVX2 inline __m256 horner(__m256 sum, __m256 r, float coefficient) noexcept {
    return _mm256_fmadd_ps(sum, r, _mm256_set1_ps(coefficient));
}

// NaN stays NaN: min and max give back their second operand then.
FASTPOSE_AVX2 inline __m256 exponential(__m256 value) noexcept {
    value = _mm256_min_ps(_mm256_set1_ps(87), _mm256_max_ps(_mm256_set1_ps(-87), value));
    const __m256 n = _mm256_round_ps(_mm256_mul_ps(value, _mm256_set1_ps(1.44269504F)),
                                     _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(0.693359375F), value);
    r = _mm256_fnmadd_ps(n, _mm256_set1_ps(-2.12194440e-4F), r);
    __m256 sum = _mm256_set1_ps(1.9875691500e-4F);
    sum = horner(sum, r, 1.3981999507e-3F);
    sum = horner(sum, r, 8.3334519073e-3F);
    sum = horner(sum, r, 4.1665795894e-2F);
    sum = horner(sum, r, 1.6666665459e-1F);
    sum = horner(sum, r, 5.0000001201e-1F);
    sum = _mm256_add_ps(_mm256_fmadd_ps(sum, _mm256_mul_ps(r, r), r), _mm256_set1_ps(1));
    const __m256i bits =
        _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
    return _mm256_mul_ps(sum, _mm256_castsi256_ps(bits));
}

}  // namespace

FASTPOSE_AVX2 void paf_sigmoid_avx2(const float* cells, float* scores, std::size_t count) noexcept {
    const __m256 one = _mm256_set1_ps(1);
    std::size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        const __m256 negative = _mm256_xor_ps(_mm256_loadu_ps(cells + i), _mm256_set1_ps(-0.0F));
        _mm256_storeu_ps(scores + i, _mm256_div_ps(one, _mm256_add_ps(one, exponential(negative))));
    }
    paf_sigmoid_scalar(cells + i, scores + i, count - i);
}

// Four vectors side by side: their sums do not wait for each other, and a weight is spread once for all.
FASTPOSE_AVX2 void paf_weigh_avx2(const float* first, std::size_t step, const float* weights, float* out,
                                  std::size_t count) noexcept {
    std::size_t i = 0;
    for (; i + 32 <= count; i += 32) {
        __m256 a = _mm256_setzero_ps(), b = a, c = a, d = a;
        for (std::size_t tap = 0; tap < paf_taps; ++tap) {
            const float* cells = first + i + tap * step;
            const __m256 weight = _mm256_set1_ps(weights[tap]);
            a = _mm256_fmadd_ps(weight, _mm256_loadu_ps(cells), a);
            b = _mm256_fmadd_ps(weight, _mm256_loadu_ps(cells + 8), b);
            c = _mm256_fmadd_ps(weight, _mm256_loadu_ps(cells + 16), c);
            d = _mm256_fmadd_ps(weight, _mm256_loadu_ps(cells + 24), d);
        }
        _mm256_storeu_ps(out + i, a), _mm256_storeu_ps(out + i + 8, b);
        _mm256_storeu_ps(out + i + 16, c), _mm256_storeu_ps(out + i + 24, d);
    }
    for (; i + 8 <= count; i += 8) {
        __m256 sum = _mm256_setzero_ps();
        for (std::size_t tap = 0; tap < paf_taps; ++tap)
            sum = _mm256_fmadd_ps(_mm256_set1_ps(weights[tap]), _mm256_loadu_ps(first + i + tap * step), sum);
        _mm256_storeu_ps(out + i, sum);
    }
    paf_weigh_scalar(first + i, step, weights, out + i, count - i);
}

FASTPOSE_AVX2 std::size_t paf_next_at_least_avx2(const float* scores, std::size_t begin, std::size_t count,
                                                 float least) noexcept {
    const __m256 limit = _mm256_set1_ps(least);
    for (; begin + 8 <= count; begin += 8) {
        const __m256 high = _mm256_cmp_ps(_mm256_loadu_ps(scores + begin), limit, _CMP_GE_OQ);
        if (const int found = _mm256_movemask_ps(high); found != 0)
            return begin + static_cast<std::size_t>(std::countr_zero(static_cast<unsigned>(found)));
    }
    return paf_next_at_least_scalar(scores, begin, count, least);
}

}  // namespace fastpose

#endif

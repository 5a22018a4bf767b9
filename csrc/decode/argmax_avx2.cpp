// AVX2 argmax: block by block, the first block that holds the maximum; then the cell in it.
#include "decode/argmax.h"

#if FASTPOSE_X86
#include <immintrin.h>

#include <algorithm>
#include <bit>
#include <limits>

namespace fastpose {
namespace {

constexpr std::size_t kWidth = 8;
constexpr std::size_t kBlock = 16 * kWidth;
constexpr float kLowest = -std::numeric_limits<float>::infinity();

// max_ps gives its second operand where either is NaN, so a NaN cell never enters.
FASTPOSE_AVX2 inline __m256 maximum_of_block(const float* cells) noexcept {
    const __m256 lowest = _mm256_set1_ps(kLowest);
    __m256 held[2] = {lowest, lowest};
    for (std::size_t k = 0; k < kBlock; k += 2 * kWidth) {
        held[0] = _mm256_max_ps(_mm256_loadu_ps(cells + k), held[0]);
        held[1] = _mm256_max_ps(_mm256_loadu_ps(cells + k + kWidth), held[1]);
    }
    return _mm256_max_ps(held[0], held[1]);
}

FASTPOSE_AVX2 inline float largest(__m256 value) noexcept {
    alignas(32) float lane[kWidth];
    _mm256_store_ps(lane, value);
    return *std::max_element(lane, lane + kWidth);
}

// The first cell of a block equal to value, which is in it.
FASTPOSE_AVX2 inline std::size_t find_in_block(const float* cells, float value) noexcept {
    const __m256 wanted = _mm256_set1_ps(value);
    for (std::size_t k = 0; k < kBlock; k += kWidth) {
        const __m256 hits = _mm256_cmp_ps(_mm256_loadu_ps(cells + k), wanted, _CMP_EQ_OQ);
        const auto equal = static_cast<unsigned>(_mm256_movemask_ps(hits));
        if (equal != 0) return k + static_cast<std::size_t>(std::countr_zero(equal));
    }
    return 0;
}

}  // namespace

FASTPOSE_AVX2 Peak argmax_avx2(const float* cells, std::size_t count) noexcept {
    const std::size_t blocks = count - count % kBlock;
    Peak peak{0, kLowest};
    for (std::size_t i = 0; i < blocks; i += kBlock) {
        const __m256 held = maximum_of_block(cells + i);
        // A later block has to be above what is held, so that the first of equal ones stays.
        const __m256 above = _mm256_cmp_ps(held, _mm256_set1_ps(peak.value), _CMP_GT_OQ);
        if (_mm256_movemask_ps(above) != 0) peak = {i, largest(held)};
    }
    const Peak rest = argmax_scalar(cells + blocks, count - blocks);
    if (rest.value > peak.value) return {blocks + rest.index, rest.value};
    if (peak.value > kLowest) peak.index += find_in_block(cells + peak.index, peak.value);
    return peak;
}

}  // namespace fastpose
#endif

// AVX-512 argmax: block by block, the first block that holds the maximum; then the cell in it.
#include "decode/argmax.h"

#if FASTPOSE_X86
#include <immintrin.h>

#include <algorithm>
#include <bit>
#include <limits>

namespace fastpose {
namespace {

constexpr std::size_t kWidth = 16;
constexpr std::size_t kBlock = 8 * kWidth;
constexpr float kLowest = -std::numeric_limits<float>::infinity();

FASTPOSE_AVX512 inline __mmask16 lanes(std::size_t remaining) noexcept {
    return remaining >= kWidth ? __mmask16{0xFFFF} : static_cast<__mmask16>((1U << remaining) - 1U);
}

// max_ps gives its second operand where either is NaN, so a NaN cell never enters. Masked: the plain form
// makes GCC 12 warn of an uninitialised value inside its own header.
FASTPOSE_AVX512 inline __m512 larger(__m512 cell, __m512 held) noexcept {
    return _mm512_mask_max_ps(held, __mmask16{0xFFFF}, cell, held);
}

FASTPOSE_AVX512 inline __m512 maximum_of_block(const float* cells) noexcept {
    const __m512 lowest = _mm512_set1_ps(kLowest);
    __m512 held[2] = {lowest, lowest};
    for (std::size_t k = 0; k < kBlock; k += 2 * kWidth) {
        held[0] = larger(_mm512_loadu_ps(cells + k), held[0]);
        held[1] = larger(_mm512_loadu_ps(cells + k + kWidth), held[1]);
    }
    return larger(held[0], held[1]);
}

FASTPOSE_AVX512 inline __m512 maximum_of_rest(const float* cells, std::size_t count) noexcept {
    const __m512 lowest = _mm512_set1_ps(kLowest);
    __m512 held = lowest;
    for (std::size_t k = 0; k < count; k += kWidth) {
        held = larger(_mm512_mask_loadu_ps(lowest, lanes(count - k), cells + k), held);
    }
    return held;
}

FASTPOSE_AVX512 inline float largest(__m512 value) noexcept {
    alignas(64) float lane[kWidth];
    _mm512_store_ps(lane, value);
    return *std::max_element(lane, lane + kWidth);
}

// The first cell equal to value, which is among them.
FASTPOSE_AVX512 inline std::size_t find(const float* cells, std::size_t count, float value) noexcept {
    const __m512 wanted = _mm512_set1_ps(value);
    for (std::size_t k = 0; k < count; k += kWidth) {
        const __mmask16 valid = lanes(count - k);
        const unsigned equal =
            _mm512_mask_cmp_ps_mask(valid, _mm512_maskz_loadu_ps(valid, cells + k), wanted, _CMP_EQ_OQ);
        if (equal != 0) return k + static_cast<std::size_t>(std::countr_zero(equal));
    }
    return 0;
}

}  // namespace

FASTPOSE_AVX512 Peak argmax_avx512(const float* cells, std::size_t count) noexcept {
    Peak peak{0, kLowest};
    for (std::size_t i = 0; i < count; i += kBlock) {
        const bool whole = count - i >= kBlock;
        const __m512 held = whole ? maximum_of_block(cells + i) : maximum_of_rest(cells + i, count - i);
        // A later block has to be above what is held, so that the first of equal ones stays.
        if (_mm512_cmp_ps_mask(held, _mm512_set1_ps(peak.value), _CMP_GT_OQ) != 0) peak = {i, largest(held)};
    }
    if (peak.value == kLowest) return peak;
    peak.index += find(cells + peak.index, std::min(kBlock, count - peak.index), peak.value);
    return peak;
}

}  // namespace fastpose
#endif

// AVX-512 twins: 16 numbers or pixels at a time.
#include "preprocess/tensor_kernels.h"

#if FASTPOSE_X86
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC 12: false, inside the intrinsics' own header
#endif
#include <immintrin.h>

#include <algorithm>

namespace fastpose {
namespace {

constexpr std::size_t kGroup = 16;

std::uint64_t first_bits(std::size_t count) noexcept { return (std::uint64_t{1} << count) - 1; }

FASTPOSE_AVX512 inline __m512i rounded(const float* row, __mmask16 mask) noexcept {
    const __m512 positive = _mm512_max_ps(_mm512_maskz_loadu_ps(mask, row), _mm512_setzero_ps());
    return _mm512_cvtps_epi32(_mm512_min_ps(positive, _mm512_set1_ps(255)));
}

// The lower three bytes of each 32-bit number, side by side.
FASTPOSE_AVX512 inline __m512i three_of_four() noexcept {
    alignas(64) std::array<std::uint8_t, 64> bytes{};
    for (int i = 0; i < 48; ++i) bytes[i] = static_cast<std::uint8_t>(i / 3 * 4 + i % 3);
    return _mm512_load_si512(bytes.data());
}

}  // namespace

FASTPOSE_AVX512 void quantise_avx512(const float* row, std::size_t count, std::uint8_t* out) noexcept {
    for (std::size_t i = 0; i < count; i += kGroup) {
        const auto mask = static_cast<__mmask16>(first_bits(std::min(count - i, kGroup)));
        _mm_mask_storeu_epi8(out + i, mask, _mm512_cvtepi32_epi8(rounded(row + i, mask)));
    }
}

FASTPOSE_AVX512 void quantise_pixels_avx512(const ChannelRows& rows, std::size_t count,
                                            std::uint8_t* out) noexcept {
    const __m512i order = three_of_four();
    for (std::size_t i = 0; i < count; i += kGroup) {
        const std::size_t pixels = std::min(count - i, kGroup);
        const auto mask = static_cast<__mmask16>(first_bits(pixels));
        const __m512i first = rounded(rows[0] + i, mask);
        const __m512i second = _mm512_slli_epi32(rounded(rows[1] + i, mask), 8);
        const __m512i third = _mm512_slli_epi32(rounded(rows[2] + i, mask), 16);
        const __m512i all = _mm512_or_si512(_mm512_or_si512(first, second), third);
        _mm512_mask_storeu_epi8(out + 3 * i, first_bits(3 * pixels), _mm512_permutexvar_epi8(order, all));
    }
}

}  // namespace fastpose
#endif

// AVX2 twins: 32 numbers or 8 pixels at a time.
#include "preprocess/tensor_kernels.h"

#if FASTPOSE_X86
#include <immintrin.h>

namespace fastpose {
namespace {

constexpr std::size_t kNumbers = 32;
constexpr std::size_t kPixels = 8;
constexpr std::size_t kWrittenPixels = 10;  // the second of two stores of 16 bytes ends in the tenth pixel

FASTPOSE_AVX2 inline __m256i rounded(const float* row) noexcept {
    const __m256 positive = _mm256_max_ps(_mm256_loadu_ps(row), _mm256_setzero_ps());
    return _mm256_cvtps_epi32(_mm256_min_ps(positive, _mm256_set1_ps(255)));
}

FASTPOSE_AVX2 inline __m256i quantise_32(const float* row) noexcept {
    const __m256i low = _mm256_packs_epi32(rounded(row), rounded(row + 8));
    const __m256i high = _mm256_packs_epi32(rounded(row + 16), rounded(row + 24));
    // Packing works within halves of the register: its 32-bit parts are then 0 8 16 24 4 12 20 28.
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    return _mm256_permutevar8x32_epi32(_mm256_packus_epi16(low, high), order);
}

// Four pixels in the first 12 bytes of each half.
FASTPOSE_AVX2 inline __m256i quantise_8_pixels(const ChannelRows& rows, std::size_t i) noexcept {
    const __m256i first = rounded(rows[0] + i), second = _mm256_slli_epi32(rounded(rows[1] + i), 8);
    const __m256i third = _mm256_slli_epi32(rounded(rows[2] + i), 16);
    const __m128i three_of_four = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
    return _mm256_shuffle_epi8(_mm256_or_si256(_mm256_or_si256(first, second), third),
                               _mm256_broadcastsi128_si256(three_of_four));
}

FASTPOSE_AVX2 inline void store_halves(float* low, float* high, __m256 value) noexcept {
    _mm_storeu_ps(low, _mm256_castps256_ps128(value));
    _mm_storeu_ps(high, _mm256_extractf128_ps(value, 1));
}

}  // namespace

FASTPOSE_AVX2 void quantise_avx2(const float* row, std::size_t count, std::uint8_t* out) noexcept {
    std::size_t i = 0;
    for (; i + kNumbers <= count; i += kNumbers)
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), quantise_32(row + i));
    quantise_scalar(row + i, count - i, out + i);
}

FASTPOSE_AVX2 void quantise_pixels_avx2(const ChannelRows& rows, std::size_t count,
                                        std::uint8_t* out) noexcept {
    std::size_t i = 0;
    for (; i + kWrittenPixels <= count; i += kPixels) {
        const __m256i pixels = quantise_8_pixels(rows, i);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 3 * i), _mm256_castsi256_si128(pixels));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 3 * i + 12), _mm256_extracti128_si256(pixels, 1));
    }
    quantise_pixels_scalar({rows[0] + i, rows[1] + i, rows[2] + i}, count - i, out + 3 * i);
}

// Either half of a register holds four pixels: a0 b0 c0 a1, b1 c1 a2 b2, c2 a3 b3 c3.
FASTPOSE_AVX2 void interleave_avx2(const ChannelRows& rows, std::size_t count, float* out) noexcept {
    std::size_t i = 0;
    for (; i + kPixels <= count; i += kPixels) {
        const __m256 a = _mm256_loadu_ps(rows[0] + i), b = _mm256_loadu_ps(rows[1] + i),
                     c = _mm256_loadu_ps(rows[2] + i);
        float *low = out + 3 * i, *high = low + 12;
        store_halves(low, high, _mm256_shuffle_ps(_mm256_unpacklo_ps(a, b), _mm256_unpacklo_ps(c, a), 0xC4));
        store_halves(low + 4, high + 4,
                     _mm256_shuffle_ps(_mm256_unpacklo_ps(b, c), _mm256_unpackhi_ps(a, b), 0x4E));
        store_halves(low + 8, high + 8,
                     _mm256_shuffle_ps(_mm256_unpackhi_ps(c, a), _mm256_unpackhi_ps(b, c), 0xEC));
    }
    interleave_scalar({rows[0] + i, rows[1] + i, rows[2] + i}, count - i, out + 3 * i);
}

}  // namespace fastpose
#endif

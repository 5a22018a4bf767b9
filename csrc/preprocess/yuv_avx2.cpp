// AVX2 YUV conversion of a row, 16 pixels at a time; equal to the portable twin bit by bit.
#include "preprocess/yuv.h"

#if FASTPOSE_X86
#include <immintrin.h>

namespace fastpose {
namespace {

constexpr int kPixels = 16;

struct Words {
    __m256i luma;    // Y of 16 columns
    __m256i chroma;  // U V of 8 pairs of columns, 256 * (value - 128)
};

// High bytes, moved about 0.
FASTPOSE_AVX2 inline __m256i about_zero(__m256i chroma) noexcept {
    return _mm256_xor_si256(chroma, _mm256_set1_epi16(static_cast<std::int16_t>(0x8000)));
}

FASTPOSE_AVX2 inline Words load_packed(const std::uint8_t* pixels) noexcept {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(pixels));
    const __m256i high = _mm256_and_si256(bytes, _mm256_set1_epi16(static_cast<std::int16_t>(0xFF00)));
    return {_mm256_and_si256(bytes, _mm256_set1_epi16(0xFF)), about_zero(high)};
}

FASTPOSE_AVX2 inline __m256i widen(const std::uint8_t* bytes) noexcept {
    return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
}

FASTPOSE_AVX2 inline Words load(const YuvRow& row, int i) noexcept {
    if (row.packed) return load_packed(row.luma + 2 * i);
    return {widen(row.luma + i), about_zero(_mm256_slli_epi16(widen(row.chroma + i), 8))};
}

FASTPOSE_AVX2 inline __m256i scaled_luma(__m256i luma) noexcept {
    return _mm256_mullo_epi16(_mm256_sub_epi16(luma, _mm256_set1_epi16(16)), _mm256_set1_epi16(yuv::luma));
}

// Each U times the first factor, each V times the second.
FASTPOSE_AVX2 inline __m256i scaled_chroma(__m256i chroma, int u, int v) noexcept {
    return _mm256_mulhrs_epi16(chroma, _mm256_set1_epi32((v << 16) | u));
}

FASTPOSE_AVX2 inline void store(std::int16_t* samples, __m256i sum) noexcept {
    const __m256i positive = _mm256_max_epi16(sum, _mm256_setzero_si256());
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(samples),
                        _mm256_min_epi16(positive, _mm256_set1_epi16(yuv::white)));
}

// The U (first = 0) or V (2) of each pair for both of its columns.
FASTPOSE_AVX2 inline __m256i twice(__m256i pairs, int first) noexcept {
    const auto word = [first](int pair) { return 0x01000100 + (4 * pair + first) * 0x01010101; };
    const __m128i index = _mm_setr_epi32(word(0), word(1), word(2), word(3));
    return _mm256_shuffle_epi8(pairs, _mm256_broadcastsi128_si256(index));
}

FASTPOSE_AVX2 inline __m256i sum_of_pairs(__m256i pairs) noexcept {
    return _mm256_add_epi16(pairs, _mm256_shufflehi_epi16(_mm256_shufflelo_epi16(pairs, 0xB1), 0xB1));
}

FASTPOSE_AVX2 inline void convert(const YuvRow& row, int i, const PlanarLine& line) noexcept {
    const Words words = load(row, i);
    const __m256i luma = scaled_luma(words.luma);
    const __m256i blue_red = scaled_chroma(words.chroma, yuv::blue_u, yuv::red_v);
    const __m256i green = sum_of_pairs(scaled_chroma(words.chroma, yuv::green_u, yuv::green_v));
    store(line.channel[0] + i, _mm256_adds_epi16(luma, twice(blue_red, 2)));
    store(line.channel[1] + i, _mm256_subs_epi16(luma, green));
    store(line.channel[2] + i, _mm256_adds_epi16(luma, twice(blue_red, 0)));
}

}  // namespace

FASTPOSE_AVX2 void yuv_to_rgb_avx2(const YuvRow& row, const PlanarLine& line) noexcept {
    int i = 0;
    for (; i + kPixels <= row.count; i += kPixels) convert(row, i, line);
    convert_rest(row, line, i, yuv_to_rgb_scalar);
}

FASTPOSE_AVX2 void yuv_to_luma_avx2(const YuvRow& row, const PlanarLine& line) noexcept {
    int i = 0;
    for (; i + kPixels <= row.count; i += kPixels) store(line.channel[0] + i, scaled_luma(load(row, i).luma));
    convert_rest(row, line, i, yuv_to_luma_scalar);
}

}  // namespace fastpose
#endif

// AVX-512 YUV conversion of a row, 32 pixels at a time; equal to the portable twin bit by bit.
#include "preprocess/yuv.h"

#if FASTPOSE_X86
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC 12: false, inside the intrinsics' own header
#endif
#include <immintrin.h>

namespace fastpose {
namespace {

constexpr int kPixels = 32;

struct Words {
    __m512i luma;    // Y of 32 columns
    __m512i chroma;  // U V of 16 pairs of columns, 256 * (value - 128)
};

// High bytes, moved about 0.
FASTPOSE_AVX512 inline __m512i about_zero(__m512i chroma) noexcept {
    return _mm512_xor_si512(chroma, _mm512_set1_epi16(static_cast<std::int16_t>(0x8000)));
}

FASTPOSE_AVX512 inline Words load_packed(const std::uint8_t* pixels) noexcept {
    const __m512i bytes = _mm512_loadu_si512(pixels);
    const __m512i high = _mm512_and_si512(bytes, _mm512_set1_epi16(static_cast<std::int16_t>(0xFF00)));
    return {_mm512_and_si512(bytes, _mm512_set1_epi16(0xFF)), about_zero(high)};
}

FASTPOSE_AVX512 inline __m512i widen(const std::uint8_t* bytes) noexcept {
    return _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes)));
}

FASTPOSE_AVX512 inline Words load(const YuvRow& row, int i) noexcept {
    if (row.packed) return load_packed(row.luma + 2 * i);
    return {widen(row.luma + i), about_zero(_mm512_slli_epi16(widen(row.chroma + i), 8))};
}

FASTPOSE_AVX512 inline __m512i scaled_luma(__m512i luma) noexcept {
    return _mm512_mullo_epi16(_mm512_sub_epi16(luma, _mm512_set1_epi16(16)), _mm512_set1_epi16(yuv::luma));
}

// Each U times the first factor, each V times the second.
FASTPOSE_AVX512 inline __m512i scaled_chroma(__m512i chroma, int u, int v) noexcept {
    return _mm512_mulhrs_epi16(chroma, _mm512_set1_epi32((v << 16) | u));
}

FASTPOSE_AVX512 inline void store(std::int16_t* samples, __m512i sum) noexcept {
    const __m512i positive = _mm512_max_epi16(sum, _mm512_setzero_si512());
    _mm512_storeu_si512(samples, _mm512_min_epi16(positive, _mm512_set1_epi16(yuv::white)));
}

// The U (first = 0) or V (2) of each pair for both of its columns.
FASTPOSE_AVX512 inline __m512i twice(__m512i pairs, int first) noexcept {
    const auto word = [first](int pair) { return 0x01000100 + (4 * pair + first) * 0x01010101; };
    const __m128i index = _mm_setr_epi32(word(0), word(1), word(2), word(3));
    return _mm512_shuffle_epi8(pairs, _mm512_broadcast_i32x4(index));
}

FASTPOSE_AVX512 inline __m512i sum_of_pairs(__m512i pairs) noexcept {
    return _mm512_add_epi16(pairs, _mm512_rol_epi32(pairs, 16));
}

FASTPOSE_AVX512 inline void convert(const YuvRow& row, int i, const PlanarLine& line) noexcept {
    const Words words = load(row, i);
    const __m512i luma = scaled_luma(words.luma);
    const __m512i blue_red = scaled_chroma(words.chroma, yuv::blue_u, yuv::red_v);
    const __m512i green = sum_of_pairs(scaled_chroma(words.chroma, yuv::green_u, yuv::green_v));
    store(line.channel[0] + i, _mm512_adds_epi16(luma, twice(blue_red, 2)));
    store(line.channel[1] + i, _mm512_subs_epi16(luma, green));
    store(line.channel[2] + i, _mm512_adds_epi16(luma, twice(blue_red, 0)));
}

}  // namespace

FASTPOSE_AVX512 void yuv_to_rgb_avx512(const YuvRow& row, const PlanarLine& line) noexcept {
    int i = 0;
    for (; i + kPixels <= row.count; i += kPixels) convert(row, i, line);
    convert_rest(row, line, i, yuv_to_rgb_scalar);
}

FASTPOSE_AVX512 void yuv_to_luma_avx512(const YuvRow& row, const PlanarLine& line) noexcept {
    int i = 0;
    for (; i + kPixels <= row.count; i += kPixels) store(line.channel[0] + i, scaled_luma(load(row, i).luma));
    convert_rest(row, line, i, yuv_to_luma_scalar);
}

}  // namespace fastpose
#endif

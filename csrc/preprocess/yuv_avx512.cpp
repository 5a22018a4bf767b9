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
    __m512i chroma;  // U V of 16 pairs of columns
};

FASTPOSE_AVX512 inline Words load_packed(const std::uint8_t* pixels) noexcept {
    const __m512i bytes = _mm512_loadu_si512(pixels);
    return {_mm512_and_si512(bytes, _mm512_set1_epi16(0xFF)), _mm512_srli_epi16(bytes, 8)};
}

FASTPOSE_AVX512 inline Words load_planar(const std::uint8_t* luma, const std::uint8_t* chroma) noexcept {
    return {_mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(luma))),
            _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(chroma)))};
}

FASTPOSE_AVX512 inline Words load(const YuvRow& row, int i) noexcept {
    const Words raw = row.packed ? load_packed(row.luma + 2 * i) : load_planar(row.luma + i, row.chroma + i);
    return {_mm512_sub_epi16(raw.luma, _mm512_set1_epi16(16)),
            _mm512_sub_epi16(raw.chroma, _mm512_set1_epi16(128))};
}

// Two factors for a pair of 16-bit numbers.
FASTPOSE_AVX512 inline __m512i factors(int first, int second) noexcept {
    return _mm512_set1_epi32((first & 0xFFFF) | static_cast<int>(static_cast<unsigned>(second) << 16U));
}

FASTPOSE_AVX512 inline void store(std::int16_t* samples, __m512i low, __m512i high) noexcept {
    const __m512i rounding = _mm512_set1_epi32(yuv::rounding);
    const __m512i packed =
        _mm512_packs_epi32(_mm512_srai_epi32(_mm512_add_epi32(low, rounding), yuv::shift),
                           _mm512_srai_epi32(_mm512_add_epi32(high, rounding), yuv::shift));
    const __m512i positive = _mm512_max_epi16(packed, _mm512_setzero_si512());
    _mm512_storeu_si512(samples,
                        _mm512_min_epi16(positive, _mm512_set1_epi16(static_cast<std::int16_t>(yuv::white))));
}

// Pairs (luma, other) in two halves, in the order that packs_epi32 puts back.
struct PairHalves {
    __m512i low, high;
};

FASTPOSE_AVX512 inline PairHalves pair_up(__m512i luma, __m512i other) noexcept {
    return {_mm512_unpacklo_epi16(luma, other), _mm512_unpackhi_epi16(luma, other)};
}

FASTPOSE_AVX512 inline void convert_32(const YuvRow& row, int i, const PlanarLine& line) noexcept {
    const Words words = load(row, i);
    const __m512i v_high = _mm512_srli_epi32(words.chroma, 16), u_low = _mm512_slli_epi32(words.chroma, 16);
    const __m512i u = _mm512_or_si512(_mm512_srli_epi32(u_low, 16), u_low);
    const __m512i v = _mm512_or_si512(_mm512_slli_epi32(v_high, 16), v_high);
    const PairHalves yu = pair_up(words.luma, u), yv = pair_up(words.luma, v);
    const __m512i red = factors(yuv::luma, yuv::red_v), blue = factors(yuv::luma, yuv::blue_u);
    const __m512i green_v = factors(yuv::luma, yuv::green_v), green_u = factors(0, yuv::green_u);
    store(line.channel[0] + i, _mm512_madd_epi16(yv.low, red), _mm512_madd_epi16(yv.high, red));
    store(line.channel[1] + i,
          _mm512_add_epi32(_mm512_madd_epi16(yv.low, green_v), _mm512_madd_epi16(yu.low, green_u)),
          _mm512_add_epi32(_mm512_madd_epi16(yv.high, green_v), _mm512_madd_epi16(yu.high, green_u)));
    store(line.channel[2] + i, _mm512_madd_epi16(yu.low, blue), _mm512_madd_epi16(yu.high, blue));
}

}  // namespace

FASTPOSE_AVX512 void yuv_to_rgb_avx512(const YuvRow& row, const PlanarLine& line) noexcept {
    int i = 0;
    for (; i + kPixels <= row.count; i += kPixels) convert_32(row, i, line);
    convert_rest(row, line, i, yuv_to_rgb_scalar);
}

FASTPOSE_AVX512 void yuv_to_luma_avx512(const YuvRow& row, const PlanarLine& line) noexcept {
    const __m512i zero = _mm512_setzero_si512(), factor = factors(yuv::luma, 0);
    int i = 0;
    for (; i + kPixels <= row.count; i += kPixels) {
        const PairHalves y = pair_up(load(row, i).luma, zero);
        store(line.channel[0] + i, _mm512_madd_epi16(y.low, factor), _mm512_madd_epi16(y.high, factor));
    }
    convert_rest(row, line, i, yuv_to_luma_scalar);
}

}  // namespace fastpose
#endif

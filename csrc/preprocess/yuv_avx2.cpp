// AVX2 YUV conversion of a row, 16 pixels at a time; equal to the portable twin bit by bit.
#include "preprocess/yuv.h"

#if FASTPOSE_X86
#include <immintrin.h>

namespace fastpose {
namespace {

constexpr int kPixels = 16;

struct Words {
    __m256i luma;    // Y of 16 columns
    __m256i chroma;  // U V of 8 pairs of columns
};

FASTPOSE_AVX2 inline Words load_packed(const std::uint8_t* pixels) noexcept {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(pixels));
    return {_mm256_and_si256(bytes, _mm256_set1_epi16(0xFF)), _mm256_srli_epi16(bytes, 8)};
}

FASTPOSE_AVX2 inline Words load_planar(const std::uint8_t* luma, const std::uint8_t* chroma) noexcept {
    return {_mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(luma))),
            _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(chroma)))};
}

FASTPOSE_AVX2 inline Words load(const YuvRow& row, int i) noexcept {
    const Words raw = row.packed ? load_packed(row.luma + 2 * i) : load_planar(row.luma + i, row.chroma + i);
    return {_mm256_sub_epi16(raw.luma, _mm256_set1_epi16(16)),
            _mm256_sub_epi16(raw.chroma, _mm256_set1_epi16(128))};
}

// Two factors for a pair of 16-bit numbers.
FASTPOSE_AVX2 inline __m256i factors(int first, int second) noexcept {
    return _mm256_set1_epi32((first & 0xFFFF) | static_cast<int>(static_cast<unsigned>(second) << 16U));
}

FASTPOSE_AVX2 inline void store(std::int16_t* samples, __m256i low, __m256i high) noexcept {
    const __m256i rounding = _mm256_set1_epi32(yuv::rounding);
    const __m256i packed =
        _mm256_packs_epi32(_mm256_srai_epi32(_mm256_add_epi32(low, rounding), yuv::shift),
                           _mm256_srai_epi32(_mm256_add_epi32(high, rounding), yuv::shift));
    const __m256i positive = _mm256_max_epi16(packed, _mm256_setzero_si256());
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(samples),
                        _mm256_min_epi16(positive, _mm256_set1_epi16(static_cast<std::int16_t>(yuv::white))));
}

// Pairs (luma, other) in two halves, in the order that packs_epi32 puts back.
struct PairHalves {
    __m256i low, high;
};

FASTPOSE_AVX2 inline PairHalves pair_up(__m256i luma, __m256i other) noexcept {
    return {_mm256_unpacklo_epi16(luma, other), _mm256_unpackhi_epi16(luma, other)};
}

FASTPOSE_AVX2 inline void convert_16(const YuvRow& row, int i, const PlanarLine& line) noexcept {
    const Words words = load(row, i);
    const __m256i v_high = _mm256_srli_epi32(words.chroma, 16), u_low = _mm256_slli_epi32(words.chroma, 16);
    const __m256i u = _mm256_or_si256(_mm256_srli_epi32(u_low, 16), u_low);
    const __m256i v = _mm256_or_si256(_mm256_slli_epi32(v_high, 16), v_high);
    const PairHalves yu = pair_up(words.luma, u), yv = pair_up(words.luma, v);
    const __m256i red = factors(yuv::luma, yuv::red_v), blue = factors(yuv::luma, yuv::blue_u);
    const __m256i green_v = factors(yuv::luma, yuv::green_v), green_u = factors(0, yuv::green_u);
    store(line.channel[0] + i, _mm256_madd_epi16(yv.low, red), _mm256_madd_epi16(yv.high, red));
    store(line.channel[1] + i,
          _mm256_add_epi32(_mm256_madd_epi16(yv.low, green_v), _mm256_madd_epi16(yu.low, green_u)),
          _mm256_add_epi32(_mm256_madd_epi16(yv.high, green_v), _mm256_madd_epi16(yu.high, green_u)));
    store(line.channel[2] + i, _mm256_madd_epi16(yu.low, blue), _mm256_madd_epi16(yu.high, blue));
}

}  // namespace

FASTPOSE_AVX2 void yuv_to_rgb_avx2(const YuvRow& row, const PlanarLine& line) noexcept {
    int i = 0;
    for (; i + kPixels <= row.count; i += kPixels) convert_16(row, i, line);
    convert_rest(row, line, i, yuv_to_rgb_scalar);
}

FASTPOSE_AVX2 void yuv_to_luma_avx2(const YuvRow& row, const PlanarLine& line) noexcept {
    const __m256i zero = _mm256_setzero_si256(), factor = factors(yuv::luma, 0);
    int i = 0;
    for (; i + kPixels <= row.count; i += kPixels) {
        const PairHalves y = pair_up(load(row, i).luma, zero);
        store(line.channel[0] + i, _mm256_madd_epi16(y.low, factor), _mm256_madd_epi16(y.high, factor));
    }
    convert_rest(row, line, i, yuv_to_luma_scalar);
}

}  // namespace fastpose
#endif

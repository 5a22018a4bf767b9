// AVX2 demosaic of a row, 16 pixels at a time; the frame's first and last columns are the portable twin's.
#include "preprocess/bayer.h"

#if FASTPOSE_X86
#include <immintrin.h>

#include <algorithm>

namespace fastpose {
namespace {

constexpr int kPixels = 16;

FASTPOSE_AVX2 inline __m256i load(const std::uint8_t* pixels) noexcept {
    return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(pixels)));
}

FASTPOSE_AVX2 inline void store(std::int16_t* samples, __m256i value) noexcept {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(samples), value);
}

// Columns x .. x + 15 with x - 1 and x + 16 inside the frame; i: where x lies in the planes.
FASTPOSE_AVX2 inline void demosaic_16(const BayerRow& row, int x, int i) noexcept {
    const __m256i is_own =
        _mm256_set1_epi32(row.own_parity == (x & 1) ? 0xFFFF : static_cast<int>(0xFFFF0000U));
    const __m256i vertical = _mm256_add_epi16(load(row.above + x), load(row.below + x));
    const __m256i horizontal = _mm256_add_epi16(load(row.row + x - 1), load(row.row + x + 1));
    const __m256i diagonal =
        _mm256_add_epi16(_mm256_add_epi16(load(row.above + x - 1), load(row.above + x + 1)),
                         _mm256_add_epi16(load(row.below + x - 1), load(row.below + x + 1)));
    const __m256i centre = _mm256_slli_epi16(load(row.row + x), 2);
    const __m256i cross = _mm256_add_epi16(vertical, horizontal);
    store(row.own + i, _mm256_blendv_epi8(_mm256_add_epi16(horizontal, horizontal), centre, is_own));
    store(row.green + i, _mm256_blendv_epi8(centre, cross, is_own));
    store(row.other + i, _mm256_blendv_epi8(_mm256_add_epi16(vertical, vertical), diagonal, is_own));
}

}  // namespace

FASTPOSE_AVX2 void demosaic_row_avx2(const BayerRow& row, ColumnRange columns) noexcept {
    const int first = std::max(columns.begin, 1);
    const int last = std::min(columns.end, row.width - 1);  // from here on the right neighbour is mirrored
    if (last - first < kPixels) return demosaic_row_scalar(row, columns);
    demosaic_row_scalar(row, {columns.begin, first});
    // Vectors overlap: the second starts where the planes are aligned, the last ends where the columns do.
    demosaic_16(row, first, first - columns.begin);
    for (int x = columns.begin + kPixels; x + kPixels <= last; x += kPixels)
        demosaic_16(row, x, x - columns.begin);
    demosaic_16(row, last - kPixels, last - kPixels - columns.begin);
    demosaic_row_scalar(from_column(row, last - columns.begin), {last, columns.end});
}

}  // namespace fastpose
#endif

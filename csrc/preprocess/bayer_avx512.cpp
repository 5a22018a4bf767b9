// AVX-512 demosaic of a row, 32 pixels at a time; the frame's first and last columns are the portable twin's.
#include "preprocess/bayer.h"

#if FASTPOSE_X86
#include <immintrin.h>

#include <algorithm>

namespace fastpose {
namespace {

constexpr int kPixels = 32;

FASTPOSE_AVX512 inline __m512i load(const std::uint8_t* pixels) noexcept {
    return _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(pixels)));
}

FASTPOSE_AVX512 inline void store(std::int16_t* samples, __m512i value) noexcept {
    _mm512_storeu_si512(samples, value);
}

// Columns x .. x + 31 with x - 1 and x + 32 inside the frame; i: where x lies in the planes.
FASTPOSE_AVX512 inline void demosaic_32(const BayerRow& row, int x, int i) noexcept {
    const __mmask32 is_own = row.own_parity == (x & 1) ? 0x55555555U : 0xAAAAAAAAU;
    const __m512i vertical = _mm512_add_epi16(load(row.above + x), load(row.below + x));
    const __m512i horizontal = _mm512_add_epi16(load(row.row + x - 1), load(row.row + x + 1));
    const __m512i diagonal =
        _mm512_add_epi16(_mm512_add_epi16(load(row.above + x - 1), load(row.above + x + 1)),
                         _mm512_add_epi16(load(row.below + x - 1), load(row.below + x + 1)));
    const __m512i centre = _mm512_slli_epi16(load(row.row + x), 2);
    const __m512i cross = _mm512_add_epi16(vertical, horizontal);
    store(row.own + i, _mm512_mask_blend_epi16(is_own, _mm512_add_epi16(horizontal, horizontal), centre));
    store(row.green + i, _mm512_mask_blend_epi16(is_own, centre, cross));
    store(row.other + i, _mm512_mask_blend_epi16(is_own, _mm512_add_epi16(vertical, vertical), diagonal));
}

}  // namespace

FASTPOSE_AVX512 void demosaic_row_avx512(const BayerRow& row, ColumnRange columns) noexcept {
    const int first = std::max(columns.begin, 1);
    const int last = std::min(columns.end, row.width - 1);  // from here on the right neighbour is mirrored
    if (last - first < kPixels) return demosaic_row_scalar(row, columns);
    demosaic_row_scalar(row, {columns.begin, first});
    // Vectors overlap: the second starts where the planes are aligned, the last ends where the columns do.
    demosaic_32(row, first, first - columns.begin);
    for (int x = columns.begin + kPixels; x + kPixels <= last; x += kPixels)
        demosaic_32(row, x, x - columns.begin);
    demosaic_32(row, last - kPixels, last - kPixels - columns.begin);
    demosaic_row_scalar(from_column(row, last - columns.begin), {last, columns.end});
}

}  // namespace fastpose
#endif

// What the two AVX2 resamplers share: loads, weights, colour and stores of eight output columns.
#pragma once
#include "preprocess/row_resampler.h"

#if FASTPOSE_X86
#include <immintrin.h>

#include <algorithm>

namespace fastpose::avx2 {

inline constexpr int kGroup = 8;  // output columns at a time
inline constexpr int kLane = 4;   // output columns in a 128-bit lane

FASTPOSE_AVX2 inline __m256i load_lanes(const std::uint8_t* low, const std::uint8_t* high) noexcept {
    const __m128i first = _mm_loadu_si128(reinterpret_cast<const __m128i*>(low));
    return _mm256_inserti128_si256(_mm256_castsi128_si256(first),
                                   _mm_loadu_si128(reinterpret_cast<const __m128i*>(high)), 1);
}

FASTPOSE_AVX2 inline __m256 weigh(__m256i pairs, __m256i weights) noexcept {
    return _mm256_cvtepi32_ps(_mm256_madd_epi16(pairs, weights));
}

FASTPOSE_AVX2 inline void store(float* out, __m256 value, std::size_t count) noexcept {
    if (count >= kGroup) return _mm256_storeu_ps(out, value);
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    _mm256_maskstore_ps(out, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lane), value);
}

template <ColourMix Mix, int Inputs>
FASTPOSE_AVX2 inline void write(const RowSpec& spec, __m256* value, const std::array<float*, 3>& outputs,
                                std::size_t column, std::size_t count) noexcept {
    if constexpr (Mix == ColourMix::luma)
        value[0] = _mm256_add_ps(_mm256_add_ps(value[0], value[1]), value[2]);
    const int planes = Mix == ColourMix::replicate ? spec.outputs : Mix == ColourMix::luma ? 1 : Inputs;
    for (int c = 0; c < planes; ++c) {
        __m256 out = value[c % Inputs];
        if constexpr (Mix == ColourMix::replicate) {
            out = _mm256_fmadd_ps(value[0], _mm256_set1_ps(spec.gain[c]), _mm256_set1_ps(spec.offset[c]));
        }
        store(outputs[c] + column, out, count);
    }
}

// Columns of the group beyond the row repeat its last one; they are not stored.
inline const AxisSample& column_at(const RowSpec& spec, int index) {
    return spec.columns[std::min<std::size_t>(index, spec.columns.size() - 1)];
}

}  // namespace fastpose::avx2
#endif

// What the two AVX-512 resamplers share: which bytes of a line make 16 output columns, weights, colour and
// stores.
#pragma once
#include "preprocess/row_resampler.h"

#if FASTPOSE_X86
#include <immintrin.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace fastpose::avx512 {

inline constexpr int kGroup = 16;       // output columns at a time
inline constexpr int kChunkBytes = 64;  // one load

// One load and where its bytes go: 32-bit lane i becomes the two samples, as 16-bit numbers, of output column
// i.
struct Chunk {
    alignas(64) std::array<std::uint8_t, kChunkBytes> index{};
    std::uint64_t mask = 0;     // bytes that this load fills
    std::ptrdiff_t offset = 0;  // bytes from the start of the line
};

struct Group {
    alignas(64) std::array<std::int16_t, 2 * kGroup> weights{};
    std::uint32_t first_chunk = 0, chunks = 0;
};

struct Plan {
    std::vector<Group> groups;
    std::vector<Chunk> chunks;
};

// For one channel; with interleaved channels a load holds the pairs of all of them.
[[nodiscard]] Plan make_plan(const RowSpec& spec);

// The unmasked conversions make GCC 12 warn of an uninitialised value inside its own header.
FASTPOSE_AVX512 inline __m512 to_float(__m512i value) noexcept {
    return _mm512_maskz_cvtepi32_ps(__mmask16{0xFFFF}, value);
}

FASTPOSE_AVX512 inline __m512 weigh(__m512i pairs, __m512i weights) noexcept {
    return to_float(_mm512_madd_epi16(pairs, weights));
}

template <ColourMix Mix, int Inputs>
FASTPOSE_AVX512 inline void write(const RowSpec& spec, __m512* value, const std::array<float*, 3>& outputs,
                                  std::size_t column, __mmask16 mask) noexcept {
    if constexpr (Mix == ColourMix::luma)
        value[0] = _mm512_add_ps(_mm512_add_ps(value[0], value[1]), value[2]);
    const int planes = Mix == ColourMix::replicate ? spec.outputs : Mix == ColourMix::luma ? 1 : Inputs;
    for (int c = 0; c < planes; ++c) {
        __m512 out = value[c % Inputs];
        if constexpr (Mix == ColourMix::replicate) {
            out = _mm512_fmadd_ps(value[0], _mm512_set1_ps(spec.gain[c]), _mm512_set1_ps(spec.offset[c]));
        }
        _mm512_mask_storeu_ps(outputs[c] + column, mask, out);
    }
}

inline __mmask16 lanes(std::size_t remaining) noexcept {
    return remaining >= kGroup ? __mmask16{0xFFFF} : static_cast<__mmask16>((1U << remaining) - 1U);
}

[[nodiscard]] std::unique_ptr<RowResampler> make_planar_resampler(const RowSpec& spec);
[[nodiscard]] std::unique_ptr<RowResampler> make_pixel_resampler(const RowSpec& spec);

}  // namespace fastpose::avx512
#endif

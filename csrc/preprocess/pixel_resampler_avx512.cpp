// AVX-512 resampler of interleaved RGB or BGR: one load of either line serves the three channels, whose pairs
// are picked out of it by byte permutes.
#include "preprocess/resample_avx512.h"

#if FASTPOSE_X86
#include "preprocess/row_gains.h"

namespace fastpose::avx512 {
namespace {

constexpr int kChannels = 3;
constexpr int kFetchAhead = 256;  // floats

// Channels in the order of their bytes, which for BGR is not that of the planes; luma has one plane.
struct ByteOrder {
    std::array<float*, kChannels> outputs{};
    std::array<float, kChannels> top{}, bottom{}, offset{};
};

template <ColourMix Mix>
ByteOrder byte_order(const RowGains& gains, const std::array<float*, 3>& outputs, bool bgr) noexcept {
    ByteOrder order;
    for (int byte = 0; byte < kChannels; ++byte) {
        const int channel = bgr ? 2 - byte : byte;
        order.outputs[byte] = outputs[Mix == ColourMix::luma ? 0 : channel];
        order.top[byte] = gains.top[channel];
        order.bottom[byte] = gains.bottom[channel];
        order.offset[byte] = gains.offset[channel];
    }
    return order;
}

struct Pairs {
    __m512i top[kChannels];
    __m512i bottom[kChannels];
};

FASTPOSE_AVX512 inline void gather(const std::uint8_t* top, const std::uint8_t* bottom, const Chunk& chunk,
                                   Pairs& pairs) noexcept {
    const __m512i above = _mm512_loadu_si512(top + chunk.offset);
    const __m512i below = _mm512_loadu_si512(bottom + chunk.offset);
    __m512i index = _mm512_load_si512(chunk.index.data());
    for (int c = 0; c < kChannels; ++c) {
        pairs.top[c] = _mm512_mask_permutexvar_epi8(pairs.top[c], chunk.mask, index, above);
        pairs.bottom[c] = _mm512_mask_permutexvar_epi8(pairs.bottom[c], chunk.mask, index, below);
        index = _mm512_add_epi8(index, _mm512_set1_epi8(1));
    }
}

// Stores cost as much as loads: their lines are fetched for writing ahead of them.
template <ColourMix Mix>
FASTPOSE_AVX512 inline void store(const ByteOrder& order, __m512* value, std::size_t column,
                                  __mmask16 mask) noexcept {
    if constexpr (Mix == ColourMix::luma) {
        // Red and blue first: the same sum for either order.
        value[0] = _mm512_add_ps(_mm512_add_ps(value[0], value[2]), value[1]);
        return _mm512_mask_storeu_ps(order.outputs[0] + column, mask, value[0]);
    }
    for (int c = 0; c < kChannels; ++c) {
        float* out = order.outputs[c] + column;
        _mm_prefetch(reinterpret_cast<const char*>(out + kFetchAhead), _MM_HINT_T0);
        _mm512_mask_storeu_ps(out, mask, value[c]);
    }
}

template <ColourMix Mix>
FASTPOSE_AVX512 void resample_pixels(const RowSpec& spec, const Plan& plan, const SourceRows& source,
                                     const std::array<float*, 3>& outputs) noexcept {
    const bool bgr = source.channel_pitch < 0;
    const ByteOrder order = byte_order<Mix>(row_gains(spec, source.weight, kWeightUnit), outputs, bgr);
    const std::uint8_t* top = source.top - (bgr ? 2 : 0);
    const std::uint8_t* bottom = source.bottom - (bgr ? 2 : 0);
    const std::size_t count = spec.columns.size();
    for (std::size_t g = 0; g < plan.groups.size(); ++g) {
        const Group& group = plan.groups[g];
        Pairs pairs;
        for (int c = 0; c < kChannels; ++c) pairs.top[c] = pairs.bottom[c] = _mm512_setzero_si512();
        for (std::uint32_t k = 0; k < group.chunks; ++k) {
            const Chunk& chunk = plan.chunks[group.first_chunk + k];
            _mm_prefetch(reinterpret_cast<const char*>(source.next_top + chunk.offset), _MM_HINT_T0);
            _mm_prefetch(reinterpret_cast<const char*>(source.next_bottom + chunk.offset), _MM_HINT_T0);
            gather(top, bottom, chunk, pairs);
        }
        const __m512i weights = _mm512_load_si512(group.weights.data());
        __m512 value[kChannels];
        for (int c = 0; c < kChannels; ++c) {
            const __m512 low =
                _mm512_fmadd_ps(weigh(pairs.bottom[c], weights), _mm512_set1_ps(order.bottom[c]),
                                _mm512_set1_ps(order.offset[c]));
            value[c] = _mm512_fmadd_ps(weigh(pairs.top[c], weights), _mm512_set1_ps(order.top[c]), low);
        }
        store<Mix>(order, value, g * kGroup, lanes(count - g * kGroup));
    }
}

// 16 pixels to 32-bit numbers of their first channel.
FASTPOSE_AVX512 inline __m512i first_channel_index() noexcept {
    const __m512i pixel = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    return _mm512_mullo_epi32(pixel, _mm512_set1_epi32(3));
}

template <ColourMix Mix>
FASTPOSE_AVX512 void normalise_pixels(const RowSpec& spec, const SourceRows& source,
                                      const std::array<float*, 3>& outputs) noexcept {
    constexpr __mmask64 low_bytes = 0x1111111111111111;
    const bool bgr = source.channel_pitch < 0;
    const ByteOrder order = byte_order<Mix>(row_gains(spec, 0, 1), outputs, bgr);
    const std::uint8_t* line = source.top - (bgr ? 2 : 0);
    const __m512i first = first_channel_index();
    const std::size_t count = spec.columns.size();
    for (std::size_t i = 0; i < count; i += kGroup) {
        const __m512i bytes = _mm512_loadu_si512(line + kChannels * i);
        __m512 value[kChannels];
        for (int c = 0; c < kChannels; ++c) {
            const __m512i index = _mm512_add_epi32(first, _mm512_set1_epi32(c));
            value[c] = _mm512_fmadd_ps(to_float(_mm512_maskz_permutexvar_epi8(low_bytes, index, bytes)),
                                       _mm512_set1_ps(order.top[c]), _mm512_set1_ps(order.offset[c]));
        }
        store<Mix>(order, value, i, lanes(count - i));
    }
}

class PixelResampler final : public RowResampler {
  public:
    explicit PixelResampler(const RowSpec& spec) : spec_(spec), plan_(make_plan(spec)) {}

    void row(const SourceRows& source, const std::array<float*, 3>& outputs) noexcept override {
        if (spec_.mix == ColourMix::luma) return run<ColourMix::luma>(source, outputs);
        run<ColourMix::per_channel>(source, outputs);
    }

  private:
    template <ColourMix Mix>
    void run(const SourceRows& source, const std::array<float*, 3>& outputs) const noexcept {
        if (spec_.identity) return normalise_pixels<Mix>(spec_, source, outputs);
        resample_pixels<Mix>(spec_, plan_, source, outputs);
    }

    RowSpec spec_;
    Plan plan_;
};

}  // namespace

std::unique_ptr<RowResampler> make_pixel_resampler(const RowSpec& spec) {
    return std::make_unique<PixelResampler>(spec);
}

}  // namespace fastpose::avx512
#endif

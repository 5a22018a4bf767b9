// AVX-512 resampler of planar lines: byte permutes pick 16 pixel pairs at a time, one multiply-add applies
// their weights.
#include "preprocess/resample_avx512.h"

#if FASTPOSE_X86
#include "preprocess/row_gains.h"

namespace fastpose::avx512 {
namespace {

template <int Inputs>
struct Pairs {
    __m512i top[Inputs];
    __m512i bottom[Inputs];
};

// Both cache lines that a chunk of the next row may touch.
FASTPOSE_AVX512 inline void fetch(const std::uint8_t* bytes) noexcept {
    _mm_prefetch(reinterpret_cast<const char*>(bytes), _MM_HINT_T0);
    _mm_prefetch(reinterpret_cast<const char*>(bytes + kChunkBytes - 1), _MM_HINT_T0);
}

template <int Inputs>
FASTPOSE_AVX512 inline void gather(const SourceRows& source, const Chunk& chunk,
                                   Pairs<Inputs>& pairs) noexcept {
    const __m512i index = _mm512_load_si512(chunk.index.data());
    const __mmask64 mask = chunk.mask;
    for (int c = 0; c < Inputs; ++c) {
        const std::ptrdiff_t offset = chunk.offset + c * source.channel_pitch;
        const __m512i top = _mm512_loadu_si512(source.top + offset);
        const __m512i bottom = _mm512_loadu_si512(source.bottom + offset);
        pairs.top[c] = _mm512_mask_permutexvar_epi8(pairs.top[c], mask, index, top);
        pairs.bottom[c] = _mm512_mask_permutexvar_epi8(pairs.bottom[c], mask, index, bottom);
    }
}

template <ColourMix Mix, int Inputs>
FASTPOSE_AVX512 void resample(const RowSpec& spec, const Plan& plan, const SourceRows& source,
                              const std::array<float*, 3>& outputs) noexcept {
    const RowGains gains = row_gains(spec, source.weight, kWeightUnit);
    const std::size_t count = spec.columns.size();
    for (std::size_t g = 0; g < plan.groups.size(); ++g) {
        const Group& group = plan.groups[g];
        Pairs<Inputs> pairs;
        for (int c = 0; c < Inputs; ++c) pairs.top[c] = pairs.bottom[c] = _mm512_setzero_si512();
        for (std::uint32_t k = 0; k < group.chunks; ++k) {
            const Chunk& chunk = plan.chunks[group.first_chunk + k];
            fetch(source.next_top + chunk.offset);
            fetch(source.next_bottom + chunk.offset);
            gather<Inputs>(source, chunk, pairs);
        }
        const __m512i weights = _mm512_load_si512(group.weights.data());
        __m512 value[Inputs];
        for (int c = 0; c < Inputs; ++c) {
            const __m512 offset = _mm512_set1_ps(gains.offset[c]);
            const __m512 low =
                _mm512_fmadd_ps(weigh(pairs.bottom[c], weights), _mm512_set1_ps(gains.bottom[c]), offset);
            value[c] = _mm512_fmadd_ps(weigh(pairs.top[c], weights), _mm512_set1_ps(gains.top[c]), low);
        }
        write<Mix, Inputs>(spec, value, outputs, g * kGroup, lanes(count - g * kGroup));
    }
}

template <ColourMix Mix>
FASTPOSE_AVX512 void normalise(const RowSpec& spec, const SourceRows& source,
                               const std::array<float*, 3>& outputs) noexcept {
    const RowGains gains = row_gains(spec, 0, 1);
    const __m512 gain = _mm512_set1_ps(gains.top[0]), offset = _mm512_set1_ps(gains.offset[0]);
    const std::size_t count = spec.columns.size();
    for (std::size_t i = 0; i < count; i += kGroup) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(source.top + i));
        __m512 value =
            _mm512_fmadd_ps(to_float(_mm512_maskz_cvtepu8_epi32(__mmask16{0xFFFF}, bytes)), gain, offset);
        write<Mix, 1>(spec, &value, outputs, i, lanes(count - i));
    }
}

class PlanarResampler final : public RowResampler {
  public:
    explicit PlanarResampler(const RowSpec& spec) : spec_(spec), plan_(make_plan(spec)) {}

    void row(const SourceRows& source, const std::array<float*, 3>& outputs) noexcept override {
        if (spec_.mix == ColourMix::luma) return resample<ColourMix::luma, 3>(spec_, plan_, source, outputs);
        if (spec_.inputs == 3) return resample<ColourMix::per_channel, 3>(spec_, plan_, source, outputs);
        if (spec_.mix == ColourMix::replicate) return one_channel<ColourMix::replicate>(source, outputs);
        one_channel<ColourMix::per_channel>(source, outputs);
    }

  private:
    template <ColourMix Mix>
    void one_channel(const SourceRows& source, const std::array<float*, 3>& outputs) const noexcept {
        if (spec_.identity) return normalise<Mix>(spec_, source, outputs);
        resample<Mix, 1>(spec_, plan_, source, outputs);
    }

    RowSpec spec_;
    Plan plan_;
};

}  // namespace

std::unique_ptr<RowResampler> make_planar_resampler(const RowSpec& spec) {
    return std::make_unique<PlanarResampler>(spec);
}

}  // namespace fastpose::avx512
#endif

// AVX-512 resampler of planar lines: byte permutes pick 16 pixel pairs at a time, one multiply-add applies
// their weights.
#include "preprocess/row_resampler.h"

#if FASTPOSE_X86
#include <immintrin.h>

#include <algorithm>

#include "preprocess/row_gains.h"

namespace fastpose {
namespace {

constexpr int kGroup = 16;       // output columns at a time
constexpr int kChunkBytes = 64;  // one load

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

void add_pair(Chunk& chunk, int lane, int byte, int pixel_bytes, int sample_bytes) {
    for (int s = 0; s < 2; ++s) {
        for (int b = 0; b < sample_bytes; ++b) {
            const int target = 4 * lane + 2 * s + b;
            chunk.index[target] = static_cast<std::uint8_t>(byte + s * pixel_bytes + b);
            chunk.mask |= std::uint64_t{1} << target;
        }
    }
}

Plan make_plan(const RowSpec& spec) {
    const int sample_bytes = spec.sample == SampleType::u8 ? 1 : 2;
    const int pixel_bytes = sample_bytes * spec.pixel_samples;
    const auto count = static_cast<int>(spec.columns.size());
    Plan plan;
    for (int first = 0; first < count; first += kGroup) {
        Group group{
            .weights = {}, .first_chunk = static_cast<std::uint32_t>(plan.chunks.size()), .chunks = 0};
        for (int lane = 0; lane < std::min(kGroup, count - first); ++lane) {
            const AxisSample column = spec.columns[first + lane];
            const std::ptrdiff_t start = static_cast<std::ptrdiff_t>(column.low) * pixel_bytes;
            if (group.chunks == 0 ||
                start + pixel_bytes + sample_bytes > plan.chunks.back().offset + kChunkBytes) {
                plan.chunks.push_back({.index = {}, .mask = 0, .offset = start});
                ++group.chunks;
            }
            const auto byte = static_cast<int>(start - plan.chunks.back().offset);
            add_pair(plan.chunks.back(), lane, byte, pixel_bytes, sample_bytes);
            const PairWeights weights = pair_weights(column);
            group.weights[2 * lane] = weights.low;
            group.weights[2 * lane + 1] = weights.high;
        }
        plan.groups.push_back(group);
    }
    return plan;
}

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

__mmask16 lanes(std::size_t remaining) noexcept {
    return remaining >= kGroup ? __mmask16{0xFFFF} : static_cast<__mmask16>((1U << remaining) - 1U);
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

class Avx512Resampler final : public RowResampler {
  public:
    explicit Avx512Resampler(const RowSpec& spec) : spec_(spec), plan_(make_plan(spec)) {}

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

std::unique_ptr<RowResampler> make_row_resampler_avx512(const RowSpec& spec) {
    return std::make_unique<Avx512Resampler>(spec);
}

}  // namespace fastpose
#endif

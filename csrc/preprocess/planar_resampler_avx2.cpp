// AVX2 resampler of planar lines: a 128-bit lane holds four pairs of pixels of one channel.
#include "preprocess/row_resampler_avx2.h"

#if FASTPOSE_X86
#include <immintrin.h>

#include <algorithm>

#include "preprocess/resample_avx2.h"
#include "preprocess/row_gains.h"

namespace fastpose::avx2 {
namespace {

constexpr int kChunkBytes = 16;
constexpr std::uint8_t kNone = 0x80;  // a shuffle writes 0

struct PlanarChunk {
    alignas(32) std::array<std::uint8_t, 2 * kChunkBytes> index{};
    std::array<std::ptrdiff_t, 2> offset{};  // bytes from the start of the line, per lane
};

struct PlanarGroup {
    alignas(32) std::array<std::int16_t, 2 * kGroup> weights{};
    std::uint32_t first_chunk = 0, chunks = 0;
};

struct PlanarPlan {
    std::vector<PlanarGroup> groups;
    std::vector<PlanarChunk> chunks;
};

struct LaneLoad {
    std::ptrdiff_t offset = 0;
    std::array<std::uint8_t, kChunkBytes> index{};
};

// The loads that together hold the four pairs from column `first` on.
std::vector<LaneLoad> lane_loads(const RowSpec& spec, int first) {
    const int sample_bytes = spec.sample == SampleType::u8 ? 1 : 2;
    const int pixel_bytes = sample_bytes * spec.pixel_samples;
    std::vector<LaneLoad> loads;
    for (int lane = 0; lane < kLane; ++lane) {
        const std::ptrdiff_t start =
            static_cast<std::ptrdiff_t>(column_at(spec, first + lane).low) * pixel_bytes;
        if (loads.empty() || start + pixel_bytes + sample_bytes > loads.back().offset + kChunkBytes) {
            loads.push_back({.offset = start, .index = {}});
            loads.back().index.fill(kNone);
        }
        for (int b = 0; b < 2 * sample_bytes; ++b) {
            const int sample = b / sample_bytes, byte = b % sample_bytes;
            loads.back().index[4 * lane + 2 * sample + byte] =
                static_cast<std::uint8_t>(start - loads.back().offset + sample * pixel_bytes + byte);
        }
    }
    return loads;
}

void add_chunks(PlanarPlan& plan, std::vector<LaneLoad> low, std::vector<LaneLoad> high) {
    LaneLoad nothing;
    nothing.index.fill(kNone);
    const std::size_t count = std::max(low.size(), high.size());
    for (auto* loads : {&low, &high}) {
        nothing.offset = loads->back().offset;
        loads->resize(count, nothing);
    }
    for (std::size_t k = 0; k < count; ++k) {
        PlanarChunk chunk{.index = {}, .offset = {low[k].offset, high[k].offset}};
        std::copy(low[k].index.begin(), low[k].index.end(), chunk.index.begin());
        std::copy(high[k].index.begin(), high[k].index.end(), chunk.index.begin() + kChunkBytes);
        plan.chunks.push_back(chunk);
    }
}

PlanarPlan make_planar_plan(const RowSpec& spec) {
    PlanarPlan plan;
    for (int first = 0; first < static_cast<int>(spec.columns.size()); first += kGroup) {
        PlanarGroup group{
            .weights = {}, .first_chunk = static_cast<std::uint32_t>(plan.chunks.size()), .chunks = 0};
        add_chunks(plan, lane_loads(spec, first), lane_loads(spec, first + kLane));
        group.chunks = static_cast<std::uint32_t>(plan.chunks.size()) - group.first_chunk;
        for (int lane = 0; lane < kGroup; ++lane) {
            const PairWeights weights = pair_weights(column_at(spec, first + lane));
            group.weights[2 * lane] = weights.low;
            group.weights[2 * lane + 1] = weights.high;
        }
        plan.groups.push_back(group);
    }
    return plan;
}

template <int Inputs>
struct Pairs {
    __m256i top[Inputs];
    __m256i bottom[Inputs];
};

template <int Inputs>
FASTPOSE_AVX2 inline void gather(const SourceRows& source, const PlanarChunk& chunk,
                                 Pairs<Inputs>& pairs) noexcept {
    const __m256i index = _mm256_load_si256(reinterpret_cast<const __m256i*>(chunk.index.data()));
    for (int c = 0; c < Inputs; ++c) {
        const std::ptrdiff_t low = chunk.offset[0] + c * source.channel_pitch;
        const std::ptrdiff_t high = chunk.offset[1] + c * source.channel_pitch;
        const __m256i top = load_lanes(source.top + low, source.top + high);
        const __m256i bottom = load_lanes(source.bottom + low, source.bottom + high);
        pairs.top[c] = _mm256_or_si256(pairs.top[c], _mm256_shuffle_epi8(top, index));
        pairs.bottom[c] = _mm256_or_si256(pairs.bottom[c], _mm256_shuffle_epi8(bottom, index));
    }
}

template <ColourMix Mix, int Inputs>
FASTPOSE_AVX2 void resample_planar(const RowSpec& spec, const PlanarPlan& plan, const SourceRows& source,
                                   const std::array<float*, 3>& outputs) noexcept {
    const RowGains gains = row_gains(spec, source.weight, kWeightUnit);
    for (std::size_t g = 0; g < plan.groups.size(); ++g) {
        const PlanarGroup& group = plan.groups[g];
        const auto ahead = plan.chunks[group.first_chunk].offset[0];
        _mm_prefetch(reinterpret_cast<const char*>(source.next_top + ahead), _MM_HINT_T0);
        _mm_prefetch(reinterpret_cast<const char*>(source.next_bottom + ahead), _MM_HINT_T0);
        const __m256i weights = _mm256_load_si256(reinterpret_cast<const __m256i*>(group.weights.data()));
        Pairs<Inputs> pairs;
        for (int c = 0; c < Inputs; ++c) pairs.top[c] = pairs.bottom[c] = _mm256_setzero_si256();
        for (std::uint32_t k = 0; k < group.chunks; ++k)
            gather<Inputs>(source, plan.chunks[group.first_chunk + k], pairs);
        __m256 value[Inputs];
        for (int c = 0; c < Inputs; ++c) {
            const __m256 top = weigh(pairs.top[c], weights), bottom = weigh(pairs.bottom[c], weights);
            const __m256 low =
                _mm256_fmadd_ps(bottom, _mm256_set1_ps(gains.bottom[c]), _mm256_set1_ps(gains.offset[c]));
            value[c] = _mm256_fmadd_ps(top, _mm256_set1_ps(gains.top[c]), low);
        }
        write<Mix, Inputs>(spec, value, outputs, g * kGroup, spec.columns.size() - g * kGroup);
    }
}

template <ColourMix Mix>
FASTPOSE_AVX2 void normalise_planar(const RowSpec& spec, const SourceRows& source,
                                    const std::array<float*, 3>& outputs) noexcept {
    const RowGains gains = row_gains(spec, 0, 1);
    const __m256 gain = _mm256_set1_ps(gains.top[0]), offset = _mm256_set1_ps(gains.offset[0]);
    for (std::size_t i = 0; i < spec.columns.size(); i += kGroup) {
        const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(source.top + i));
        __m256 value = _mm256_fmadd_ps(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes)), gain, offset);
        write<Mix, 1>(spec, &value, outputs, i, spec.columns.size() - i);
    }
}

class PlanarResampler final : public RowResampler {
  public:
    explicit PlanarResampler(const RowSpec& spec) : spec_(spec), plan_(make_planar_plan(spec)) {}

    void row(const SourceRows& source, const std::array<float*, 3>& outputs) noexcept override {
        if (spec_.mix == ColourMix::luma)
            return resample_planar<ColourMix::luma, 3>(spec_, plan_, source, outputs);
        if (spec_.inputs == 3)
            return resample_planar<ColourMix::per_channel, 3>(spec_, plan_, source, outputs);
        const bool replicate = spec_.mix == ColourMix::replicate;
        if (spec_.identity) {
            return replicate ? normalise_planar<ColourMix::replicate>(spec_, source, outputs)
                             : normalise_planar<ColourMix::per_channel>(spec_, source, outputs);
        }
        return replicate ? resample_planar<ColourMix::replicate, 1>(spec_, plan_, source, outputs)
                         : resample_planar<ColourMix::per_channel, 1>(spec_, plan_, source, outputs);
    }

  private:
    RowSpec spec_;
    PlanarPlan plan_;
};

}  // namespace

std::unique_ptr<RowResampler> make_planar_resampler(const RowSpec& spec) {
    return std::make_unique<PlanarResampler>(spec);
}

}  // namespace fastpose::avx2
#endif

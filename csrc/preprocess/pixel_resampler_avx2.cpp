// AVX2 resampler of interleaved RGB or BGR: a 128-bit lane holds the three pairs of one output pixel.
#include "preprocess/row_resampler_avx2.h"

#if FASTPOSE_X86
#include <immintrin.h>

#include "preprocess/resample_avx2.h"
#include "preprocess/row_gains.h"

namespace fastpose::avx2 {
namespace {

constexpr int kFetchAhead = 256;  // floats

FASTPOSE_AVX2 inline __m256i load_halves(const std::uint8_t* low, const std::uint8_t* high) noexcept {
    const __m128i first = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(low));
    return _mm256_inserti128_si256(_mm256_castsi128_si256(first),
                                   _mm_loadl_epi64(reinterpret_cast<const __m128i*>(high)), 1);
}

// The outputs take as much time as the inputs: fetched for writing ahead of the stores.
template <ColourMix Mix>
FASTPOSE_AVX2 inline void fetch_outputs(const std::array<float*, 3>& outputs, std::size_t column) noexcept {
    for (int c = 0; c < (Mix == ColourMix::luma ? 1 : 3); ++c) {
        _mm_prefetch(reinterpret_cast<const char*>(outputs[c] + column + kFetchAhead), _MM_HINT_T0);
    }
}

struct PixelGroup {
    alignas(32)
        std::array<std::int16_t, 8 * kGroup> weights{};  // (low, high) four times a pixel, in order of use
    std::array<std::int32_t, kGroup> offset{};  // bytes from the first byte of the line's first pixel
};

std::vector<PixelGroup> make_pixel_plan(const RowSpec& spec) {
    std::vector<PixelGroup> groups;
    for (int first = 0; first < static_cast<int>(spec.columns.size()); first += kGroup) {
        PixelGroup group;
        for (int i = 0; i < kGroup; ++i) {
            const AxisSample column = column_at(spec, first + i);
            const PairWeights weights = pair_weights(column);
            group.offset[i] = column.low * 3;
            // Pixels i and i + 4 share a register.
            std::int16_t* lane = group.weights.data() + (i % kLane) * 16 + (i / kLane) * 8;
            for (int pair = 0; pair < 4; ++pair) {
                lane[2 * pair] = weights.low;
                lane[2 * pair + 1] = weights.high;
            }
        }
        groups.push_back(group);
    }
    return groups;
}

// (R, G, B, unused) pairs of two neighbouring pixels, for either order of the bytes.
FASTPOSE_AVX2 inline __m256i pair_shuffle(bool bgr) noexcept {
    const auto pair = [bgr](int channel) { return bgr ? 2 - channel : channel; };
    const auto word = [](int byte) { return static_cast<int>(0x80008000U) | byte | (byte + 3) << 16; };
    return _mm256_broadcastsi128_si256(_mm_setr_epi32(word(pair(0)), word(pair(1)), word(pair(2)), -1));
}

// One factor per channel in each lane.
FASTPOSE_AVX2 inline __m256 per_lane(const std::array<float, 3>& factor) noexcept {
    return _mm256_setr_ps(factor[0], factor[1], factor[2], 0, factor[0], factor[1], factor[2], 0);
}

// Four registers of two pixels each to three planes of eight.
FASTPOSE_AVX2 inline void to_planes(const __m256* pixels, __m256* planes) noexcept {
    const __m256 rg01 = _mm256_unpacklo_ps(pixels[0], pixels[1]),
                 rg23 = _mm256_unpacklo_ps(pixels[2], pixels[3]);
    const __m256 b01 = _mm256_unpackhi_ps(pixels[0], pixels[1]),
                 b23 = _mm256_unpackhi_ps(pixels[2], pixels[3]);
    planes[0] = _mm256_shuffle_ps(rg01, rg23, 0x44);
    planes[1] = _mm256_shuffle_ps(rg01, rg23, 0xEE);
    planes[2] = _mm256_shuffle_ps(b01, b23, 0x44);
}

template <ColourMix Mix>
FASTPOSE_AVX2 void resample_pixels(const RowSpec& spec, const std::vector<PixelGroup>& plan,
                                   const SourceRows& source, const std::array<float*, 3>& outputs) noexcept {
    const RowGains gains = row_gains(spec, source.weight, kWeightUnit);
    const __m256 top_gain = per_lane(gains.top), bottom_gain = per_lane(gains.bottom),
                 offset = per_lane(gains.offset);
    const bool bgr = source.channel_pitch < 0;
    const __m256i shuffle = pair_shuffle(bgr);
    const std::uint8_t* top = source.top - (bgr ? 2 : 0);
    const std::uint8_t* bottom = source.bottom - (bgr ? 2 : 0);
    for (std::size_t g = 0; g < plan.size(); ++g) {
        const PixelGroup& group = plan[g];
        _mm_prefetch(reinterpret_cast<const char*>(source.next_top + group.offset[0]), _MM_HINT_T0);
        _mm_prefetch(reinterpret_cast<const char*>(source.next_bottom + group.offset[0]), _MM_HINT_T0);
        _mm_prefetch(reinterpret_cast<const char*>(source.next_top + group.offset[4]), _MM_HINT_T0);
        _mm_prefetch(reinterpret_cast<const char*>(source.next_bottom + group.offset[4]), _MM_HINT_T0);
        __m256 pixels[kLane];
        for (int i = 0; i < kLane; ++i) {
            const std::int32_t low = group.offset[i], high = group.offset[i + kLane];
            const __m256i weights =
                _mm256_load_si256(reinterpret_cast<const __m256i*>(group.weights.data()) + i);
            const __m256i above = _mm256_shuffle_epi8(load_halves(top + low, top + high), shuffle);
            const __m256i below = _mm256_shuffle_epi8(load_halves(bottom + low, bottom + high), shuffle);
            const __m256 part = _mm256_fmadd_ps(weigh(below, weights), bottom_gain, offset);
            pixels[i] = _mm256_fmadd_ps(weigh(above, weights), top_gain, part);
        }
        __m256 planes[3];
        to_planes(pixels, planes);
        fetch_outputs<Mix>(outputs, g * kGroup);
        write<Mix, 3>(spec, planes, outputs, g * kGroup, spec.columns.size() - g * kGroup);
    }
}

// Channel shuffles of four pixels to 32-bit numbers.
FASTPOSE_AVX2 inline __m256i channel_shuffle(int channel, bool bgr) noexcept {
    const int byte = bgr ? 2 - channel : channel;
    const auto pixel = [byte](int p) { return static_cast<int>(0x80808000U) | (3 * p + byte); };
    return _mm256_broadcastsi128_si256(_mm_setr_epi32(pixel(0), pixel(1), pixel(2), pixel(3)));
}

template <ColourMix Mix>
FASTPOSE_AVX2 void normalise_pixels(const RowSpec& spec, const SourceRows& source,
                                    const std::array<float*, 3>& outputs) noexcept {
    const RowGains gains = row_gains(spec, 0, 1);
    const bool bgr = source.channel_pitch < 0;
    const std::uint8_t* line = source.top - (bgr ? 2 : 0);
    const __m256i index[3] = {channel_shuffle(0, bgr), channel_shuffle(1, bgr), channel_shuffle(2, bgr)};
    const std::size_t columns = spec.columns.size();
    for (std::size_t i = 0; i < columns; i += kGroup) {
        const __m256i bytes = load_lanes(line + 3 * i, line + 3 * (i + kLane));
        __m256 value[3];
        for (int c = 0; c < 3; ++c) {
            value[c] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(_mm256_shuffle_epi8(bytes, index[c])),
                                       _mm256_set1_ps(gains.top[c]), _mm256_set1_ps(gains.offset[c]));
        }
        if (columns - i < kGroup) return write<Mix, 3>(spec, value, outputs, i, columns - i);
        fetch_outputs<Mix>(outputs, i);
        write<Mix, 3>(spec, value, outputs, i, kGroup);
    }
}

class PixelResampler final : public RowResampler {
  public:
    explicit PixelResampler(const RowSpec& spec) : spec_(spec), plan_(make_pixel_plan(spec)) {}

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
    std::vector<PixelGroup> plan_;
};

}  // namespace

std::unique_ptr<RowResampler> make_pixel_resampler(const RowSpec& spec) {
    return std::make_unique<PixelResampler>(spec);
}

}  // namespace fastpose::avx2
#endif

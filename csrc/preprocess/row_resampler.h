// One output row of the tensor from two source lines: horizontal and vertical bilinear weights, colour,
// normalisation.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/cpu_features.h"

namespace fastpose {

// An output sample lies between source samples `low` and `low + 1`, `weight` of the way. low + 1 exists, but
// where the axis has one sample only: then weight is 0.
struct AxisSample {
    int low = 0;
    float weight = 0;
};

// Half-pixel centres, edges clamped.
[[nodiscard]] std::vector<AxisSample> sample_axis(int source, int output);

enum class ColourMix : int {
    per_channel = 0,  // out[c] = in[c] * gain[c] + offset[c]
    replicate = 1,    // out[c] = in[0] * gain[c] + offset[c]
    luma = 2,         // out[0] = sum of in[c] * gain[c], + offset[0]
};

enum class SampleType : int { u8 = 0, i16 = 1 };

struct RowSpec {
    std::vector<AxisSample> columns;  // one per output column
    SampleType sample = SampleType::u8;
    int pixel_samples = 1;  // from one pixel of a channel to the next: 3 where channels are interleaved
    int inputs = 1, outputs = 1;
    ColourMix mix = ColourMix::per_channel;
    std::array<float, 3> gain{1, 1, 1};  // tensor units per count of a sample
    std::array<float, 3> offset{};
    bool identity = false;  // output column i is source column i; only with u8 and no vertical weight
};

struct SourceRows {
    const std::uint8_t* top = nullptr;       // first sample of channel 0
    const std::uint8_t* bottom = nullptr;    // may equal top
    std::ptrdiff_t channel_pitch = 0;        // bytes from channel c to c + 1; may be negative
    float weight = 0;                        // of bottom
    const std::uint8_t* next_top = nullptr;  // what the next call will read, to be fetched ahead
    const std::uint8_t* next_bottom = nullptr;
};

// Planned once; row() allocates nothing.
class RowResampler {
  public:
    // Bytes that row() may read, and ignores, behind the last byte it needs of a channel.
    static constexpr std::ptrdiff_t overread_bytes = 64;

    virtual ~RowResampler() = default;
    // outputs: one row of each plane.
    virtual void row(const SourceRows& source, const std::array<float*, 3>& outputs) noexcept = 0;
};

[[nodiscard]] std::unique_ptr<RowResampler> make_row_resampler(Isa isa, const RowSpec& spec);

// One twin per instruction set; they agree to within the rounding of their weights (2^-15).
[[nodiscard]] std::unique_ptr<RowResampler> make_row_resampler_scalar(const RowSpec& spec);
[[nodiscard]] std::unique_ptr<RowResampler> make_row_resampler_avx2(const RowSpec& spec);
[[nodiscard]] std::unique_ptr<RowResampler> make_row_resampler_avx512(const RowSpec& spec);

}  // namespace fastpose

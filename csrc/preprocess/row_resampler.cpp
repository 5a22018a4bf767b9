// Sampling positions, dispatch by instruction set, and the portable resampler that the others are tested
// against.
#include "preprocess/row_resampler.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace fastpose {
namespace {

class ScalarResampler final : public RowResampler {
  public:
    explicit ScalarResampler(RowSpec spec) : spec_(std::move(spec)) {}

    void row(const SourceRows& source, const std::array<float*, 3>& outputs) noexcept override {
        for (std::size_t i = 0; i < spec_.columns.size(); ++i) {
            std::array<float, 3> value{};
            for (int c = 0; c < spec_.inputs; ++c) value[c] = bilinear(source, spec_.columns[i], c);
            write(value, outputs, i);
        }
    }

  private:
    [[nodiscard]] float sample(const std::uint8_t* line, std::ptrdiff_t pitch, int column,
                               int channel) const noexcept {
        const std::ptrdiff_t index = static_cast<std::ptrdiff_t>(column) * spec_.pixel_samples;
        const std::uint8_t* start = line + pitch * channel;
        return spec_.sample == SampleType::u8
                   ? static_cast<float>(start[index])
                   : static_cast<float>(reinterpret_cast<const std::int16_t*>(start)[index]);
    }

    [[nodiscard]] float horizontal(const std::uint8_t* line, std::ptrdiff_t pitch, AxisSample column,
                                   int channel) const noexcept {
        const float low = sample(line, pitch, column.low, channel);
        if (column.weight == 0) return low;
        return low + column.weight * (sample(line, pitch, column.low + 1, channel) - low);
    }

    [[nodiscard]] float bilinear(const SourceRows& source, AxisSample column, int channel) const noexcept {
        const float top = horizontal(source.top, source.channel_pitch, column, channel);
        if (source.weight == 0) return top;
        return top + source.weight * (horizontal(source.bottom, source.channel_pitch, column, channel) - top);
    }

    void write(const std::array<float, 3>& value, const std::array<float*, 3>& outputs,
               std::size_t i) const noexcept {
        if (spec_.mix == ColourMix::luma) {
            outputs[0][i] = spec_.offset[0] + value[0] * spec_.gain[0] + value[1] * spec_.gain[1] +
                            value[2] * spec_.gain[2];
            return;
        }
        for (int c = 0; c < spec_.outputs; ++c) {
            const float in = spec_.mix == ColourMix::replicate ? value[0] : value[c];
            outputs[c][i] = in * spec_.gain[c] + spec_.offset[c];
        }
    }

    RowSpec spec_;
};

}  // namespace

std::vector<AxisSample> sample_axis(int source, int output) {
    std::vector<AxisSample> samples(static_cast<std::size_t>(output));
    const double scale = static_cast<double>(source) / output;
    for (int i = 0; i < output; ++i) {
        const double position = std::clamp((i + 0.5) * scale - 0.5, 0.0, source - 1.0);
        const int low = std::clamp(static_cast<int>(position), 0, std::max(source - 2, 0));
        samples[i] = {low, static_cast<float>(position - low)};
    }
    return samples;
}

std::unique_ptr<RowResampler> make_row_resampler_scalar(const RowSpec& spec) {
    return std::make_unique<ScalarResampler>(spec);
}

std::unique_ptr<RowResampler> make_row_resampler(Isa isa, const RowSpec& spec) {
#if FASTPOSE_X86
    if (isa == Isa::avx512) return make_row_resampler_avx512(spec);
    if (isa >= Isa::avx2) return make_row_resampler_avx2(spec);
#endif
    return make_row_resampler_scalar(spec);
}

}  // namespace fastpose

// Two passes per crop: columns of each source line, then lines.
#include "preprocess/crop.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/check.h"
#include "preprocess/axis_taps.h"
#include "preprocess/crop_kernels.h"
#include "preprocess/crop_place.h"
#include "preprocess/line_source.h"
#include "preprocess/preprocess_cpu.h"
#include "preprocess/tensor_writer.h"

namespace fastpose {
namespace {

constexpr std::array<float, 3> kLuma{0.299F, 0.587F, 0.114F};  // BT.601

// The longest side that a crop can have: that of a box as large as the area, grown.
int longest_side(const CropSpec& spec) {
    const double width = spec.frame.roi.width + 2.0 * spec.margin_px;
    const double height = spec.frame.roi.height + 2.0 * spec.margin_px;
    const double ratio = static_cast<double>(spec.frame.output_width) / spec.frame.output_height;
    const double side = std::max(std::max(width, height * ratio), std::max(height, width / ratio));
    return std::max({static_cast<int>(side) + 2, spec.frame.output_width, spec.frame.output_height});
}

class CpuCropper final : public Cropper {
  public:
    explicit CpuCropper(const CropSpec& spec)
        : spec_(spec),
          area_(spec.frame.roi),
          lines_(make_line_source(spec.frame, best_isa())),
          layout_(lines_->layout()),
          columns_(longest_side(spec), spec.frame.output_width),
          rows_(longest_side(spec), spec.frame.output_height),
          line_(static_cast<std::size_t>(longest_side(spec))),
          narrow_(static_cast<std::size_t>(layout_.channels) * area_.height * width()),
          sum_(static_cast<std::size_t>(layout_.channels) * width()),
          writer_({spec.frame.tensor, spec.frame.colour == InputColour::rgb ? 3 : 1, width(), height(),
                   width(), height()},
                  best_isa()) {}

    void begin(const FrameView& frame) noexcept override { lines_->begin(frame); }

    TensorToSensor run(const Box& box, void* tensor) noexcept override {
        const CropPlace place = crop_place(spec_, box);
        const Roi& crop = place.rectangle;
        columns_.plan(crop.width, spec_.antialias);
        rows_.plan(crop.height, spec_.antialias);
        const int top = std::clamp(crop.y, 0, area_.height);
        const int bottom = std::clamp(crop.y + crop.height, 0, area_.height);
        for (int y = top; y < bottom; ++y) narrow(y, crop);
        for (int y = 0; y < height(); ++y) write_row(y, crop, tensor);
        return place.to_sensor;
    }

    [[nodiscard]] TensorFormat format() const noexcept override { return spec_.frame.tensor; }

  private:
    [[nodiscard]] int width() const noexcept { return spec_.frame.output_width; }
    [[nodiscard]] int height() const noexcept { return spec_.frame.output_height; }

    [[nodiscard]] float* narrow_row(int y, int channel) noexcept {
        return narrow_.data() +
               (static_cast<std::size_t>(y) * layout_.channels + channel) * static_cast<std::size_t>(width());
    }

    // Source row y of the area, resized to the crop's width.
    void narrow(int y, const Roi& crop) noexcept {
        const std::uint8_t* line = lines_->line(y);
        for (int c = 0; c < layout_.channels; ++c) {
            copy_line(line + c * layout_.channel_pitch, crop);
            kernels_.resample(line_.data(), columns_, narrow_row(y, c));
        }
    }

    // The crop's part of one channel of a line, in grey levels; 0 beyond the area.
    void copy_line(const std::uint8_t* line, const Roi& crop) noexcept {
        const int begin = std::clamp(-crop.x, 0, crop.width);
        const int end = std::clamp(area_.width - crop.x, begin, crop.width);
        std::fill_n(line_.begin(), begin, 0.0F);
        for (int x = begin; x < end; ++x) line_[static_cast<std::size_t>(x)] = sample(line, crop.x + x);
        std::fill(line_.begin() + end, line_.begin() + crop.width, 0.0F);
    }

    [[nodiscard]] float sample(const std::uint8_t* line, int x) const noexcept {
        const std::ptrdiff_t index = static_cast<std::ptrdiff_t>(x) * layout_.pixel_samples;
        const float count = layout_.sample == SampleType::u8
                                ? static_cast<float>(line[index])
                                : static_cast<float>(reinterpret_cast<const std::int16_t*>(line)[index]);
        return count * layout_.unit;
    }

    void write_row(int y, const Roi& crop, void* tensor) noexcept {
        std::fill(sum_.begin(), sum_.end(), 0.0F);
        const float* weights = rows_.weights(y);
        for (int j = 0; j < rows_.count(y); ++j) {
            const int source = crop.y + rows_.first(y) + j;
            if (source < 0 || source >= area_.height) continue;
            kernels_.add_row(narrow_row(source, 0), weights[j], sum_.data(), sum_.size());
        }
        for (float& value : sum_) value = std::nearbyint(value);
        normalise(writer_.row(tensor, y));
        writer_.write(tensor, y);
    }

    void normalise(const std::array<float*, 3>& rows) const noexcept {
        const auto columns = static_cast<std::size_t>(width());
        if (spec_.frame.colour == InputColour::grey) {
            for (std::size_t x = 0; x < columns; ++x)
                rows[0][x] = grey(x) * spec_.frame.scale[0] + spec_.frame.offset[0];
            return;
        }
        for (std::size_t c = 0; c < 3; ++c) {
            const float* source = sum_.data() + (layout_.channels == 3 ? c * columns : 0);
            for (std::size_t x = 0; x < columns; ++x)
                rows[c][x] = source[x] * spec_.frame.scale[c] + spec_.frame.offset[c];
        }
    }

    [[nodiscard]] float grey(std::size_t x) const noexcept {
        if (layout_.channels == 1) return sum_[x];
        const auto columns = static_cast<std::size_t>(width());
        return sum_[x] * kLuma[0] + sum_[columns + x] * kLuma[1] + sum_[2 * columns + x] * kLuma[2];
    }

    CropSpec spec_;
    Roi area_;
    CropKernels kernels_ = crop_kernels_for(best_isa());
    std::unique_ptr<LineSource> lines_;
    LineLayout layout_;
    AxisTaps columns_, rows_;
    std::vector<float> line_;    // one channel of a source line, as wide as the crop's rectangle
    std::vector<float> narrow_;  // (area height, channels, crop width)
    std::vector<float> sum_;     // (channels, crop width)
    TensorWriter writer_;
};

}  // namespace

std::unique_ptr<Cropper> make_cropper(const CropSpec& spec) {
    static_cast<void>(make_preprocessor(spec.frame));  // checks the sizes
    require_at_least("crop.margin_px", static_cast<double>(spec.margin_px), 0);
    return std::make_unique<CpuCropper>(spec);
}

}  // namespace fastpose

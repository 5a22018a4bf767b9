// The CPU preprocessor: walks the output rows and hands each its two source lines.
#include "preprocess/preprocess_cpu.h"

#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "preprocess/line_source.h"
#include "preprocess/row_resampler.h"

namespace fastpose {
namespace {

constexpr std::array<float, 3> kLuma{0.299F, 0.587F, 0.114F};  // BT.601

bool is_bayer(PixelFormat format) {
    return format >= PixelFormat::bayer_rg8 && format <= PixelFormat::bayer_bg8;
}

[[noreturn]] void refuse(const std::string& what, const std::string& allowed) {
    throw ConfigError("preprocess: " + what + "; allowed: " + allowed);
}

std::string size_text(int width, int height) { return std::to_string(width) + "x" + std::to_string(height); }

void check_frame(const PreprocessSpec& spec) {
    const std::string size = "frame size is " + size_text(spec.frame_width, spec.frame_height);
    if (spec.frame_width <= 0 || spec.frame_height <= 0) refuse(size, "a positive width and height");
    const bool small = spec.frame_width < 2 || spec.frame_height < 2;
    if (is_bayer(spec.format) && small) refuse(size, "at least 2x2 for a Bayer format");
    const bool odd_width = spec.frame_width % 2 != 0, odd_height = spec.frame_height % 2 != 0;
    if (spec.format == PixelFormat::yuyv && odd_width) refuse(size, "an even width for yuyv");
    if (spec.format == PixelFormat::nv12 && (odd_width || odd_height))
        refuse(size, "an even width and height for nv12");
}

void check_roi(const PreprocessSpec& spec) {
    const Roi& roi = spec.roi;
    const bool inside = roi.x >= 0 && roi.y >= 0 && roi.width > 0 && roi.height > 0 &&
                        roi.width <= spec.frame_width - roi.x && roi.height <= spec.frame_height - roi.y;
    if (inside) return;
    std::ostringstream what;
    what << "roi is {x: " << roi.x << ", y: " << roi.y << ", width: " << roi.width
         << ", height: " << roi.height << "}";
    refuse(what.str(), "a rectangle of at least one pixel inside the frame of " +
                           size_text(spec.frame_width, spec.frame_height) + " px");
}

void check(const PreprocessSpec& spec) {
    check_frame(spec);
    check_roi(spec);
    if (spec.output_width <= 0 || spec.output_height <= 0) {
        refuse("output size is " + size_text(spec.output_width, spec.output_height),
               "a positive width and height");
    }
}

RowSpec make_row_spec(const PreprocessSpec& spec, const LineLayout& layout) {
    RowSpec row;
    row.columns = sample_axis(spec.roi.width, spec.output_width);
    row.sample = layout.sample;
    row.pixel_samples = layout.pixel_samples;
    row.inputs = layout.channels;
    row.outputs = spec.colour == InputColour::rgb ? 3 : 1;
    row.mix = row.inputs == row.outputs  ? ColourMix::per_channel
              : row.inputs < row.outputs ? ColourMix::replicate
                                         : ColourMix::luma;
    for (int c = 0; c < 3; ++c) {
        const bool luma = row.mix == ColourMix::luma;
        row.gain[c] = layout.unit * (luma ? spec.scale[0] * kLuma[c] : spec.scale[c]);
    }
    row.offset = spec.offset;
    row.identity = layout.sample == SampleType::u8 && spec.roi.width == spec.output_width &&
                   spec.roi.height == spec.output_height;
    return row;
}

class CpuPreprocessor final : public Preprocessor {
  public:
    CpuPreprocessor(const PreprocessSpec& spec, Isa isa)
        : spec_(spec),
          lines_(make_line_source(spec, isa)),
          row_spec_(make_row_spec(spec, lines_->layout())),
          rows_(sample_axis(spec.roi.height, spec.output_height)),
          resampler_(make_row_resampler(isa, row_spec_)) {
        // Without a resize each row is read alone.
        if (!row_spec_.identity) return;
        for (int y = 0; y < spec.output_height; ++y) rows_[y] = {y, 0};
    }

    void run(const FrameView& frame, float* tensor) noexcept override {
        lines_->begin(frame);
        const std::size_t plane = static_cast<std::size_t>(spec_.output_width) * spec_.output_height;
        for (int y = 0; y < spec_.output_height; ++y) {
            float* row = tensor + static_cast<std::size_t>(y) * spec_.output_width;
            resampler_->row(source_rows(y), {row, row + plane, row + 2 * plane});
        }
    }

    [[nodiscard]] TensorToSensor tensor_to_sensor() const noexcept override {
        const float scale_x = static_cast<float>(spec_.roi.width) / static_cast<float>(spec_.output_width);
        const float scale_y = static_cast<float>(spec_.roi.height) / static_cast<float>(spec_.output_height);
        return {scale_x, scale_y, static_cast<float>(spec_.roi.x) + 0.5F * scale_x - 0.5F,
                static_cast<float>(spec_.roi.y) + 0.5F * scale_y - 0.5F};
    }

  private:
    [[nodiscard]] SourceRows source_rows(int y) noexcept {
        const AxisSample row = rows_[y];
        SourceRows source;
        source.top = lines_->line(row.low);
        source.bottom = row.weight > 0 ? lines_->line(row.low + 1) : source.top;
        source.channel_pitch = lines_->layout().channel_pitch;
        source.weight = row.weight;
        const AxisSample next = rows_[y + 1 < spec_.output_height ? y + 1 : y];
        source.next_top = lines_->peek(next.low);
        source.next_bottom = lines_->peek(next.weight > 0 ? next.low + 1 : next.low);
        if (source.next_top == nullptr) source.next_top = source.next_bottom = source.top;
        return source;
    }

    PreprocessSpec spec_;
    std::unique_ptr<LineSource> lines_;
    RowSpec row_spec_;
    std::vector<AxisSample> rows_;
    std::unique_ptr<RowResampler> resampler_;
};

}  // namespace

std::unique_ptr<Preprocessor> make_preprocessor(const PreprocessSpec& spec, Isa isa) {
    check(spec);
    return std::make_unique<CpuPreprocessor>(spec, isa);
}

std::unique_ptr<Preprocessor> make_preprocessor(const PreprocessSpec& spec) {
    return make_preprocessor(spec, best_isa());
}

}  // namespace fastpose

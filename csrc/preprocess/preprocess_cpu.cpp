// The CPU preprocessor: walks the output rows and hands each its two source lines.
#include "preprocess/preprocess_cpu.h"

#include <vector>

#include "preprocess/line_source.h"
#include "preprocess/preprocess_plan.h"
#include "preprocess/row_resampler.h"
#include "preprocess/tensor_writer.h"

namespace fastpose {
namespace {

TensorSpec tensor_spec(const PreprocessSpec& spec) {
    return {.format = spec.tensor,
            .channels = spec.colour == InputColour::rgb ? 3 : 1,
            .width = spec.output_width,
            .height = spec.output_height,
            .image_width = spec.image_width,
            .image_height = spec.image_height};
}

class CpuPreprocessor final : public Preprocessor {
  public:
    CpuPreprocessor(const PreprocessSpec& spec, Isa isa)
        : spec_(spec),
          lines_(make_line_source(spec, isa)),
          row_spec_(make_row_spec(spec, lines_->layout())),
          rows_(sample_axis(spec.roi.height, spec.image_height)),
          resampler_(make_row_resampler(isa, row_spec_)),
          writer_(tensor_spec(spec), isa) {
        // Without a resize each row is read alone.
        if (!row_spec_.identity) return;
        for (int y = 0; y < spec.image_height; ++y) rows_[y] = {y, 0};
    }

    void run(const FrameView& frame, void* tensor) noexcept override {
        lines_->begin(frame);
        for (int y = 0; y < spec_.image_height; ++y) {
            resampler_->row(source_rows(y), writer_.row(tensor, y));
            writer_.write(tensor, y);
        }
        if (spec_.beyond == Beyond::mirror)
            writer_.mirror(tensor);
        else
            writer_.clear(tensor);
    }

    [[nodiscard]] TensorFormat format() const noexcept override { return spec_.tensor; }

    void move_roi(int x, int y) noexcept override {
        put_roi(spec_, x, y);
        lines_->move_roi(spec_.roi.x, spec_.roi.y);
    }

    [[nodiscard]] Roi roi() const noexcept override { return spec_.roi; }

    [[nodiscard]] TensorToSensor tensor_to_sensor() const noexcept override { return way_back(spec_); }

  private:
    [[nodiscard]] SourceRows source_rows(int y) noexcept {
        const AxisSample row = rows_[y];
        SourceRows source;
        source.top = lines_->line(row.low);
        source.bottom = row.weight > 0 ? lines_->line(row.low + 1) : source.top;
        source.channel_pitch = lines_->layout().channel_pitch;
        source.weight = row.weight;
        const AxisSample next = rows_[y + 1 < spec_.image_height ? y + 1 : y];
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
    TensorWriter writer_;
};

}  // namespace

std::unique_ptr<Preprocessor> make_preprocessor(const PreprocessSpec& asked, Isa isa) {
    return std::make_unique<CpuPreprocessor>(completed(asked), isa);
}

std::unique_ptr<Preprocessor> make_preprocessor(const PreprocessSpec& spec) {
    return make_preprocessor(spec, best_isa());
}

}  // namespace fastpose

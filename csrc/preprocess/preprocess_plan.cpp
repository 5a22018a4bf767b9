// Checks, and the numbers that the CPU and the GPU share.
#include "preprocess/preprocess_plan.h"

#include <algorithm>
#include <sstream>
#include <string>

#include "base/error.h"

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

void check_image(const PreprocessSpec& spec) {
    const bool fits = spec.image_width > 0 && spec.image_height > 0 &&
                      spec.image_width <= spec.output_width && spec.image_height <= spec.output_height;
    const std::string size = "image size is " + size_text(spec.image_width, spec.image_height);
    const std::string output = size_text(spec.output_width, spec.output_height);
    if (!fits) refuse(size, "positive, and within the output of " + output);
    if (spec.beyond == Beyond::zero) return;
    if (spec.output_width < 2 * spec.image_width && spec.output_height < 2 * spec.image_height) return;
    refuse(size, "more than half of the output of " + output + ", which mirrors it beyond its edges");
}

void check(const PreprocessSpec& spec) {
    check_frame(spec);
    check_roi(spec);
    if (spec.output_width <= 0 || spec.output_height <= 0) {
        refuse("output size is " + size_text(spec.output_width, spec.output_height),
               "a positive width and height");
    }
    check_image(spec);
}

}  // namespace

PreprocessSpec completed(const PreprocessSpec& asked) {
    PreprocessSpec spec = asked;
    if (spec.image_width == 0) spec.image_width = spec.output_width;
    if (spec.image_height == 0) spec.image_height = spec.output_height;
    check(spec);
    return spec;
}

RowSpec make_row_spec(const PreprocessSpec& spec, const LineLayout& layout) {
    RowSpec row;
    row.columns = sample_axis(spec.roi.width, spec.image_width);
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
    row.identity = layout.sample == SampleType::u8 && spec.roi.width == spec.image_width &&
                   spec.roi.height == spec.image_height;
    return row;
}

void put_roi(PreprocessSpec& spec, int x, int y) noexcept {
    spec.roi.x = std::clamp(x, 0, spec.frame_width - spec.roi.width);
    spec.roi.y = std::clamp(y, 0, spec.frame_height - spec.roi.height);
}

TensorToSensor way_back(const PreprocessSpec& spec) noexcept {
    const float scale_x = static_cast<float>(spec.roi.width) / static_cast<float>(spec.image_width);
    const float scale_y = static_cast<float>(spec.roi.height) / static_cast<float>(spec.image_height);
    const float half = spec.origin == Origin::centre ? 0.5F : 0.0F;
    return {scale_x, scale_y, static_cast<float>(spec.roi.x) + half * (scale_x - 1),
            static_cast<float>(spec.roi.y) + half * (scale_y - 1)};
}

}  // namespace fastpose

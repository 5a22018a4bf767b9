// Plans the kernel's arguments with what the CPU preprocessor plans, so that both sample the same places.
#include "preprocess/preprocess_cuda.h"

#include <algorithm>

#include "base/error.h"
#include "preprocess/bayer.h"
#include "preprocess/preprocess_plan.h"

namespace fastpose {
namespace {

constexpr unsigned threads_x = 32, threads_y = 8;

bool is_yuv(PixelFormat format) { return format == PixelFormat::yuyv || format == PixelFormat::nv12; }

// Channels and unit of the counts that a kernel's source gives.
LineLayout layout_of(KernelId kernel, PixelFormat format) {
    LineLayout layout;
    const bool colours = kernel == KernelId::preprocess_colour || kernel == KernelId::preprocess_bayer ||
                         kernel == KernelId::preprocess_yuv;
    layout.channels = colours ? 3 : 1;
    if (kernel == KernelId::preprocess_wide) layout.unit = 255.0F / static_cast<float>(white_of(format));
    if (kernel == KernelId::preprocess_bayer) layout.unit = kBayerUnit;
    if (is_yuv(format)) layout.unit = kYuvUnit;
    return layout;
}

void set_format(PreprocessArguments& arguments, PixelFormat format) {
    arguments.red_row = format == PixelFormat::bayer_rg8 || format == PixelFormat::bayer_gr8 ? 0 : 1;
    arguments.red_column = format == PixelFormat::bayer_rg8 || format == PixelFormat::bayer_gb8 ? 0 : 1;
    arguments.first_channel = format == PixelFormat::bgr8 ? 2 : 0;
    arguments.channel_step = format == PixelFormat::bgr8 ? -1 : 1;
    arguments.packed = format == PixelFormat::yuyv;
}

void require_fit(const PreprocessSpec& spec, const DeviceTensor& tensor) {
    const int channels = spec.colour == InputColour::rgb ? 3 : 1;
    const auto& shape = tensor.shape;
    if (shape[1] == channels && shape[2] == spec.output_height && shape[3] == spec.output_width) return;
    throw ConfigError("preprocess writes " + std::to_string(channels) + "x" +
                      std::to_string(spec.output_height) + "x" + std::to_string(spec.output_width) +
                      "; allowed: the " + std::to_string(shape[1]) + "x" + std::to_string(shape[2]) + "x" +
                      std::to_string(shape[3]) + " of the network's input " + tensor.name);
}

DeviceMemory samples_on_device(CudaCalls& calls, const std::vector<AxisSample>& samples) {
    return on_device(calls, std::as_bytes(std::span(samples)));
}

using PixelFunction = void (*)(const PreprocessArguments&, int, int) noexcept;

PixelFunction pixel_function(KernelId kernel) noexcept {
    switch (kernel) {
        case KernelId::preprocess_wide:
            return preprocess_pixel<WideSource>;
        case KernelId::preprocess_colour:
            return preprocess_pixel<ColourSource>;
        case KernelId::preprocess_bayer:
            return preprocess_pixel<BayerSource>;
        case KernelId::preprocess_yuv:
            return preprocess_pixel<YuvSource>;
        case KernelId::preprocess_luma:
            return preprocess_pixel<LumaSource>;
        default:
            return preprocess_pixel<Mono8Source>;
    }
}

}  // namespace

KernelId preprocess_kernel_for(const PreprocessSpec& spec) noexcept {
    switch (spec.format) {
        case PixelFormat::mono8:
            return KernelId::preprocess_mono8;
        case PixelFormat::mono10:
        case PixelFormat::mono12:
            return KernelId::preprocess_wide;
        case PixelFormat::rgb8:
        case PixelFormat::bgr8:
            return KernelId::preprocess_colour;
        case PixelFormat::yuyv:
        case PixelFormat::nv12:
            return spec.colour == InputColour::rgb ? KernelId::preprocess_yuv : KernelId::preprocess_luma;
        default:
            return KernelId::preprocess_bayer;
    }
}

float unit_of(const PreprocessSpec& spec) noexcept {
    return layout_of(preprocess_kernel_for(spec), spec.format).unit;
}

PreprocessArguments source_arguments(const PreprocessSpec& spec, const DeviceTensor& tensor) {
    require_fit(spec, tensor);
    PreprocessArguments arguments;
    arguments.frame_width = spec.frame_width;
    arguments.frame_height = spec.frame_height;
    arguments.output_width = spec.output_width;
    arguments.output_height = spec.output_height;
    arguments.image_width = spec.image_width;
    arguments.image_height = spec.image_height;
    arguments.mirror = spec.beyond == Beyond::mirror;
    const bool grey = spec.colour == InputColour::grey;
    arguments.mix = grey ? ColourMix::luma : ColourMix::per_channel;
    arguments.outputs = grey ? 1 : 3;
    arguments.element = tensor.element;
    arguments.layout = tensor.layout;
    set_format(arguments, spec.format);
    return arguments;
}

CudaPreprocess::CudaPreprocess(CudaCalls& calls, const PreprocessSpec& spec, const DeviceTensor& tensor)
    : spec_(completed(spec)), tensor_(tensor), kernel_(preprocess_kernel_for(spec)) {
    const RowSpec row = make_row_spec(spec_, layout_of(kernel_, spec_.format));
    fixed_ = source_arguments(spec_, tensor);
    fixed_.mix = row.mix;
    std::copy(row.gain.begin(), row.gain.end(), fixed_.gain);
    std::copy(row.offset.begin(), row.offset.end(), fixed_.offset);
    columns_ = samples_on_device(calls, row.columns);
    rows_ = samples_on_device(calls, sample_axis(spec_.roi.height, spec_.image_height));
}

PreprocessArguments CudaPreprocess::arguments(const std::uint8_t* frame, const RowParameters* parameters,
                                              void* image) const noexcept {
    PreprocessArguments arguments = fixed_;
    arguments.frame = frame;
    arguments.parameters = parameters;
    arguments.columns = reinterpret_cast<const AxisSample*>(columns_.data());
    arguments.rows = reinterpret_cast<const AxisSample*>(rows_.data());
    arguments.tensor = image;
    return arguments;
}

KernelGrid CudaPreprocess::grid() const noexcept {
    return {blocks_for(spec_.output_width, threads_x), blocks_for(spec_.output_height, threads_y), 1,
            threads_x, threads_y};
}

void CudaPreprocess::move_roi(int x, int y) noexcept { put_roi(spec_, x, y); }

RowParameters CudaPreprocess::parameters(std::ptrdiff_t stride_bytes) const noexcept {
    const TensorToSensor map = way_back(spec_);
    return {spec_.roi.x,  spec_.roi.y, static_cast<std::int32_t>(stride_bytes), 0, map.scale_x, map.scale_y,
            map.offset_x, map.offset_y};
}

FrameParts CudaPreprocess::needed(std::ptrdiff_t stride_bytes) const noexcept {
    const Roi& roi = spec_.roi;
    // The demosaic looks one row further.
    const int margin = kernel_ == KernelId::preprocess_bayer ? 1 : 0;
    const int top = std::max(roi.y - margin, 0);
    const int bottom = std::min(roi.y + roi.height + margin, spec_.frame_height);
    const auto stride = static_cast<std::size_t>(stride_bytes);
    const std::size_t last = row_bytes(spec_.format, spec_.frame_width);
    const auto part = [&](int first, int end) {
        return FramePart{static_cast<std::size_t>(first) * stride,
                         static_cast<std::size_t>(end - first - 1) * stride + last};
    };
    if (kernel_ != KernelId::preprocess_yuv || spec_.format != PixelFormat::nv12)
        return {part(top, bottom), {}};
    const int height = spec_.frame_height;
    return {part(top, bottom), part(height + top / 2, height + (bottom + 1) / 2)};
}

void preprocess_on_host(KernelId kernel, const PreprocessArguments& arguments) noexcept {
    const PixelFunction pixel = pixel_function(kernel);
    for (int y = 0; y < arguments.output_height; ++y)
        for (int x = 0; x < arguments.output_width; ++x) pixel(arguments, x, y);
}

}  // namespace fastpose

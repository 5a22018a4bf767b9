// Plans the kernel's arguments; the places are those of the CPU's cropper.
#include "preprocess/crop_cuda.h"

#include <algorithm>

#include "base/check.h"
#include "preprocess/crop_place.h"
#include "preprocess/preprocess_cuda.h"

namespace fastpose {
namespace {

constexpr unsigned threads_x = 32, threads_y = 8;

KernelId crop_kernel_of(KernelId preprocess) {
    switch (preprocess) {
        case KernelId::preprocess_wide:
            return KernelId::crop_wide;
        case KernelId::preprocess_colour:
            return KernelId::crop_colour;
        case KernelId::preprocess_bayer:
            return KernelId::crop_bayer;
        case KernelId::preprocess_yuv:
            return KernelId::crop_yuv;
        case KernelId::preprocess_luma:
            return KernelId::crop_luma;
        default:
            return KernelId::crop_mono8;
    }
}

CropSpec checked(CropSpec spec) {
    static_cast<void>(make_preprocessor(spec.frame));
    require_at_least("crop.margin_px", static_cast<double>(spec.margin_px), 0);
    return spec;
}

using PixelFunction = void (*)(const CropArguments&, int, int, int) noexcept;

PixelFunction pixel_function(KernelId kernel) noexcept {
    switch (kernel) {
        case KernelId::crop_wide:
            return crop_pixel<WideSource>;
        case KernelId::crop_colour:
            return crop_pixel<ColourSource>;
        case KernelId::crop_bayer:
            return crop_pixel<BayerSource>;
        case KernelId::crop_yuv:
            return crop_pixel<YuvSource>;
        case KernelId::crop_luma:
            return crop_pixel<LumaSource>;
        default:
            return crop_pixel<Mono8Source>;
    }
}

}  // namespace

CudaCropper::CudaCropper(const CropSpec& spec, const DeviceTensor& tensor)
    : spec_(checked(spec)), kernel_(crop_kernel_of(preprocess_kernel_for(spec.frame))) {
    fixed_.source = source_arguments(spec_.frame, tensor);
    std::ranges::copy(spec_.frame.scale, fixed_.source.gain);
    std::ranges::copy(spec_.frame.offset, fixed_.source.offset);
    fixed_.unit = unit_of(spec_.frame);
    const Roi& area = spec_.frame.roi;
    fixed_.area_x = area.x, fixed_.area_y = area.y;
    fixed_.area_width = area.width, fixed_.area_height = area.height;
    fixed_.antialias = spec_.antialias;
    fixed_.crops = tensor.shape[0];
    fixed_.image_bytes = static_cast<std::int64_t>(tensor.bytes()) / tensor.shape[0];
}

CropArguments CudaCropper::arguments(const std::uint8_t* frame, const RowParameters* parameters,
                                     const CropRectangle* rectangles, void* tensor) const noexcept {
    CropArguments arguments = fixed_;
    arguments.source.frame = frame;
    arguments.source.tensor = tensor;
    arguments.parameters = parameters;
    arguments.rectangles = rectangles;
    return arguments;
}

KernelGrid CudaCropper::grid() const noexcept {
    return {blocks_for(spec_.frame.output_width, threads_x), blocks_for(spec_.frame.output_height, threads_y),
            static_cast<unsigned>(fixed_.crops), threads_x, threads_y};
}

void CudaCropper::place(const Box& box, std::ptrdiff_t stride_bytes, RowParameters& parameters,
                        CropRectangle& rectangle) const noexcept {
    const CropPlace at = crop_place(spec_, box);
    const Roi& part = at.rectangle;
    const TensorToSensor& map = at.to_sensor;
    rectangle = {part.x, part.y, part.width, part.height};
    parameters = {
        part.x,       part.y,      static_cast<std::int32_t>(stride_bytes), 0, map.scale_x, map.scale_y,
        map.offset_x, map.offset_y};
}

void crop_on_host(KernelId kernel, const CropArguments& arguments) noexcept {
    const PixelFunction pixel = pixel_function(kernel);
    for (int crop = 0; crop < arguments.crops; ++crop)
        for (int y = 0; y < arguments.source.output_height; ++y)
            for (int x = 0; x < arguments.source.output_width; ++x) pixel(arguments, crop, x, y);
}

}  // namespace fastpose

// One pixel of an animal's crop, as a kernel computes it and as its twin on the host does: the arithmetic is
// that of the CPU's cropper, operation by operation, with the taps made where they are needed.
#pragma once
#include <cmath>
#include <cstdint>

#include "preprocess/preprocess_kernel.h"

namespace fastpose {

// A crop's part of the frame, px relative to the area; it may reach beyond.
struct CropRectangle {
    std::int32_t x = 0, y = 0, width = 1, height = 1;
};

// All pointers are the device's. Passed by value.
struct CropArguments {
    PreprocessArguments source;  // frame, its format, the tensor of all crops; gains in grey levels
    const RowParameters* parameters = nullptr;  // one a crop: only the stride is read
    const CropRectangle* rectangles = nullptr;  // one a crop
    int crops = 1;
    int area_x = 0, area_y = 0, area_width = 0, area_height = 0;  // outside of it a crop is black
    float unit = 1;                                               // grey levels of a count
    bool antialias = true;
    std::int64_t image_bytes = 0;  // of a crop in the tensor
};

// Where an output pixel looks along one axis; see AxisTaps.
struct CropTaps {
    int first = 0, count = 0;
    float centre = 0, inverse = 1, sum = 0;

    FASTPOSE_HD float raw(int j) const noexcept {
        const float distance = (static_cast<float>(j + first) - centre + 0.5F) * inverse;
        return std::fmax(1.0F - std::fabs(distance), 0.0F);
    }
    FASTPOSE_HD float weight(int j) const noexcept { return raw(j) / sum; }
};

FASTPOSE_HD inline CropTaps crop_taps(int i, int source, int output, bool antialias) noexcept {
    const float scale = static_cast<float>(source) / static_cast<float>(output);
    const float width = antialias ? std::fmax(scale, 1.0F) : 1.0F;
    const float unclamped = (static_cast<float>(i) + 0.5F) * scale;
    CropTaps taps;
    taps.centre =
        antialias ? unclamped : std::fmin(std::fmax(unclamped, 0.5F), static_cast<float>(source) - 0.5F);
    taps.inverse = 1.0F / width;
    const int first = static_cast<int>(taps.centre - width + 0.5F);
    const int end = static_cast<int>(taps.centre + width + 0.5F);
    taps.first = first > 0 ? first : 0;
    taps.count = (end < source ? end : source) - taps.first;
    for (int j = 0; j < taps.count; ++j) taps.sum += taps.raw(j);
    return taps;
}

// Grey levels of one line of the area, weighted; black beyond its ends.
template <class Source>
FASTPOSE_HD void crop_line(const CropArguments& spec, const DeviceFrame& frame, const CropTaps& taps, int x,
                           int y, float* sums) noexcept {
    for (int c = 0; c < Source::channels; ++c) sums[c] = 0;
    for (int j = 0; j < taps.count; ++j) {
        const int column = x + taps.first + j;
        if (column < 0 || column >= spec.area_width) continue;
        int counts[3];
        Source::sample(spec.source, frame, spec.area_x + column, spec.area_y + y, counts);
        for (int c = 0; c < Source::channels; ++c)
            sums[c] = std::fma(taps.weight(j), static_cast<float>(counts[c]) * spec.unit, sums[c]);
    }
}

// Grey levels of a pixel of a crop, rounded to whole ones.
template <class Source>
FASTPOSE_HD void crop_levels(const CropArguments& spec, const DeviceFrame& frame,
                             const CropRectangle& rectangle, int x, int y, float* levels) noexcept {
    const CropTaps columns = crop_taps(x, rectangle.width, spec.source.output_width, spec.antialias);
    const CropTaps rows = crop_taps(y, rectangle.height, spec.source.output_height, spec.antialias);
    for (int c = 0; c < Source::channels; ++c) levels[c] = 0;
    for (int j = 0; j < rows.count; ++j) {
        const int line = rectangle.y + rows.first + j;
        if (line < 0 || line >= spec.area_height) continue;
        float sums[3];
        crop_line<Source>(spec, frame, columns, rectangle.x, line, sums);
        for (int c = 0; c < Source::channels; ++c) levels[c] = std::fma(rows.weight(j), sums[c], levels[c]);
    }
    for (int c = 0; c < Source::channels; ++c) levels[c] = std::rint(levels[c]);
}

template <class Source>
FASTPOSE_HD float crop_value(const CropArguments& spec, const float* levels, int channel) noexcept {
    float level = levels[Source::channels == 3 ? channel : 0];
    if constexpr (Source::channels == 3)
        if (spec.source.mix == ColourMix::luma)  // BT.601
            level = levels[0] * 0.299F + levels[1] * 0.587F + levels[2] * 0.114F;
    return level * spec.source.gain[channel] + spec.source.offset[channel];
}

// Pixel (x, y) of a crop, all its channels.
template <class Source>
FASTPOSE_HD void crop_pixel(const CropArguments& spec, int crop, int x, int y) noexcept {
    const DeviceFrame frame{spec.source.frame, spec.source.frame_width, spec.source.frame_height,
                            spec.parameters[crop].stride_bytes};
    float levels[3];
    crop_levels<Source>(spec, frame, spec.rectangles[crop], x, y, levels);
    PreprocessArguments to = spec.source;
    to.tensor = static_cast<std::uint8_t*>(spec.source.tensor) + crop * spec.image_bytes;
    for (int c = 0; c < to.outputs; ++c) store(to, x, y, c, crop_value<Source>(spec, levels, c));
}

}  // namespace fastpose

// One pixel of the network's input, as a kernel computes it and as its twin on the host does: the arithmetic
// is that of the scalar CPU preprocessor, operation by operation.
#pragma once
#include <cmath>
#include <cstdint>

#include "cuda/device_tensor.h"
#include "cuda/half.h"
#include "cuda/host_device.h"
#include "cuda/row_parameters.h"
#include "preprocess/row_resampler.h"
#include "preprocess/yuv.h"

namespace fastpose {

// All pointers are the device's. Passed by value.
struct PreprocessArguments {
    const std::uint8_t* frame = nullptr;
    const RowParameters* parameters = nullptr;
    const AxisSample* columns = nullptr;  // image_width of them, relative to the roi
    const AxisSample* rows = nullptr;     // image_height
    void* tensor = nullptr;               // (C, output_height, output_width) of one image
    int frame_width = 0, frame_height = 0;
    int output_width = 0, output_height = 0;
    int image_width = 0, image_height = 0;  // the rest of the output is mirrored, or 0
    bool mirror = true;
    ColourMix mix = ColourMix::per_channel;
    int outputs = 1;  // channels
    float gain[3] = {1, 1, 1}, offset[3] = {0, 0, 0};
    DeviceElement element = DeviceElement::f32;
    TensorLayout layout = TensorLayout::nchw;
    // Of the pixel format: parity of red pixels (Bayer); sample of red in a pixel and step to the next colour
    // (colours); whether luma and chroma alternate (YUV).
    int red_row = 0, red_column = 0;
    int first_channel = 0, channel_step = 1;
    bool packed = false;
};

// A frame on the device, and where its rows begin.
struct DeviceFrame {
    const std::uint8_t* data;
    int width, height;
    std::int64_t stride_bytes;

    FASTPOSE_HD const std::uint8_t* row(int y) const noexcept { return data + y * stride_bytes; }
};

// What the kernels differ in: the samples of one sensor pixel, as counts.
struct Mono8Source {
    static constexpr int channels = 1;
    FASTPOSE_HD static void sample(const PreprocessArguments&, const DeviceFrame& frame, int x, int y,
                                   int* counts) noexcept {
        counts[0] = frame.row(y)[x];
    }
};

struct WideSource {
    static constexpr int channels = 1;
    FASTPOSE_HD static void sample(const PreprocessArguments&, const DeviceFrame& frame, int x, int y,
                                   int* counts) noexcept {
        const std::uint8_t* bytes = frame.row(y) + 2 * x;
        counts[0] = bytes[0] | bytes[1] << 8;
    }
};

struct ColourSource {
    static constexpr int channels = 3;
    FASTPOSE_HD static void sample(const PreprocessArguments& spec, const DeviceFrame& frame, int x, int y,
                                   int* counts) noexcept {
        const std::uint8_t* pixel = frame.row(y) + 3 * x + spec.first_channel;
        for (int c = 0; c < 3; ++c) counts[c] = pixel[c * spec.channel_step];
    }
};

// In quarters of a grey level; see LineConverter for the demosaic.
struct BayerSource {
    static constexpr int channels = 3;
    FASTPOSE_HD static int mirrored(int index, int count) noexcept {
        if (index < 0) return -index;
        return index < count ? index : 2 * count - 2 - index;
    }
    FASTPOSE_HD static void sample(const PreprocessArguments& spec, const DeviceFrame& frame, int x, int y,
                                   int* counts) noexcept {
        const std::uint8_t* above = frame.row(mirrored(y - 1, frame.height));
        const std::uint8_t* row = frame.row(y);
        const std::uint8_t* below = frame.row(mirrored(y + 1, frame.height));
        const int left = mirrored(x - 1, frame.width), right = mirrored(x + 1, frame.width);
        const int vertical = above[x] + below[x], horizontal = row[left] + row[right];
        const int diagonal = above[left] + above[right] + below[left] + below[right];
        const bool red = (y & 1) == spec.red_row;
        const bool own = (x & 1) == (red ? spec.red_column : 1 - spec.red_column);
        counts[red ? 0 : 2] = own ? 4 * row[x] : 2 * horizontal;
        counts[1] = own ? vertical + horizontal : 4 * row[x];
        counts[red ? 2 : 0] = own ? diagonal : 2 * vertical;
    }
};

// See Note [Fixed-point BT.601].
struct YuvPixel {
    FASTPOSE_HD static int clamped(int sum) noexcept {
        return sum < 0 ? 0 : sum > yuv::white ? yuv::white : sum;
    }
    FASTPOSE_HD static int rounded(int factor, int chroma) noexcept {
        return (factor * chroma + (1 << (yuv::chroma_shift - 1))) >> yuv::chroma_shift;
    }
    FASTPOSE_HD static int luma(const PreprocessArguments& spec, const DeviceFrame& frame, int x,
                                int y) noexcept {
        return yuv::luma * (frame.row(y)[spec.packed ? 2 * x : x] - 16);
    }
};

struct YuvSource {
    static constexpr int channels = 3;
    FASTPOSE_HD static void sample(const PreprocessArguments& spec, const DeviceFrame& frame, int x, int y,
                                   int* counts) noexcept {
        const int pair = x & ~1;
        const std::uint8_t* chroma =
            spec.packed ? frame.row(y) + 2 * pair + 1 : frame.row(frame.height + y / 2) + pair;
        const int u = chroma[0] - 128, v = chroma[spec.packed ? 2 : 1] - 128;
        const int luma = YuvPixel::luma(spec, frame, x, y);
        counts[0] = YuvPixel::clamped(luma + YuvPixel::rounded(yuv::red_v, v));
        counts[1] =
            YuvPixel::clamped(luma - YuvPixel::rounded(yuv::green_u, u) - YuvPixel::rounded(yuv::green_v, v));
        counts[2] = YuvPixel::clamped(luma + YuvPixel::rounded(yuv::blue_u, u));
    }
};

struct LumaSource {
    static constexpr int channels = 1;
    FASTPOSE_HD static void sample(const PreprocessArguments& spec, const DeviceFrame& frame, int x, int y,
                                   int* counts) noexcept {
        counts[0] = YuvPixel::clamped(YuvPixel::luma(spec, frame, x, y));
    }
};

// Samples `low` and, where it counts, `low + 1` of a row.
template <class Source>
FASTPOSE_HD void between_columns(const PreprocessArguments& spec, const DeviceFrame& frame, int x, int y,
                                 float weight, float* values) noexcept {
    int low[3], high[3];
    Source::sample(spec, frame, x, y, low);
    for (int c = 0; c < Source::channels; ++c) values[c] = static_cast<float>(low[c]);
    if (weight == 0) return;
    Source::sample(spec, frame, x + 1, y, high);
    for (int c = 0; c < Source::channels; ++c)
        values[c] += weight * (static_cast<float>(high[c]) - values[c]);
}

// The frame in counts at a pixel of the image.
template <class Source>
FASTPOSE_HD void bilinear(const PreprocessArguments& spec, int x, int y, float* values) noexcept {
    const RowParameters at = *spec.parameters;
    const DeviceFrame frame{spec.frame, spec.frame_width, spec.frame_height, at.stride_bytes};
    const AxisSample column = spec.columns[x], row = spec.rows[y];
    const int left = at.roi_x + column.low, top = at.roi_y + row.low;
    between_columns<Source>(spec, frame, left, top, column.weight, values);
    if (row.weight == 0) return;
    float below[3];
    between_columns<Source>(spec, frame, left, top + 1, column.weight, below);
    for (int c = 0; c < Source::channels; ++c) values[c] += row.weight * (below[c] - values[c]);
}

template <class Source>
FASTPOSE_HD float normalised(const PreprocessArguments& spec, const float* values, int channel) noexcept {
    if constexpr (Source::channels == 3)
        if (spec.mix == ColourMix::luma)
            return spec.offset[0] + values[0] * spec.gain[0] + values[1] * spec.gain[1] +
                   values[2] * spec.gain[2];
    const float in = Source::channels == 3 ? values[channel] : values[0];
    return in * spec.gain[channel] + spec.offset[channel];
}

FASTPOSE_HD inline void store(const PreprocessArguments& spec, int x, int y, int channel,
                              float value) noexcept {
    const std::int64_t pixel = static_cast<std::int64_t>(y) * spec.output_width + x;
    const std::int64_t plane = static_cast<std::int64_t>(spec.output_height) * spec.output_width;
    const std::int64_t index =
        spec.layout == TensorLayout::nhwc ? pixel * spec.outputs + channel : channel * plane + pixel;
    if (spec.element == DeviceElement::f32) {
        static_cast<float*>(spec.tensor)[index] = value;
    } else if (spec.element == DeviceElement::f16) {
        static_cast<Half*>(spec.tensor)[index] = half_from(value);
    } else {
        const float level = std::fmin(std::fmax(std::rint(value), 0.0F), 255.0F);
        static_cast<std::uint8_t*>(spec.tensor)[index] = static_cast<std::uint8_t>(level);
    }
}

// Pixel (x, y) of the output, all its channels.
template <class Source>
FASTPOSE_HD void preprocess_pixel(const PreprocessArguments& spec, int x, int y) noexcept {
    const bool beyond = x >= spec.image_width || y >= spec.image_height;
    if (beyond && !spec.mirror) {
        for (int c = 0; c < spec.outputs; ++c) store(spec, x, y, c, 0.0F);
        return;
    }
    const int from_x = x < spec.image_width ? x : 2 * (spec.image_width - 1) - x;
    const int from_y = y < spec.image_height ? y : 2 * (spec.image_height - 1) - y;
    float values[3];
    bilinear<Source>(spec, from_x, from_y, values);
    for (int c = 0; c < spec.outputs; ++c) store(spec, x, y, c, normalised<Source>(spec, values, c));
}

}  // namespace fastpose

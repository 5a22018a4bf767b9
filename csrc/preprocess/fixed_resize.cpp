// Separable: each input row is interpolated along x once, then pairs of them along y.
//
// Note [rounding]: OpenCV computes 8-bit bilinear in integers. Along x a sum of two products of 11-bit
// weights is kept whole; along y it loses 4 bits before and 16 bits after the second product, term by term,
// and the last 2 bits are rounded. At the left and right edge the outer weight moves to the inner pixel; at
// the top and bottom the row is repeated and both weights stay, which differs in the last bit.
// tests/python/test_fixed_resize.py holds this to OpenCV.
#include "preprocess/fixed_resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "base/error.h"

namespace fastpose {
namespace {

constexpr float kOne = 2048;  // the weight 1

enum class Edge { one_pixel, repeated };

FixedTap tap_at(int position, int input, double scale, Edge edge) {
    float fraction = static_cast<float>((position + 0.5) * scale - 0.5);
    int first = static_cast<int>(std::floor(fraction));
    fraction -= static_cast<float>(first);
    if (edge == Edge::one_pixel && (first < 0 || first >= input - 1)) fraction = 0;
    const auto inside = [input](int index) { return std::clamp(index, 0, input - 1); };
    const auto weight = [](float share) { return static_cast<int>(std::lrint(share * kOne)); };
    return {inside(first), inside(first + 1), weight(1 - fraction), weight(fraction)};
}

std::vector<FixedTap> taps(int input, int output, Edge edge) {
    const double scale = 1 / (static_cast<double>(output) / input);
    std::vector<FixedTap> found;
    for (int position = 0; position < output; ++position)
        found.push_back(tap_at(position, input, scale, edge));
    return found;
}

void require_positive(const char* name, int value) {
    if (value < 1) throw ConfigError(std::string(name) + " is " + std::to_string(value) + "; allowed: >= 1");
}

}  // namespace

FixedResize::FixedResize(const FixedResizeSpec& spec) : spec_(spec) {
    require_positive("width of the frame", spec.input_width);
    require_positive("height of the frame", spec.input_height);
    require_positive("width of the resized frame", spec.output_width);
    require_positive("height of the resized frame", spec.output_height);
    require_positive("channels", spec.channels);
    columns_ = taps(spec.input_width, spec.output_width, Edge::one_pixel);
    rows_ = taps(spec.input_height, spec.output_height, Edge::repeated);
    for (auto& line : lines_) line.resize(static_cast<std::size_t>(spec.output_width) * spec.channels);
}

void FixedResize::run(const std::uint8_t* input, std::ptrdiff_t stride, std::uint8_t* output) noexcept {
    const bool same = spec_.input_width == spec_.output_width && spec_.input_height == spec_.output_height;
    if (same) {
        const std::size_t bytes = static_cast<std::size_t>(spec_.input_width) * spec_.channels;
        for (int row = 0; row < spec_.input_height; ++row)
            std::memcpy(output + row * bytes, input + row * stride, bytes);
    } else if (spec_.input_width == 2 * spec_.output_width && spec_.input_height == 2 * spec_.output_height) {
        halve(input, stride, output);
    } else {
        interpolate(input, stride, output);
    }
}

void FixedResize::halve(const std::uint8_t* input, std::ptrdiff_t stride,
                        std::uint8_t* output) const noexcept {
    const int channels = spec_.channels;
    for (int row = 0; row < spec_.output_height; ++row) {
        const std::uint8_t* upper = input + 2 * row * stride;
        const std::uint8_t* lower = upper + stride;
        for (int column = 0; column < spec_.output_width; ++column, upper += channels, lower += channels)
            for (int c = 0; c < channels; ++c, ++upper, ++lower)
                *output++ = static_cast<std::uint8_t>(
                    (upper[0] + upper[channels] + lower[0] + lower[channels] + 2) >> 2);
    }
}

void FixedResize::interpolate(const std::uint8_t* input, std::ptrdiff_t stride,
                              std::uint8_t* output) noexcept {
    line_row_[0] = line_row_[1] = -1;
    const std::size_t samples = lines_[0].size();
    for (const FixedTap& tap : rows_) {
        const int* upper = row_at(input, stride, tap.first);
        const int* lower = row_at(input, stride, tap.second);
        for (std::size_t i = 0; i < samples; ++i) {
            const int above = (tap.first_weight * (upper[i] >> 4)) >> 16;
            const int below = (tap.second_weight * (lower[i] >> 4)) >> 16;
            output[i] = static_cast<std::uint8_t>((above + below + 2) >> 2);
        }
        output += samples;
    }
}

// The input row interpolated along x: one of the two lines at hand, or the older of them is overwritten. Rows
// are asked for in rising order, so the row a tap asked for first is never the one that its second
// overwrites.
const int* FixedResize::row_at(const std::uint8_t* input, std::ptrdiff_t stride, int row) noexcept {
    for (int held = 0; held < 2; ++held) {
        if (line_row_[held] != row) continue;
        next_line_ = 1 - held;
        return lines_[held].data();
    }
    int* line = lines_[next_line_].data();
    const std::uint8_t* source = input + row * stride;
    const int channels = spec_.channels;
    for (const FixedTap& tap : columns_) {
        const std::uint8_t* left = source + static_cast<std::ptrdiff_t>(tap.first) * channels;
        const std::uint8_t* right = source + static_cast<std::ptrdiff_t>(tap.second) * channels;
        for (int c = 0; c < channels; ++c)
            *line++ = left[c] * tap.first_weight + right[c] * tap.second_weight;
    }
    line_row_[next_line_] = row;
    const int written = next_line_;
    next_line_ = 1 - written;
    return lines_[written].data();
}

}  // namespace fastpose

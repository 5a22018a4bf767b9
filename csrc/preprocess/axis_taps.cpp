// The triangle filter, cut off where the source ends.
#include "preprocess/axis_taps.h"

#include <algorithm>
#include <cmath>

namespace fastpose {

AxisTaps::AxisTaps(int longest_source, int output)
    : spans_(static_cast<std::size_t>(output)),
      weights_(2 * static_cast<std::size_t>(longest_source) + 3 * static_cast<std::size_t>(output)) {}

void AxisTaps::plan(int source, bool antialias) noexcept {
    const float scale = static_cast<float>(source) / static_cast<float>(output());
    const float width = antialias ? std::max(scale, 1.0F) : 1.0F;
    std::size_t begin = 0;
    for (int i = 0; i < output(); ++i) {
        const float unclamped = (static_cast<float>(i) + 0.5F) * scale;
        const float centre =
            antialias ? unclamped : std::clamp(unclamped, 0.5F, static_cast<float>(source) - 0.5F);
        Span& span = spans_[static_cast<std::size_t>(i)];
        span.first = std::max(static_cast<int>(centre - width + 0.5F), 0);
        span.count = std::min(static_cast<int>(centre + width + 0.5F), source) - span.first;
        span.begin = begin;
        weigh(span, centre, width);
        begin += static_cast<std::size_t>(span.count);
    }
}

// In float32 and in this order, as torch does it; see crop_kernels.h.
void AxisTaps::weigh(Span& span, float centre, float width) noexcept {
    float* weights = weights_.data() + span.begin;
    const float inverse = 1.0F / width;
    float sum = 0;
    for (int j = 0; j < span.count; ++j) {
        const float distance = (static_cast<float>(j + span.first) - centre + 0.5F) * inverse;
        weights[j] = std::max(1.0F - std::abs(distance), 0.0F);
        sum += weights[j];
    }
    for (int j = 0; j < span.count; ++j) weights[j] /= sum;
}

}  // namespace fastpose

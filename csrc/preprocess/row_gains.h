// What the vector resamplers share: 16-bit horizontal weights, and the factors of a row.
#pragma once
#include <array>
#include <cmath>
#include <cstdint>

#include "preprocess/row_resampler.h"

namespace fastpose {

// Horizontal weights are stored as multiples of 2^-15 and negated: -32768 is a 16-bit number, 32768 is none.
inline constexpr int kWeightUnit = -32768;

struct PairWeights {
    std::int16_t low = 0, high = 0;
};

[[nodiscard]] inline PairWeights pair_weights(AxisSample sample) {
    const auto high = static_cast<int>(std::lround(sample.weight * static_cast<float>(kWeightUnit)));
    return {static_cast<std::int16_t>(kWeightUnit - high), static_cast<std::int16_t>(high)};
}

// Vertical weight, colour gain and the unit of the horizontal weights as one factor per line and channel;
// what is to be added to a channel comes with it.
struct RowGains {
    std::array<float, 3> top{}, bottom{}, offset{};
};

[[nodiscard]] inline RowGains row_gains(const RowSpec& spec, float weight, float unit) noexcept {
    RowGains gains;
    for (int c = 0; c < 3; ++c) {
        const float gain = (spec.mix == ColourMix::replicate ? 1.0F : spec.gain[c]) / unit;
        gains.top[c] = gain * (1 - weight);
        gains.bottom[c] = gain * weight;
        const bool offset_here =
            spec.mix == ColourMix::per_channel || (spec.mix == ColourMix::luma && c == 0);
        gains.offset[c] = offset_here ? spec.offset[c] : 0;
    }
    return gains;
}

}  // namespace fastpose

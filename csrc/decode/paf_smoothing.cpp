// A separable Gaussian with normalised weights.
#include "decode/paf_smoothing.h"

#include <algorithm>
#include <cmath>

namespace fastpose {

std::array<float, paf_taps> paf_gaussian(float sigma_cells) {
    constexpr std::size_t middle = paf_taps / 2;
    std::array<float, paf_taps> weights{};
    weights[middle] = 1;
    if (sigma_cells <= 0) return weights;
    float sum = 0;
    for (std::size_t i = 0; i < paf_taps; ++i) {
        const float distance = static_cast<float>(i) - static_cast<float>(middle);
        weights[i] = std::exp(-distance * distance / (2 * sigma_cells * sigma_cells));
        sum += weights[i];
    }
    for (float& weight : weights) weight /= sum;
    return weights;
}

PafSmoothing::PafSmoothing(int width, int height, float sigma_cells, bool sigmoid, Isa isa)
    : width_(width),
      height_(height),
      smooth_(sigma_cells > 0),
      sigmoid_(sigmoid),
      kernels_(paf_kernels_for(isa)),
      weights_(paf_gaussian(sigma_cells)),
      padded_row_(width_ + 2 * reach),
      rows_(width_ * (height_ + 2 * reach)) {}

void PafSmoothing::run(const float* cells, float* scores) noexcept {
    for (std::size_t row = 0; row < height_; ++row) {
        const float* source = cells + row * width_;
        float* target = smooth_ ? padded_row_.data() + reach : scores + row * width_;
        if (sigmoid_)
            kernels_.sigmoid(source, target, width_);
        else
            std::copy_n(source, width_, target);
        if (smooth_)
            kernels_.weigh(padded_row_.data(), 1, weights_.data(), rows_.data() + (row + reach) * width_,
                           width_);
    }
    if (smooth_) kernels_.weigh(rows_.data(), width_, weights_.data(), scores, width_ * height_);
}

}  // namespace fastpose

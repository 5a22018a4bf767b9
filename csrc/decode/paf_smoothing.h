// Scores of one bodypart: activation, then a Gaussian that calms the noise before peaks are sought.
#pragma once
#include <array>
#include <cstddef>
#include <vector>

#include "decode/paf_kernels.h"

namespace fastpose {

// The Gaussian's weights, whose sum is 1; without smoothing (0 cells) the middle one alone.
[[nodiscard]] std::array<float, paf_taps> paf_gaussian(float sigma_cells);

// Thread-bound; allocates in the constructor only.
class PafSmoothing {
  public:
    PafSmoothing(int width, int height, float sigma_cells, bool sigmoid, Isa isa);

    // cells, scores: (height, width). Zeros lie around the map, as in a padded convolution.
    void run(const float* cells, float* scores) noexcept;

  private:
    static constexpr std::size_t reach = paf_taps / 2;  // cells to each side

    std::size_t width_, height_;
    bool smooth_, sigmoid_;
    PafKernels kernels_;
    std::array<float, paf_taps> weights_;
    std::vector<float> padded_row_;  // (width + 2 reach)
    std::vector<float> rows_;        // (height + 2 reach, width), smoothed along x
};

}  // namespace fastpose

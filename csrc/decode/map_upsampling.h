// A map made twice as large and smoothed, as often as asked, in memory that is planned once.
#pragma once
#include <vector>

namespace fastpose {

// Each step: cubic x2 (a = -0.75, half-pixel centres, border cells repeated), then a convolution with
// (1, 4, 6, 4, 1) / 16 along both axes, zeros beyond the border.
class MapUpsampling {
  public:
    MapUpsampling(int height, int width, int steps);
    // map: (height, width). Returns (output_height, output_width), valid until the next run().
    const float* run(const float* map) noexcept;

    [[nodiscard]] int output_height() const noexcept { return height_ << steps_; }
    [[nodiscard]] int output_width() const noexcept { return width_ << steps_; }

  private:
    void enlarge(int height, int width) noexcept;
    void smooth(int height, int width) noexcept;

    int height_, width_, steps_;
    std::vector<float> map_, scratch_;
};

}  // namespace fastpose

// How well a part affinity field supports that two peaks belong to one animal.
#pragma once
#include <span>
#include <vector>

#include "decode/paf_peaks.h"

namespace fastpose {

// The line integral of the field from one peak to the other over their distance (Cao et al., "Realtime
// multi-person 2D pose estimation using part affinity fields", CVPR 2017), by the trapezoidal rule over
// equally spaced points, each read from the cell that it lies in. As DeepLabCut does, the length of the
// integrated vector is taken, so the sign of the field does not matter, and it is rounded to three decimals.
class PafAffinity {
  public:
    PafAffinity(int width, int height, int points);

    // field: the map of x components, behind it that of y components, (2, height, width). Not negative; NaN
    // counts as 0.
    [[nodiscard]] float operator()(const float* field, const PafPeak& from, const PafPeak& to) const noexcept;
    // Of the way, where the field is read.
    [[nodiscard]] std::span<const float> fractions() const noexcept { return fractions_; }

  private:
    int width_;
    std::size_t cells_;
    std::vector<float> fractions_;  // of the way, 0 to 1
};

}  // namespace fastpose

// From pixels of a frame to millimetres in the arena: a plane seen by a camera.
#pragma once
#include <array>
#include <memory>

namespace fastpose {

struct Place {
    double x = 0, y = 0;
};

// A homography; immutable, reentrant. The constructor throws ConfigError for a matrix that cannot be
// inverted.
class Calibration {
  public:
    // Row by row: (x_mm w, y_mm w, w) = matrix (x_px, y_px, 1).
    explicit Calibration(const std::array<double, 9>& px_to_mm);

    // NaN for places on or beyond the horizon.
    [[nodiscard]] Place to_mm(Place px) const noexcept;

  private:
    std::array<double, 9> matrix_;
};

}  // namespace fastpose

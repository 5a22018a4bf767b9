// From pixels of a frame to millimetres in the arena.
#include "rule/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/check.h"

namespace fastpose {
namespace {

double determinant(const std::array<double, 9>& m) {
    return m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) +
           m[2] * (m[3] * m[7] - m[4] * m[6]);
}

}  // namespace

Calibration::Calibration(const std::array<double, 9>& px_to_mm) : matrix_(px_to_mm) {
    for (std::size_t i = 0; i < matrix_.size(); ++i)
        require_between("homography[" + std::to_string(i / 3) + "][" + std::to_string(i % 3) + "]",
                        matrix_[i], -1e12, 1e12);
    const double size = std::abs(determinant(matrix_));
    if (!(size > 0))
        throw ConfigError("homography has determinant 0; allowed: a matrix that can be inverted");
}

Place Calibration::to_mm(Place px) const noexcept {
    const auto& m = matrix_;
    const double w = m[6] * px.x + m[7] * px.y + m[8];
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    if (!(w > 0)) return {none, none};
    return {(m[0] * px.x + m[1] * px.y + m[2]) / w, (m[3] * px.x + m[4] * px.y + m[5]) / w};
}

}  // namespace fastpose

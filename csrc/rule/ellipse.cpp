// Ellipse zones: distance to the nearest point of the border.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/check.h"
#include "rule/zone.h"

namespace fastpose {
namespace {

// Of a point of the first quadrant to the ellipse with half axes a >= b. The nearest point of the border is
// (a^2 u / (t + a^2), b^2 v / (t + b^2)) for the largest root t of
//     f(t) = (a u / (t + a^2))^2 + (b v / (t + b^2))^2 - 1,
// see Eberly, "Distance from a point to an ellipse", geometrictools.com, 2013. f falls and is convex there:
// Newton's steps from the left of the root never pass it.
double distance_to_border(double a, double b, double u, double v) noexcept {
    if (a == b) return std::abs(std::hypot(u, v) - a);
    if (v == 0 && a * u <= a * a - b * b) {  // within the evolute's width, on the long axis
        const double x = a * a * u / (a * a - b * b);
        return std::hypot(x - u, b * std::sqrt(std::max(0.0, 1 - (x / a) * (x / a))));
    }
    double t = std::max(a * u - a * a, b * v - b * b);
    for (int step = 0; step < 64; ++step) {
        const double p = a * u / (t + a * a), q = b * v / (t + b * b);
        const double f = p * p + q * q - 1;
        if (!(f > 0)) break;
        const double next = t + f / (2 * (p * p / (t + a * a) + q * q / (t + b * b)));
        if (next == t) break;
        t = next;
    }
    const double x = a * a * u / (t + a * a), y = b * b * v / (t + b * b);
    return std::hypot(x - u, y - v);
}

class Ellipse final : public Zone {
  public:
    Ellipse(std::array<double, 2> center, std::array<double, 2> half_axes, double angle_deg)
        : center_(center),
          half_axes_(half_axes),
          cos_(std::cos(angle_deg * std::numbers::pi / 180)),
          sin_(std::sin(angle_deg * std::numbers::pi / 180)) {}

    double signed_distance(double x, double y) const noexcept override {
        const double dx = x - center_[0], dy = y - center_[1];
        double u = std::abs(dx * cos_ + dy * sin_), v = std::abs(dy * cos_ - dx * sin_);
        double a = half_axes_[0], b = half_axes_[1];
        const bool inside = (u / a) * (u / a) + (v / b) * (v / b) <= 1;
        if (a < b) {
            std::swap(a, b);
            std::swap(u, v);
        }
        const double distance = distance_to_border(a, b, u, v);
        return inside ? -distance : distance;
    }

  private:
    std::array<double, 2> center_, half_axes_;
    double cos_, sin_;
};

}  // namespace

std::shared_ptr<const Zone> make_ellipse(std::array<double, 2> center, std::array<double, 2> half_axes_px,
                                         double angle_deg) {
    require_coordinate("center x", center[0]);
    require_coordinate("center y", center[1]);
    for (const double half_axis : half_axes_px) require_between("half_axes_px", half_axis, 1e-3, 1e6);
    require_between("angle_deg", angle_deg, -360, 360);
    return std::make_shared<Ellipse>(center, half_axes_px, angle_deg);
}

}  // namespace fastpose

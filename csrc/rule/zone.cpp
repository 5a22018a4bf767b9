// Circle, rectangle and square.
#include "rule/zone.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/check.h"

namespace fastpose {
namespace {

class Circle final : public Zone {
  public:
    Circle(std::array<double, 2> center, double radius_px) : center_(center), radius_px_(radius_px) {}

    double signed_distance(double x, double y) const noexcept override {
        return std::hypot(x - center_[0], y - center_[1]) - radius_px_;
    }

  private:
    std::array<double, 2> center_;
    double radius_px_;
};

class Rectangle final : public Zone {
  public:
    Rectangle(std::array<double, 2> center, double width, double height, double angle_deg)
        : center_(center),
          half_width_(width / 2),
          half_height_(height / 2),
          cos_(std::cos(angle_deg * std::numbers::pi / 180)),
          sin_(std::sin(angle_deg * std::numbers::pi / 180)) {}

    double signed_distance(double x, double y) const noexcept override {
        const double dx = x - center_[0], dy = y - center_[1];
        const double beyond_x = std::abs(dx * cos_ + dy * sin_) - half_width_;
        const double beyond_y = std::abs(dy * cos_ - dx * sin_) - half_height_;
        const double outside = std::hypot(std::max(beyond_x, 0.0), std::max(beyond_y, 0.0));
        return outside + std::min(std::max(beyond_x, beyond_y), 0.0);
    }

  private:
    std::array<double, 2> center_;
    double half_width_, half_height_;
    double cos_, sin_;
};

}  // namespace

std::shared_ptr<const Zone> make_circle(std::array<double, 2> center, double radius_px) {
    require_coordinate("center x", center[0]);
    require_coordinate("center y", center[1]);
    require_above("radius_px", radius_px, 0);
    return std::make_shared<Circle>(center, radius_px);
}

std::shared_ptr<const Zone> make_rectangle(double x, double y, double width, double height) {
    require_coordinate("x", x);
    require_coordinate("y", y);
    require_above("width", width, 0);
    require_above("height", height, 0);
    return std::make_shared<Rectangle>(std::array{x + width / 2, y + height / 2}, width, height, 0.0);
}

std::shared_ptr<const Zone> make_square(std::array<double, 2> center, double side_px, double angle_deg) {
    require_coordinate("center x", center[0]);
    require_coordinate("center y", center[1]);
    require_above("side_px", side_px, 0);
    require_between("angle_deg", angle_deg, -360, 360);
    return std::make_shared<Rectangle>(center, side_px, side_px, angle_deg);
}

}  // namespace fastpose

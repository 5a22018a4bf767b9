// Circle and rectangle.
#include "rule/zone.h"

#include <algorithm>
#include <cmath>

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
    Rectangle(double x, double y, double width, double height)
        : center_x_(x + width / 2),
          center_y_(y + height / 2),
          half_width_(width / 2),
          half_height_(height / 2) {}

    double signed_distance(double x, double y) const noexcept override {
        const double beyond_x = std::abs(x - center_x_) - half_width_;
        const double beyond_y = std::abs(y - center_y_) - half_height_;
        const double outside = std::hypot(std::max(beyond_x, 0.0), std::max(beyond_y, 0.0));
        return outside + std::min(std::max(beyond_x, beyond_y), 0.0);
    }

  private:
    double center_x_, center_y_, half_width_, half_height_;
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
    return std::make_shared<Rectangle>(x, y, width, height);
}

}  // namespace fastpose

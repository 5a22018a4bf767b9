// Regions of the arena that rules name, with their signed distance.
#pragma once
#include <array>
#include <memory>
#include <vector>

namespace fastpose {

// Immutable, reentrant. Coordinates are full-frame sensor px; the centre of the first pixel is (0, 0).
class Zone {
  public:
    // A keypoint this near to the border lies on it; far below what a float32 coordinate resolves.
    static constexpr double border_px = 1e-6;

    virtual ~Zone() = default;
    // Euclidean distance to the border in px: negative inside, positive outside.
    [[nodiscard]] virtual double signed_distance(double x, double y) const noexcept = 0;

    // The border belongs to the zone; margin_px > 0 grows the zone on all sides, < 0 shrinks it.
    [[nodiscard]] bool contains(double x, double y, double margin_px = 0) const noexcept {
        return signed_distance(x, y) <= margin_px + border_px;
    }
};

// All throw ConfigError. Polygon: at least 3 corners in order, either way round, open or closed, concave
// allowed; edges that cross each other are refused.
[[nodiscard]] std::shared_ptr<const Zone> make_polygon(const std::vector<std::array<double, 2>>& corners);
[[nodiscard]] std::shared_ptr<const Zone> make_circle(std::array<double, 2> center, double radius_px);
// x, y: top-left corner; the zone covers [x, x + width] x [y, y + height].
[[nodiscard]] std::shared_ptr<const Zone> make_rectangle(double x, double y, double width, double height);

}  // namespace fastpose

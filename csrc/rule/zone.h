// Regions of the arena that rules name, with their signed distance.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace fastpose {

// Immutable, reentrant. Coordinates are full-frame sensor px, the centre of the first pixel is (0, 0); a zone
// that a rule in mm names has its coordinates in mm.
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
// Sides may be turned about the centre: angle_deg is the heading of one of them, 0 right, 90 down.
[[nodiscard]] std::shared_ptr<const Zone> make_square(std::array<double, 2> center, double side_px,
                                                      double angle_deg);
// Half axes along that heading and across it.
[[nodiscard]] std::shared_ptr<const Zone> make_ellipse(std::array<double, 2> center,
                                                       std::array<double, 2> half_axes_px, double angle_deg);
// Pixels other than 0 belong to it, row by row, width x height; what lies beyond the frame belongs to the
// nearest pixel. Distances are between centres of pixels, less half a pixel.
[[nodiscard]] std::shared_ptr<const Zone> make_mask(std::span<const std::uint8_t> pixels, int width,
                                                    int height);

}  // namespace fastpose

// The empty arena of the simulated camera: floor, walls, light and occluder, rendered once.
#pragma once
#include <cstdint>
#include <vector>

#include "camera/sim_body.h"
#include "camera/sim_spec.h"

namespace fastpose::sim {

// Columns [begin, end) that hide what is below them; empty without an occluder.
struct Bar {
    int begin = 0, end = 0;  // px
    [[nodiscard]] bool hides(double x) const noexcept { return x > begin - 0.5 && x < end - 0.5; }
};

// Relative light at a pixel, linear over the frame.
struct Light {
    float centre = 1, per_x = 0, per_y = 0;
    [[nodiscard]] float at(float x, float y) const noexcept { return centre + per_x * x + per_y * y; }
};

[[nodiscard]] int wall_px(const SimSpec& spec) noexcept;
[[nodiscard]] Territory territory_of(const SimSpec& spec) noexcept;
[[nodiscard]] Light light_of(const SimSpec& spec) noexcept;
// The bar under which the animal spends spec.occlusion of its time.
[[nodiscard]] Bar place_bar(const SimSpec& spec, const Trajectory& trajectory);
// Grey levels of white at brightness spec.lighting.brightness.
[[nodiscard]] float white_level(const SimSpec& spec) noexcept;
// The channel (0 red, 1 green, 2 blue) that the colour filter passes at a pixel of a Bayer format.
[[nodiscard]] int bayer_channel(PixelFormat format, int x, int y) noexcept;
// The arena without animals in spec.pixel_format, densely packed.
[[nodiscard]] std::vector<std::uint8_t> render_arena(const SimSpec& spec, const Bar& bar);

}  // namespace fastpose::sim

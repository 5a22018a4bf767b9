// Draws simulated animals into one row of pixels at a time: outlines to fields, fields to layers, layers to
// grey levels.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "camera/sim_arena.h"
#include "camera/sim_body.h"
#include "camera/sim_field.h"

namespace fastpose::sim {

// Note [layers of a row]
// A row holds, for every pixel, how much the animal covers it, how bright the animal is there, and how much
// of that brightness is bare skin; brightness and skin are already multiplied by cover, so layers lie over
// each other and moments of the exposure average by plain sums. Colour comes last: fur and skin each have one
// tint.
class RowPainter {
  public:
    explicit RowPainter(const SimSpec& spec);

    // Starts row y; postures are the moments of the exposure.
    void paint(const Animal& animal, std::span<const Posture> moments, int y) noexcept;
    // Puts what was painted onto the row's pixels, but not under the bar.
    void blend(const Anatomy& anatomy, const Bar& bar, std::uint8_t* row) const noexcept;
    // How far beyond the capsules a row or column can still be touched, px.
    [[nodiscard]] static float margin_px(const Animal& animal, float edge_px) noexcept;
    [[nodiscard]] float edge_px() const noexcept { return edge_px_; }

  private:
    struct Skin {
        float level, rim_level, depth_px;  // from rim_level at the outline to level at depth_px
    };

    Span fill_field(std::span<const Capsule> capsules, float x_shift, float y, float margin) noexcept;
    void fill_fur(const Posture& posture, Span span) noexcept;
    void cast_shadow(const Animal& animal, const Posture& posture) noexcept;
    void lay_posture(const Animal& animal, const Posture& posture) noexcept;
    void lay_torso(const Animal& animal, const Posture& posture) noexcept;
    void lay_skin(std::span<const Capsule> capsules, const Skin& skin) noexcept;
    void lay(std::size_t x, float cover, float level, float skin) noexcept;
    void sum_moment(float weight) noexcept;
    void blend_single(const float (&coat)[2], const float (&skin)[2], Span span,
                      std::uint8_t* row) const noexcept;
    void blend_rgb(const Anatomy& anatomy, Span span, std::uint8_t* row) const noexcept;

    PixelFormat format_;
    int width_;
    float white_level_, edge_px_;
    Light light_;
    std::vector<float> fur_;  // tile
    int y_ = 0;
    Span span_;
    std::vector<float> field_, fur_row_, shadow_;
    std::vector<float> cover_, level_, skin_;              // this moment
    std::vector<float> sum_cover_, sum_level_, sum_skin_;  // over the exposure
};

}  // namespace fastpose::sim

// Layers of a row of pixels: shadow, tail, fur, ears.
#include "camera/sim_row.h"

#include <algorithm>
#include <cmath>

namespace fastpose::sim {
namespace {

constexpr float kOutside = -1e9F;
constexpr int kFurTile = 128;  // texels a side, a power of two
constexpr float kTexelsPerBody = 236;
constexpr float kShadowStrength = 0.45F, kShadowSoftness = 0.11F;  // softness and shift in body lengths
constexpr float kShadowShiftX = 0.035F, kShadowShiftY = 0.045F;

float clamp01(float f) { return std::min(std::max(f, 0.0F), 1.0F); }
float ease(float f) { return f * f * (3 - 2 * f); }

// White noise drawn out along the hair; tiles without seams; standard deviation about 1.
std::vector<float> make_fur(std::uint64_t seed) {
    constexpr int kLong = 4, kWide = 1, kMask = kFurTile - 1;
    std::vector<float> tile(kFurTile * kFurTile);
    for (int cell = 0; cell < kFurTile * kFurTile; ++cell) {
        const int u = cell & kMask, v = cell / kFurTile;
        double sum = 0;
        for (int dv = -kWide; dv <= kWide; ++dv) {
            for (int du = -kLong; du <= kLong; ++du) {
                const int near = ((v + dv) & kMask) * kFurTile + ((u + du) & kMask);
                sum += uniform(seed, Stream::fur, static_cast<std::uint64_t>(near), -1, 1);
            }
        }
        constexpr double kCount = (2 * kLong + 1) * (2 * kWide + 1);
        tile[static_cast<std::size_t>(cell)] = static_cast<float>(sum * std::sqrt(3 / kCount));
    }
    return tile;
}

Span joined(Span one, Span other) noexcept {
    if (one.empty() || other.empty()) {
        return one.empty() ? other : one;
    }
    return {std::min(one.begin, other.begin), std::max(one.end, other.end)};
}

Span reach_of(std::span<const Capsule> capsules, float y, float margin, int width) noexcept {
    Span span;
    for (const Capsule& capsule : capsules) {
        span = joined(span, reach_of(capsule, y, margin, width));
    }
    return span;
}

void fill(std::vector<float>& row, Span span, float value) noexcept {
    std::fill(row.begin() + span.begin, row.begin() + span.end, value);
}

}  // namespace

RowPainter::RowPainter(const SimSpec& spec)
    : format_(spec.pixel_format),
      width_(spec.width()),
      white_level_(white_level(spec)),
      edge_px_(std::max(1.2F, static_cast<float>(0.020 * spec.resolved_body_length_px()))),
      light_(light_of(spec)),
      fur_(make_fur(spec.seed)) {
    for (auto* row :
         {&field_, &fur_row_, &shadow_, &cover_, &level_, &skin_, &sum_cover_, &sum_level_, &sum_skin_}) {
        row->resize(static_cast<std::size_t>(width_));
    }
}

float RowPainter::margin_px(const Animal& animal, float edge_px) noexcept {
    return edge_px + (0.5F * kShadowSoftness + kShadowShiftY) * static_cast<float>(animal.length_px());
}

void RowPainter::paint(const Animal& animal, std::span<const Posture> moments, int y) noexcept {
    const auto row_y = static_cast<float>(y);
    const float margin = margin_px(animal, edge_px_);
    y_ = y;
    span_ = {};
    for (const Posture& posture : moments) {
        span_ = joined(span_, reach_of(posture.torso, row_y, margin, width_));
        span_ = joined(span_, reach_of(posture.tail, row_y, edge_px_, width_));
        span_ = joined(span_, reach_of(posture.ears, row_y, edge_px_, width_));
    }
    if (span_.empty()) {
        return;
    }
    for (auto* row : {&shadow_, &sum_cover_, &sum_level_, &sum_skin_}) {
        fill(*row, span_, 0);
    }
    cast_shadow(animal, moments[moments.size() / 2]);
    for (const Posture& posture : moments) {
        lay_posture(animal, posture);
        sum_moment(1.0F / static_cast<float>(moments.size()));
    }
}

// The capsules are shifted by x_shift. Returns the columns whose field was set.
Span RowPainter::fill_field(std::span<const Capsule> capsules, float x_shift, float y,
                            float margin) noexcept {
    const Span whole = reach_of(capsules, y, margin + std::abs(x_shift), width_);
    fill(field_, whole, kOutside);
    for (Capsule capsule : capsules) {
        capsule.a.x += x_shift;
        capsule.b.x += x_shift;
        const Span span = reach_of(capsule, y, margin, width_);
        if (!span.empty()) {
            raise_field(capsule, y, span, field_.data());
        }
    }
    return whole;
}

void RowPainter::cast_shadow(const Animal& animal, const Posture& posture) noexcept {
    const auto body_px = static_cast<float>(animal.length_px());
    const float soft_px = kShadowSoftness * body_px;
    const float y = static_cast<float>(y_) - kShadowShiftY * body_px;
    const Span span = fill_field(posture.torso, kShadowShiftX * body_px, y, 0.5F * soft_px);
    const float per_px = 1 / soft_px;
    for (int x = span.begin; x < span.end; ++x) {
        const auto i = static_cast<std::size_t>(x);
        shadow_[i] = kShadowStrength * ease(clamp01(0.5F + field_[i] * per_px));
    }
}

void RowPainter::lay_posture(const Animal& animal, const Posture& posture) noexcept {
    for (auto* row : {&cover_, &level_, &skin_}) {
        fill(*row, span_, 0);
    }
    const Anatomy& anatomy = animal.anatomy();
    const auto body_px = static_cast<float>(animal.length_px());
    const auto bare = static_cast<float>(anatomy.skin);
    const auto ear_px = static_cast<float>(anatomy.ear_radius) * body_px;
    lay_skin(posture.tail, {.level = bare, .rim_level = 0.6F * bare, .depth_px = 0.012F * body_px});
    lay_torso(animal, posture);
    lay_skin(posture.ears, {.level = bare, .rim_level = 0.45F * bare, .depth_px = 0.40F * ear_px});
    lay_skin(posture.eyes, {.level = 0.04F, .rim_level = 0.06F, .depth_px = 1});
    lay_skin({&posture.nose, 1},
             {.level = 0.95F * bare, .rim_level = 0.8F * bare, .depth_px = 0.01F * body_px});
}

void RowPainter::fill_fur(const Posture& posture, Span span) noexcept {
    const Point middle = posture.keypoints[center], axis = posture.axis;
    const float scale = kTexelsPerBody / posture.length_px;
    const float dy = static_cast<float>(y_) - middle.y;
    float u = scale * ((static_cast<float>(span.begin) - middle.x) * axis.x + dy * axis.y) + 64 * kFurTile;
    float v = scale * (dy * axis.x - (static_cast<float>(span.begin) - middle.x) * axis.y) + 64 * kFurTile;
    for (int x = span.begin; x < span.end; ++x) {
        const int column = static_cast<int>(u) & (kFurTile - 1), row = static_cast<int>(v) & (kFurTile - 1);
        fur_row_[static_cast<std::size_t>(x)] = fur_[static_cast<std::size_t>(row * kFurTile + column)];
        u += scale * axis.x;
        v -= scale * axis.y;
    }
}

void RowPainter::lay(std::size_t x, float cover, float level, float skin) noexcept {
    const float below = 1 - cover;
    cover_[x] = cover + below * cover_[x];
    level_[x] = cover * level + below * level_[x];
    skin_[x] = cover * skin + below * skin_[x];
}

// Fur: darker at the flanks, a sheen along the back, hair by hair.
void RowPainter::lay_torso(const Animal& animal, const Posture& posture) noexcept {
    const Span span = fill_field(posture.torso, 0, static_cast<float>(y_), edge_px_);
    fill_fur(posture, span);
    const Anatomy& anatomy = animal.anatomy();
    const auto coat = static_cast<float>(anatomy.coat), texture = static_cast<float>(anatomy.texture);
    const float per_edge = 1 / edge_px_, per_depth = 1 / (0.075F * static_cast<float>(animal.length_px()));
    for (int x = span.begin; x < span.end; ++x) {
        const auto i = static_cast<std::size_t>(x);
        const float fur = fur_row_[i];
        const float cover = ease(clamp01(0.5F + (field_[i] + 0.15F * edge_px_ * fur) * per_edge));
        const float depth = clamp01(field_[i] * per_depth);
        lay(i, cover, coat * (0.70F + 0.42F * depth * (2 - depth)) * (1 + 0.5F * texture * fur), 0);
    }
}

void RowPainter::lay_skin(std::span<const Capsule> capsules, const Skin& skin) noexcept {
    const Span span = fill_field(capsules, 0, static_cast<float>(y_), edge_px_);
    const float soft_px = std::min(edge_px_, 1.5F);
    const float per_soft = 1 / soft_px, per_depth = 1 / skin.depth_px;
    for (int x = span.begin; x < span.end; ++x) {
        const auto i = static_cast<std::size_t>(x);
        const float cover = clamp01(0.5F + field_[i] * per_soft);
        const float level = skin.rim_level + (skin.level - skin.rim_level) * clamp01(field_[i] * per_depth);
        lay(i, cover, level, level);
    }
}

void RowPainter::sum_moment(float weight) noexcept {
    for (auto i = static_cast<std::size_t>(span_.begin); i < static_cast<std::size_t>(span_.end); ++i) {
        sum_cover_[i] += weight * cover_[i];
        sum_level_[i] += weight * level_[i];
        sum_skin_[i] += weight * skin_[i];
    }
}

void RowPainter::blend(const Anatomy& anatomy, const Bar& bar, std::uint8_t* row) const noexcept {
    const bool barred = bar.begin < bar.end;
    const Span parts[2] = {{span_.begin, barred ? std::min(span_.end, bar.begin) : span_.end},
                           {barred ? std::max(span_.begin, bar.end) : span_.end, span_.end}};
    for (const Span part : parts) {
        if (format_ == PixelFormat::rgb8 || format_ == PixelFormat::bgr8) {
            blend_rgb(anatomy, part, row);
            continue;
        }
        float coat[2] = {1, 1}, skin[2] = {1, 1};  // tints of even and odd columns
        for (int x = 0; x < 2 && format_ != PixelFormat::mono8; ++x) {
            const auto channel = static_cast<std::size_t>(bayer_channel(format_, x, y_));
            coat[x] = static_cast<float>(anatomy.coat_tint[channel]);
            skin[x] = static_cast<float>(anatomy.skin_tint[channel]);
        }
        blend_single(coat, skin, part, row);
    }
}

void RowPainter::blend_single(const float (&coat)[2], const float (&skin)[2], Span span,
                              std::uint8_t* row) const noexcept {
    const float light = white_level_ * light_.at(0, static_cast<float>(y_)),
                per_x = white_level_ * light_.per_x;
    // Bytes may alias anything: with local pointers the loop need not read the members again.
    const float *shadow = shadow_.data(), *cover = sum_cover_.data(), *level = sum_level_.data(),
                *bare = sum_skin_.data();
    const float coat_even = coat[0], coat_odd = coat[1], skin_even = skin[0], skin_odd = skin[1];
    for (int x = span.begin; x < span.end; ++x) {
        const bool odd = (x & 1) != 0;
        const float animal =
            (odd ? coat_odd : coat_even) * (level[x] - bare[x]) + (odd ? skin_odd : skin_even) * bare[x];
        const float behind = static_cast<float>(row[x]) * (1 - shadow[x]) * (1 - cover[x]);
        const float value = behind + (light + per_x * static_cast<float>(x)) * animal + 0.5F;
        row[x] = static_cast<std::uint8_t>(static_cast<int>(std::min(value, 255.0F)));
    }
}

void RowPainter::blend_rgb(const Anatomy& anatomy, Span span, std::uint8_t* row) const noexcept {
    const float light = white_level_ * light_.at(0, static_cast<float>(y_)),
                per_x = white_level_ * light_.per_x;
    for (int x = span.begin; x < span.end; ++x) {
        const auto i = static_cast<std::size_t>(x);
        const float here = light + per_x * static_cast<float>(x);
        const float through = (1 - shadow_[i]) * (1 - sum_cover_[i]);
        for (std::size_t channel = 0; channel < 3; ++channel) {
            const std::size_t tint = format_ == PixelFormat::bgr8 ? 2 - channel : channel;
            const float animal =
                static_cast<float>(anatomy.coat_tint[tint]) * (sum_level_[i] - sum_skin_[i]) +
                static_cast<float>(anatomy.skin_tint[tint]) * sum_skin_[i];
            std::uint8_t& value = row[3 * i + channel];
            value = static_cast<std::uint8_t>(
                std::min(static_cast<float>(value) * through + here * animal + 0.5F, 255.0F));
        }
    }
}

}  // namespace fastpose::sim

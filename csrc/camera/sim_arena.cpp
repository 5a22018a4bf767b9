// Floor, walls, light and bar of the empty arena.
#include "camera/sim_arena.h"

#include <algorithm>
#include <cmath>

namespace fastpose::sim {
namespace {

struct Paint {
    float level = 0;  // relative to white
    const float* tint = nullptr;
};

constexpr float kPaleFloorTint[3] = {1.03F, 1.00F, 0.94F}, kDarkFloorTint[3] = {0.94F, 1.00F, 1.06F};
constexpr float kWallTint[3] = {0.97F, 1.00F, 1.05F}, kBarTint[3] = {0.90F, 1.00F, 1.08F};
constexpr float kSpeckTint[3] = {1.15F, 1.00F, 0.75F};

float ease(float f) { return f * f * (3 - 2 * f); }

// Value noise: hashed lattice values, smoothly interpolated, -1 to 1.
float lattice_noise(std::uint64_t seed, float x, float y) {
    const auto column = static_cast<std::int64_t>(std::floor(x)),
               row = static_cast<std::int64_t>(std::floor(y));
    const auto value = [&](std::int64_t i, std::int64_t j) {
        const auto key = static_cast<std::uint64_t>(i + 4096) << 32 | static_cast<std::uint64_t>(j + 4096);
        return static_cast<float>(2 * uniform(seed, Stream::floor, key) - 1);
    };
    const float fx = ease(x - static_cast<float>(column)), fy = ease(y - static_cast<float>(row));
    const float top = std::lerp(value(column, row), value(column + 1, row), fx);
    const float bottom = std::lerp(value(column, row + 1), value(column + 1, row + 1), fx);
    return std::lerp(top, bottom, fy);
}

// Draws the arena into an array of paints, layer over layer.
class Painter {
  public:
    Painter(const SimSpec& spec, const Bar& bar)
        : spec_(spec),
          bar_(bar),
          unit_px_(static_cast<float>(std::min(spec.width(), spec.height())) / 480.0F),
          paints_(static_cast<std::size_t>(spec.width()) * spec.height()) {
        each_pixel([this](int x, int y) { return floor_at(x, y); });
        scatter_specks();
        each_pixel([this](int x, int y) { return wall_at(x, y); });
        each_pixel([this](int x, int y) { return bar_at(x, y); });
    }
    [[nodiscard]] const Paint& at(int x, int y) const { return paints_[index(x, y)]; }

  private:
    [[nodiscard]] std::size_t index(int x, int y) const {
        return static_cast<std::size_t>(y) * spec_.width() + static_cast<std::size_t>(x);
    }
    template <typename Rule>
    void each_pixel(Rule rule) {
        for (int y = 0; y < spec_.height(); ++y) {
            for (int x = 0; x < spec_.width(); ++x) {
                paints_[index(x, y)] = rule(x, y);
            }
        }
    }

    [[nodiscard]] Paint floor_at(int x, int y) const {
        const float px = static_cast<float>(x) / unit_px_, py = static_cast<float>(y) / unit_px_;
        const float stains = lattice_noise(spec_.seed, px / 90, py / 90) +
                             0.6F * lattice_noise(spec_.seed + 1, px / 31, py / 31);
        const float grain = lattice_noise(spec_.seed + 2, px / 3.1F, py / 3.1F);
        const bool pale = !spec_.light_coat();
        const float base = pale ? 0.92F : 0.30F;
        return {base * (1 + 0.035F * stains + 0.022F * grain), pale ? kPaleFloorTint : kDarkFloorTint};
    }

    // Bits of bedding and droppings.
    void scatter_specks() {
        constexpr std::uint64_t kSpecks = 46;
        for (std::uint64_t k = 0; k < kSpecks; ++k) {
            const auto draw = [&](std::uint64_t i, double low, double high) {
                return static_cast<float>(uniform(spec_.seed, Stream::specks, 8 * k + i, low, high));
            };
            const Point at{draw(0, 0, spec_.width()), draw(1, 0, spec_.height())};
            const float angle = draw(2, 0, 3.1416), radius = draw(3, 0.7, 2.0) * unit_px_;
            const float half = draw(4, 0.5, 4.0) * unit_px_;
            draw_speck(at, {half * std::cos(angle), half * std::sin(angle)}, radius, draw(5, -0.5, 0.25));
        }
    }
    void draw_speck(Point at, Point half, float radius, float contrast) {
        const int reach = static_cast<int>(std::ceil(std::hypot(half.x, half.y) + radius + 1));
        const int cx = static_cast<int>(at.x), cy = static_cast<int>(at.y);
        for (int y = std::max(0, cy - reach); y <= std::min(spec_.height() - 1, cy + reach); ++y) {
            for (int x = std::max(0, cx - reach); x <= std::min(spec_.width() - 1, cx + reach); ++x) {
                const float dx = static_cast<float>(x) - at.x, dy = static_cast<float>(y) - at.y;
                const float length2 = half.x * half.x + half.y * half.y;
                const float along = std::clamp((dx * half.x + dy * half.y) / length2, -1.0F, 1.0F);
                const float distance = std::hypot(dx - along * half.x, dy - along * half.y);
                const float cover = std::clamp(radius - distance + 0.5F, 0.0F, 1.0F);
                Paint& paint = paints_[index(x, y)];
                paint.level *= 1 + contrast * cover;
                paint.tint = cover > 0.5F ? kSpeckTint : paint.tint;
            }
        }
    }

    [[nodiscard]] Paint wall_at(int x, int y) const {
        const int wall = wall_px(spec_);
        const int side = std::min(x, spec_.width() - 1 - x), end = std::min(y, spec_.height() - 1 - y);
        const int depth = std::min(side, end);  // px from the frame's border
        Paint paint = at(x, y);
        if (depth >= wall) {
            const float gap = static_cast<float>(depth - wall) / (9 * unit_px_);
            paint.level *= 1 - 0.30F * std::exp(-gap);
            return paint;
        }
        const float height = static_cast<float>(depth) / static_cast<float>(wall);
        const float facing = side < end ? 0.86F : 1.0F;
        const float edge = depth + 1 == wall || depth == 0 ? 0.75F : 1.0F;
        const float base = spec_.light_coat() ? 0.16F : 0.62F;
        return {base * facing * edge * (1.08F - 0.30F * height), kWallTint};
    }

    [[nodiscard]] Paint bar_at(int x, int y) const {
        Paint paint = at(x, y);
        if (bar_.begin == bar_.end || x < bar_.begin) {
            return paint;
        }
        if (x >= bar_.end) {
            paint.level *= 1 - 0.35F * std::exp(-static_cast<float>(x - bar_.end) / (7 * unit_px_));
            return paint;
        }
        const float across =
            (static_cast<float>(x - bar_.begin) + 0.5F) / static_cast<float>(bar_.end - bar_.begin);
        const float sheen = std::exp(-40 * (across - 0.35F) * (across - 0.35F));
        const float edge = x == bar_.begin || x + 1 == bar_.end ? 0.7F : 1.0F;
        const float brushed = lattice_noise(spec_.seed + 3, static_cast<float>(x) / (1.7F * unit_px_),
                                            static_cast<float>(y) / (60 * unit_px_));
        return {edge * (0.46F + 0.12F * sheen + 0.012F * brushed), kBarTint};
    }

    const SimSpec& spec_;
    Bar bar_;
    float unit_px_;  // px of this frame to one px of a frame 480 high
    std::vector<Paint> paints_;
};

std::uint8_t to_grey_level(float value) {
    return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0F, 255.0F)));
}

}  // namespace

int wall_px(const SimSpec& spec) noexcept {
    return std::max(2, static_cast<int>(std::lround(0.042 * std::min(spec.width(), spec.height()))));
}

Territory territory_of(const SimSpec& spec) noexcept {
    const double body_px = spec.resolved_body_length_px();
    const double margin_px =
        std::max(wall_px(spec) + 0.30 * body_px, 0.5 * body_px);  // the snout stays in the frame
    const double centre_x = 0.5 * (spec.width() - 1), centre_y = 0.5 * (spec.height() - 1);
    return {.centre_x = centre_x,
            .centre_y = centre_y,
            .reach_x = std::max(1.0, centre_x - margin_px),
            .reach_y = std::max(1.0, centre_y - margin_px),
            .body_length_px = body_px};
}

// Light falls from the upper left.
Light light_of(const SimSpec& spec) noexcept {
    const auto gradient = static_cast<float>(spec.lighting.gradient);
    const auto width = static_cast<float>(spec.width()), height = static_cast<float>(spec.height());
    return {.centre = 1 + 0.5F * gradient,
            .per_x = -0.65F * gradient / width,
            .per_y = -0.35F * gradient / height};
}

Bar place_bar(const SimSpec& spec, const Trajectory& trajectory) {
    if (spec.occlusion <= 0) {
        return {};
    }
    constexpr std::size_t kMoments = 20000;
    std::vector<double> places(kMoments);
    for (std::size_t i = 0; i < kMoments; ++i) {
        places[i] = trajectory.at(trajectory.period_s() * static_cast<double>(i) / kMoments).x;
    }
    std::sort(places.begin(), places.end());
    // A hashed stretch of the sorted places holds the wanted fraction of them.
    const double first = uniform(spec.seed, Stream::occluder, 0, 0.15, 0.85) * (1 - spec.occlusion);
    const double begin = places[static_cast<std::size_t>(first * (kMoments - 1))];
    const double end = places[static_cast<std::size_t>((first + spec.occlusion) * (kMoments - 1))];
    return {.begin = static_cast<int>(std::lround(begin + 0.5)),
            .end = std::max(static_cast<int>(std::lround(begin + 0.5)) + 2,
                            static_cast<int>(std::lround(end + 0.5)))};
}

float white_level(const SimSpec& spec) noexcept { return static_cast<float>(255 * spec.lighting.brightness); }

int bayer_channel(PixelFormat format, int x, int y) noexcept {
    const bool red_row_first = format == PixelFormat::bayer_rg8 || format == PixelFormat::bayer_gr8;
    const bool green_first = format == PixelFormat::bayer_gr8 || format == PixelFormat::bayer_gb8;
    const int row = y & 1, column = x & 1;
    if ((column ^ row ^ (green_first ? 1 : 0)) != 0) {
        return 1;
    }
    return (row == 0) == red_row_first ? 0 : 2;
}

std::vector<std::uint8_t> render_arena(const SimSpec& spec, const Bar& bar) {
    const Painter painter(spec, bar);
    const Light light = light_of(spec);
    std::vector<std::uint8_t> pixels(frame_bytes(spec.pixel_format, spec.width(), spec.height()));
    std::uint8_t* out = pixels.data();
    for (int y = 0; y < spec.height(); ++y) {
        for (int x = 0; x < spec.width(); ++x) {
            const Paint& paint = painter.at(x, y);
            const float level =
                white_level(spec) * paint.level * light.at(static_cast<float>(x), static_cast<float>(y));
            if (spec.pixel_format == PixelFormat::mono8) {
                *out++ = to_grey_level(level);
            } else if (spec.pixel_format == PixelFormat::rgb8 || spec.pixel_format == PixelFormat::bgr8) {
                const bool swapped = spec.pixel_format == PixelFormat::bgr8;
                for (int channel = 0; channel < 3; ++channel) {
                    *out++ = to_grey_level(level * paint.tint[swapped ? 2 - channel : channel]);
                }
            } else {
                *out++ = to_grey_level(level * paint.tint[bayer_channel(spec.pixel_format, x, y)]);
            }
        }
    }
    return pixels;
}

}  // namespace fastpose::sim

// Frames: the arena, the animals over it, then light and noise.
#include "camera/sim_renderer.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

namespace fastpose::sim {
namespace {

constexpr int kMaxMoments = 32;
constexpr double kLampHz = 100;

std::vector<Animal> make_animals(const SimSpec& spec) {
    std::vector<Animal> animals;
    for (int i = 0; i < spec.individuals; ++i) {
        const std::uint64_t seed = hash_of(spec.seed, Stream::individual, static_cast<std::uint64_t>(i));
        animals.emplace_back(spec, territory_of(spec), seed);
    }
    return animals;
}

// One long strip; each row of each frame begins at a hashed place in it.
std::vector<std::int8_t> make_noise(const SimSpec& spec, std::size_t row_bytes) {
    std::vector<std::int8_t> strip(std::max<std::size_t>(std::size_t{1} << 18, 8 * row_bytes));
    for (std::size_t i = 0; i < strip.size() && spec.noise > 0; ++i) {
        const double value = spec.noise * normal(spec.seed, Stream::noise, i);
        strip[i] = static_cast<std::int8_t>(std::lround(std::clamp(value, -127.0, 127.0)));
    }
    return strip;
}

// Free of members and 16 bits wide, so that compilers turn it into saturating vector code.
void add_saturated(std::uint8_t* row, const std::int8_t* noise, std::size_t count) noexcept {
    for (std::size_t x = 0; x < count; ++x) {
        const auto value = static_cast<std::int16_t>(row[x] + noise[x]);
        const auto floored = value < 0 ? std::int16_t{0} : value;
        row[x] = static_cast<std::uint8_t>(floored > 255 ? std::int16_t{255} : floored);
    }
}

bool hides(const Posture& posture, const TrueKeypoint& keypoint) noexcept {
    const auto holds = [&](const Capsule& capsule) {
        return inside_by(capsule, {keypoint.x, keypoint.y}) > 0;
    };
    return std::any_of(posture.torso.begin(), posture.torso.end(), holds) ||
           std::any_of(posture.ears.begin(), posture.ears.end(), holds);
}

}  // namespace

Renderer::Renderer(const SimSpec& spec)
    : spec_(spec),
      row_bytes_(row_bytes(spec.pixel_format, spec.width())),
      animals_(make_animals(spec)),
      bar_(place_bar(spec, animals_[0].trajectory())),
      painter_(spec),
      arena_(render_arena(spec, bar_)),
      noise_(make_noise(spec, row_bytes_)),
      moments_(kMaxMoments) {}

void Renderer::render(double time_s, std::uint64_t noise_key, Rows rows,
                      std::span<std::uint8_t> pixels) noexcept {
    const std::size_t first = static_cast<std::size_t>(rows.begin) * row_bytes_;
    const std::size_t count = static_cast<std::size_t>(rows.end - rows.begin) * row_bytes_;
    std::memcpy(pixels.data() + first, arena_.data() + first, count);
    for (const Animal& animal : animals_) {
        draw_animal(animal, time_s, rows, pixels.data());
    }
    add_flicker(time_s, rows, pixels.data());
    add_noise(noise_key, rows, pixels.data());
}

void Renderer::truth(double time_s, std::span<TrueKeypoint> keypoints) const noexcept {
    const double middle_s = time_s + 0.5e-6 * spec_.exposure_us;
    for (std::size_t i = 0; i < animals_.size(); ++i) {
        const Posture posture = animals_[i].posture_at(middle_s);
        for (TrueKeypoint& below : keypoints.first(i * kBodyparts)) {
            below.visible = hides(posture, below) ? 0.0F : below.visible;
        }
        for (std::size_t k = 0; k < kBodyparts; ++k) {
            const Point& point = posture.keypoints[k];
            keypoints[i * kBodyparts + k] = {point.x, point.y, in_view(point) ? 1.0F : 0.0F};
        }
    }
}

bool Renderer::in_view(const Point& point) const noexcept {
    const bool in_frame = point.x > -0.5F && point.x < static_cast<float>(spec_.width()) - 0.5F &&
                          point.y > -0.5F && point.y < static_cast<float>(spec_.height()) - 0.5F;
    return in_frame && !bar_.hides(point.x);
}

// Postures spread over the exposure, as many as the movement asks for.
std::span<const Posture> Renderer::fill_moments(const Animal& animal, double time_s) noexcept {
    const double px_per_moment = 0.64 * painter_.edge_px();  // so that moments melt into one another
    const double exposure_s = 1e-6 * spec_.exposure_us;
    std::size_t count = 1;
    if (spec_.motion_blur) {
        const Motion motion = animal.trajectory().at(time_s + 0.5 * exposure_s);
        const double moved_px =
            exposure_s * (motion.speed_px_s + 0.5 * animal.length_px() * std::abs(motion.turn_rad_s));
        count =
            static_cast<std::size_t>(std::clamp(std::ceil(moved_px / px_per_moment), 1.0, 1.0 * kMaxMoments));
    }
    for (std::size_t m = 0; m < count; ++m) {
        const double fraction = (static_cast<double>(m) + 0.5) / static_cast<double>(count);
        moments_[m] = animal.posture_at(time_s + exposure_s * fraction);
    }
    return {moments_.data(), count};
}

void Renderer::draw_animal(const Animal& animal, double time_s, Rows rows, std::uint8_t* pixels) noexcept {
    const std::span<const Posture> moments = fill_moments(animal, time_s);
    float top = static_cast<float>(spec_.height()), bottom = 0;
    const auto extend = [&](const Capsule& capsule) {
        const float radius = std::max(capsule.radius_a, capsule.radius_b);
        top = std::min({top, capsule.a.y - radius, capsule.b.y - radius});
        bottom = std::max({bottom, capsule.a.y + radius, capsule.b.y + radius});
    };
    for (const Posture& posture : moments) {
        std::for_each(posture.torso.begin(), posture.torso.end(), extend);
        std::for_each(posture.tail.begin(), posture.tail.end(), extend);
        std::for_each(posture.ears.begin(), posture.ears.end(), extend);
    }
    const float margin = RowPainter::margin_px(animal, painter_.edge_px());
    const int first = std::max(rows.begin, static_cast<int>(std::floor(top - margin)));
    const int last = std::min(rows.end - 1, static_cast<int>(std::ceil(bottom + margin)));
    for (int y = first; y <= last; ++y) {
        painter_.paint(animal, moments, y);
        painter_.blend(animal.anatomy(), bar_, pixels + static_cast<std::size_t>(y) * row_bytes_);
    }
}

// Lamps on the mains shine 1 + flicker * sin(2 pi 100 Hz t); the sensor sees the mean over the exposure.
void Renderer::add_flicker(double time_s, Rows rows, std::uint8_t* pixels) const noexcept {
    if (spec_.lighting.flicker <= 0) {
        return;
    }
    const double half = std::numbers::pi * kLampHz * 1e-6 * spec_.exposure_us;
    const double mean = std::sin(half) / half * std::sin(2 * std::numbers::pi * kLampHz * time_s + half);
    const auto gain = static_cast<std::uint32_t>(std::lround(256 * (1 + spec_.lighting.flicker * mean)));
    const std::size_t count = static_cast<std::size_t>(rows.end - rows.begin) * row_bytes_;
    std::uint8_t* const first = pixels + static_cast<std::size_t>(rows.begin) * row_bytes_;
    for (std::size_t i = 0; i < count; ++i) {
        first[i] = static_cast<std::uint8_t>(std::min<std::uint32_t>(first[i] * gain >> 8, 255));
    }
}

void Renderer::add_noise(std::uint64_t noise_key, Rows rows, std::uint8_t* pixels) const noexcept {
    if (spec_.noise <= 0) {
        return;
    }
    const std::uint64_t frame = hash_of(spec_.seed, Stream::noise_row, noise_key);
    for (int y = rows.begin; y < rows.end; ++y) {
        const std::uint64_t place = mix(frame + static_cast<std::uint64_t>(y)) % (noise_.size() - row_bytes_);
        add_saturated(pixels + static_cast<std::size_t>(y) * row_bytes_, noise_.data() + place, row_bytes_);
    }
}

}  // namespace fastpose::sim

// The lap: path, walking times, smoothing, look-up.
#include "camera/sim_trajectory.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "camera/sim_hash.h"

namespace fastpose::sim {
namespace {

constexpr double kTau = 2.0 * std::numbers::pi;
constexpr double kSampleHz = 100;
constexpr int kPathPoints = 1 << 17;
constexpr double kTurnLimitRadS = 5.0;
constexpr int kPauses = 150;
constexpr double kStridePerBody = 0.55;  // a stride's length in body lengths
constexpr int kSmoothHalfWidth = 5;      // samples, each of three box filters

struct Band {
    double lowest, highest;  // cycles per lap
    int waves;
};

// Periodic noise over one lap with standard deviation 1: waves of whole numbers of cycles, phases hashed.
std::vector<double> lap_noise(std::uint64_t seed, Stream stream, Band band) {
    std::vector<double> values(kPathPoints, 0.0);
    double power = 0;
    for (int k = 0; k < band.waves; ++k) {
        const auto key = static_cast<std::uint64_t>(k);
        const double place = (k + uniform(seed, stream, 2 * key)) / band.waves;
        const double cycles = std::round(band.lowest * std::pow(band.highest / band.lowest, place));
        const double amplitude = 1.0 / std::sqrt(cycles);
        const auto step = std::polar(1.0, kTau * cycles / kPathPoints);
        auto phasor = std::polar(amplitude, kTau * uniform(seed, stream, 2 * key + 1));
        power += 0.5 * amplitude * amplitude;
        for (double& value : values) {
            value += phasor.real();
            phasor *= step;
        }
    }
    const double scale = 1.0 / std::sqrt(power);
    std::transform(values.begin(), values.end(), values.begin(), [scale](double v) { return v * scale; });
    return values;
}

// tanh keeps the path inside and lets it run along the walls, as rodents do.
std::vector<double> axis_path(std::uint64_t seed, Stream stream, double centre, double reach) {
    std::vector<double> path = lap_noise(seed, stream, {.lowest = 12, .highest = 84, .waves = 28});
    for (double& value : path) {
        value = centre + reach * std::tanh(1.15 * value);
    }
    return path;
}

double wrapped(double angle) { return std::remainder(angle, kTau); }

struct Path {
    std::vector<double> x, y, heading, length;  // length, heading: of the step from this point to the next
    double total_px = 0;
    double winding = 0;  // rad, heading gained over a lap
};

Path make_path(const Territory& territory, std::uint64_t seed) {
    Path path{.x = axis_path(seed, Stream::path_x, territory.centre_x, territory.reach_x),
              .y = axis_path(seed, Stream::path_y, territory.centre_y, territory.reach_y),
              .heading = std::vector<double>(kPathPoints),
              .length = std::vector<double>(kPathPoints)};
    double heading = 0;
    for (std::size_t i = 0; i < kPathPoints; ++i) {
        const std::size_t next = (i + 1) % kPathPoints;
        const double dx = path.x[next] - path.x[i], dy = path.y[next] - path.y[i];
        path.length[i] = std::hypot(dx, dy);
        path.total_px += path.length[i];
        heading += wrapped(std::atan2(dy, dx) - heading);
        path.heading[i] = heading;
    }
    path.winding = heading + wrapped(path.heading[0] - heading) - path.heading[0];
    return path;
}

// Dwell time that pauses add to each step, s.
std::vector<double> pause_times(std::uint64_t seed) {
    constexpr int kSpread = 6;  // steps on either side over which the animal comes to rest
    std::vector<double> times(kPathPoints, 0.0);
    for (int k = 0; k < kPauses; ++k) {
        const auto key = static_cast<std::uint64_t>(k);
        const auto place = static_cast<int>(uniform(seed, Stream::pause, 2 * key) * kPathPoints);
        const double dwell_s = 0.2 - 0.8 * std::log(1.0 - 0.95 * uniform(seed, Stream::pause, 2 * key + 1));
        for (int j = -kSpread; j <= kSpread; ++j) {
            const double weight = (kSpread + 1.0 - std::abs(j)) / ((kSpread + 1.0) * (kSpread + 1.0));
            times[static_cast<std::size_t>((place + j + kPathPoints) % kPathPoints)] += dwell_s * weight;
        }
    }
    return times;
}

// Time of arrival at each path point, s; one more entry for the end of the lap.
std::vector<double> arrival_times(const Path& path, double body_length_px, std::uint64_t seed) {
    const std::vector<double> mood =
        lap_noise(seed, Stream::speed, {.lowest = 90, .highest = 500, .waves = 24});
    std::vector<double> times = pause_times(seed);
    double previous = path.heading.back() - path.winding, now_s = 0;
    for (std::size_t i = 0; i < kPathPoints; ++i) {
        const double effort = 0.5 + 0.5 * std::tanh(1.2 * mood[i]);
        const double speed_px_s = body_length_px * (0.5 + 2.6 * effort * effort);
        const double turning_s = std::abs(path.heading[i] - previous) / kTurnLimitRadS;
        const double step_s = times[i] + std::max(path.length[i] / speed_px_s, turning_s);
        times[i] = now_s;
        now_s += step_s;
        previous = path.heading[i];
    }
    times.push_back(now_s);
    return times;
}

double lerp(double from, double to, double fraction) { return from + (to - from) * fraction; }

// The lap at even time steps; headings follow the step that the animal is on.
std::vector<Trajectory::Sample> walk(const Path& path, const std::vector<double>& times,
                                     double strides_per_lap) {
    const auto count = static_cast<std::size_t>(std::max(8.0, std::round(times.back() * kSampleHz)));
    std::vector<Trajectory::Sample> lap(count);
    std::size_t i = 0;
    double walked_px = 0;
    for (std::size_t n = 0; n < count; ++n) {
        const double time_s = times.back() * static_cast<double>(n) / static_cast<double>(count);
        while (times[i + 1] <= time_s) {
            walked_px += path.length[i++];
        }
        const std::size_t next = (i + 1) % kPathPoints;
        const double fraction = (time_s - times[i]) / (times[i + 1] - times[i]);
        const double before = i > 0 ? path.heading[i - 1] : path.heading.back() - path.winding;
        lap[n] = {.x = lerp(path.x[i], path.x[next], fraction),
                  .y = lerp(path.y[i], path.y[next], fraction),
                  .heading = lerp(before, path.heading[i], fraction),
                  .strides = strides_per_lap * (walked_px + fraction * path.length[i]) / path.total_px};
    }
    return lap;
}

// Box filter around the lap; `gain` is what the value gains over one lap.
void smooth(std::vector<Trajectory::Sample>& lap, double Trajectory::Sample::* field, double gain) {
    const auto count = static_cast<std::int64_t>(lap.size());
    std::vector<double> padded;
    for (std::int64_t i = -kSmoothHalfWidth; i < count + kSmoothHalfWidth; ++i) {
        const double turns = i < 0 ? -1 : i >= count ? 1 : 0;
        padded.push_back(lap[static_cast<std::size_t>((i + count) % count)].*field + turns * gain);
    }
    for (std::size_t i = 0; i < lap.size(); ++i) {
        double sum = 0;
        for (std::size_t j = 0; j <= 2 * kSmoothHalfWidth; ++j) {
            sum += padded[i + j];
        }
        lap[i].*field = sum / (2 * kSmoothHalfWidth + 1);
    }
}

// Catmull-Rom weights of four neighbours and of their derivative.
struct Cubic {
    double w[4], dw[4];
};

Cubic cubic_at(double f) noexcept {
    return {.w = {0.5 * f * (-1 + f * (2 - f)), 0.5 * (2 + f * f * (3 * f - 5)),
                  0.5 * f * (1 + f * (4 - 3 * f)), 0.5 * f * f * (f - 1)},
            .dw = {0.5 * (-1 + f * (4 - 3 * f)), 0.5 * f * (9 * f - 10), 0.5 * (1 + f * (8 - 9 * f)),
                   0.5 * f * (3 * f - 2)}};
}

}  // namespace

Trajectory::Trajectory(const Territory& territory, std::uint64_t seed) {
    const Path path = make_path(territory, seed);
    heading_per_lap_ = path.winding;
    strides_per_lap_ = std::max(1.0, std::round(path.total_px / (kStridePerBody * territory.body_length_px)));
    lap_ = walk(path, arrival_times(path, territory.body_length_px, seed), strides_per_lap_);
    for (int pass = 0; pass < 3; ++pass) {
        smooth(lap_, &Sample::x, 0);
        smooth(lap_, &Sample::y, 0);
        smooth(lap_, &Sample::heading, heading_per_lap_);
        smooth(lap_, &Sample::strides, strides_per_lap_);
    }
}

double Trajectory::period_s() const noexcept { return static_cast<double>(lap_.size()) / kSampleHz; }

Trajectory::Sample Trajectory::sample(std::int64_t index) const noexcept {
    const auto count = static_cast<std::int64_t>(lap_.size());
    const std::int64_t laps = index >= 0 ? index / count : -((count - 1 - index) / count);
    Sample value = lap_[static_cast<std::size_t>(index - laps * count)];
    value.heading += static_cast<double>(laps) * heading_per_lap_;
    value.strides += static_cast<double>(laps) * strides_per_lap_;
    return value;
}

Motion Trajectory::at(double time_s) const noexcept {
    const double place = time_s * kSampleHz, whole = std::floor(place);
    const Cubic cubic = cubic_at(place - whole);
    Motion motion;
    double dx = 0, dy = 0;
    for (int k = 0; k < 4; ++k) {
        const Sample near = sample(static_cast<std::int64_t>(whole) + k - 1);
        motion.x += cubic.w[k] * near.x;
        motion.y += cubic.w[k] * near.y;
        motion.heading += cubic.w[k] * near.heading;
        motion.strides += cubic.w[k] * near.strides;
        dx += cubic.dw[k] * near.x;
        dy += cubic.dw[k] * near.y;
        motion.turn_rad_s += cubic.dw[k] * near.heading;
    }
    motion.turn_rad_s *= kSampleHz;
    motion.speed_px_s = std::hypot(dx, dy) * kSampleHz;
    return motion;
}

double Trajectory::heading_at(double time_s) const noexcept {
    const double place = time_s * kSampleHz, whole = std::floor(place);
    const auto index = static_cast<std::int64_t>(whole);
    return lerp(sample(index).heading, sample(index + 1).heading, place - whole);
}

}  // namespace fastpose::sim

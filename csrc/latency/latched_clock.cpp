// The readings held, the jury of suspects, and the line through them.
#include "latency/latched_clock.h"

#include <algorithm>
#include <cmath>

namespace fastpose {
namespace {

// Crystals of cameras and computers are made to 20-100 ppm; what is known of the drift before it is measured.
constexpr double crystal_sigma = 100e-6;
// Largest rate that is still a clock; the simulated camera may drift by 1 %.
constexpr double largest_slope = 0.02;
constexpr double gate_sigmas = 5;
// The rate of a crystal bends with its temperature, and the host's with its time service.
constexpr double gate_wander = 1e-6, error_wander = 0.2e-6;
constexpr std::int64_t past_lasts_ns = 2'000'000'000;  // frames wait no longer in a driver
constexpr double shortest_half_width_ns = 25;          // of two calls to read the host's clock

}  // namespace

// Anywhere in its interval with the same probability.
ClockPoint LatchedClock::Reading::point() const noexcept {
    return {camera_ns, host_ns, half_width_ns / std::sqrt(3.0)};
}

void LatchedClock::add(std::int64_t host_before_ns, std::int64_t camera_ns,
                       std::int64_t host_after_ns) noexcept {
    const std::int64_t width = std::max<std::int64_t>(0, difference_ns(host_after_ns, host_before_ns));
    const Reading reading{camera_ns, host_before_ns + width / 2,
                          std::max(shortest_half_width_ns, 0.5 * static_cast<double>(width))};
    ++readings_;
    if (count_ > 0 && !fits(reading)) return set_aside(reading);
    outliers_ += suspects_;
    suspects_ = 0;
    if (count_ == 0) slope_prior_ = crystal_sigma;
    accept(reading);
    fit();
}

bool LatchedClock::fits(const Reading& reading) const noexcept {
    const auto distance =
        std::abs(static_cast<double>(difference_ns(reading.camera_ns, line_.camera_reference_ns)));
    const double allowed = reading.half_width_ns + lean_ns(reading.camera_ns) + gate_wander * distance +
                           gate_sigmas * scatter_ * line_.sigma_ns(reading.camera_ns);
    const std::int64_t off = difference_ns(reading.host_ns, line_.to_host_ns(reading.camera_ns));
    return std::abs(static_cast<double>(off)) <= allowed;
}

void LatchedClock::accept(const Reading& reading) noexcept {
    held_[static_cast<std::size_t>(next_)] = newest_ = reading;
    next_ = (next_ + 1) % capacity;
    count_ = std::min(count_ + 1, capacity);
}

void LatchedClock::set_aside(const Reading& reading) noexcept {
    if (suspects_ == jury) {
        std::shift_left(suspect_.begin(), suspect_.end(), 1);
        --suspects_;
        ++outliers_;
    }
    suspect_[static_cast<std::size_t>(suspects_++)] = reading;
    if (suspects_ == jury) begin_anew_if_suspects_agree();
}

void LatchedClock::begin_anew_if_suspects_agree() noexcept {
    std::array<ClockPoint, jury> points;
    double widest_ns = 0;
    for (std::size_t i = 0; i < jury; ++i) {
        points[i] = suspect_[i].point();
        widest_ns = std::max(widest_ns, suspect_[i].half_width_ns);
    }
    const ClockLine line = fit_line(points, largest_slope);
    if (std::abs(line.slope) > largest_slope) return;
    for (const ClockPoint& point : points) {
        const std::int64_t off = difference_ns(point.host_ns, line.to_host_ns(point.camera_ns));
        if (std::abs(static_cast<double>(off)) > 2 * widest_ns) return;
    }
    if (count_ < jury) {
        outliers_ += count_;  // it was the first readings that were wrong
    } else {
        ++restarts_;
        past_ = {line_, error_ns(newest_.camera_ns), suspect_[0].host_ns + past_lasts_ns};
    }
    slope_prior_ = std::max(crystal_sigma, std::abs(line.slope) - 2 * line.slope_sigma);
    count_ = next_ = suspects_ = 0;
    for (const Reading& reading : suspect_) accept(reading);
    fit();
}

void LatchedClock::fit() noexcept {
    std::array<ClockPoint, capacity> points, leaning;
    for (int i = 0; i < count_; ++i) {  // the newest last
        const Reading& reading = held_[static_cast<std::size_t>((next_ - count_ + i + capacity) % capacity)];
        ClockPoint& point = points[static_cast<std::size_t>(i)] = reading.point();
        leaning[static_cast<std::size_t>(i)] = {
            point.camera_ns, difference_ns(point.camera_ns, -std::llround(reading.half_width_ns)),
            point.sigma_ns};
    }
    const auto count = static_cast<std::size_t>(count_);
    line_ = fit_line(std::span(points).first(count), slope_prior_);
    lean_ = fit_line(std::span(leaning).first(count), slope_prior_);
    // Readings that scatter more than their widths allow know less than these say.
    const double expected_ns = line_.reference_sigma_ns * std::sqrt(static_cast<double>(count_));
    scatter_ = std::max(1.0, line_.residual_ns / expected_ns);
}

// The fit is linear: if every reading leans to one side by half its width, the line moves as much as a line
// that is fitted through the half widths.
double LatchedClock::lean_ns(std::int64_t camera_ns) const noexcept {
    return std::abs(static_cast<double>(difference_ns(lean_.to_host_ns(camera_ns), camera_ns)));
}

double LatchedClock::error_ns(std::int64_t camera_ns) const noexcept {
    const std::size_t oldest = static_cast<std::size_t>((next_ - count_ + capacity) % capacity);
    const std::int64_t before = difference_ns(held_[oldest].camera_ns, camera_ns);
    const std::int64_t after = difference_ns(camera_ns, newest_.camera_ns);
    const auto outside = static_cast<double>(std::max<std::int64_t>({before, after, 0}));
    return lean_ns(camera_ns) + 2 * scatter_ * line_.sigma_ns(camera_ns) + error_wander * outside;
}

}  // namespace fastpose

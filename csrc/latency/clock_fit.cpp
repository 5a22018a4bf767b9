// Weighted linear regression; times are taken relative to the latest pair to keep all digits.
#include "latency/clock_fit.h"

#include <algorithm>
#include <cmath>

namespace fastpose {
namespace {

// Below this span the drift cannot be told from the noise of the readings: only the offset is fitted.
constexpr std::int64_t shortest_span_for_drift_ns = 1'000'000'000;

}  // namespace

void ClockFit::add(std::int64_t host_before_ns, std::int64_t camera_ns, std::int64_t host_after_ns) noexcept {
    const double half_width = std::max(1.0, 0.5 * static_cast<double>(host_after_ns - host_before_ns));
    const std::int64_t middle = host_before_ns + (host_after_ns - host_before_ns) / 2;
    pairs_[static_cast<std::size_t>(next_)] = {middle, camera_ns, 1.0 / (half_width * half_width)};
    next_ = (next_ + 1) % capacity;
    count_ = std::min(count_ + 1, capacity);
    host_reference_ = middle;
    camera_reference_ = camera_ns;
    fit();
}

void ClockFit::fit() noexcept {
    double weight = 0, x_mean = 0, y_mean = 0;
    std::int64_t earliest = camera_reference_;
    for (int i = 0; i < count_; ++i) {
        const Pair& pair = pairs_[static_cast<std::size_t>(i)];
        weight += pair.weight;
        x_mean += pair.weight * static_cast<double>(pair.camera_ns - camera_reference_);
        y_mean += pair.weight * static_cast<double>(pair.host_ns - host_reference_);
        earliest = std::min(earliest, pair.camera_ns);
    }
    x_mean /= weight;
    y_mean /= weight;
    double xx = 0, xy = 0, yy = 0;
    for (int i = 0; i < count_; ++i) {
        const Pair& pair = pairs_[static_cast<std::size_t>(i)];
        const double x = static_cast<double>(pair.camera_ns - camera_reference_) - x_mean;
        const double y = static_cast<double>(pair.host_ns - host_reference_) - y_mean;
        xx += pair.weight * x * x;
        xy += pair.weight * x * y;
        yy += pair.weight * y * y;
    }
    const bool long_enough = camera_reference_ - earliest >= shortest_span_for_drift_ns && xx > 0;
    rate_ = long_enough ? xy / xx : 1.0;
    residual_ns_ = std::sqrt(std::max(0.0, yy - 2 * rate_ * xy + rate_ * rate_ * xx) / weight);
    host_reference_ += std::llround(y_mean);
    camera_reference_ += std::llround(x_mean);
}

std::int64_t ClockFit::to_host_ns(std::int64_t camera_ns) const noexcept {
    return host_reference_ + std::llround(static_cast<double>(camera_ns - camera_reference_) * rate_);
}

double ClockFit::drift_ppm() const noexcept { return (1.0 / rate_ - 1.0) * 1e6; }
double ClockFit::residual_ns() const noexcept { return residual_ns_; }

}  // namespace fastpose

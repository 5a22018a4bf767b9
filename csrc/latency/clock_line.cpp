// Regression of the difference of both clocks over the camera's: small numbers keep all their digits.
#include "latency/clock_line.h"

#include <algorithm>
#include <cmath>

namespace fastpose {
namespace {

// A point relative to the newest one.
struct Relative {
    double x, y, weight;  // camera ns; difference of the clocks, ns
};

Relative relative_to(const ClockPoint& origin, const ClockPoint& point) noexcept {
    const std::int64_t x = difference_ns(point.camera_ns, origin.camera_ns);
    const std::int64_t y = difference_ns(difference_ns(point.host_ns, origin.host_ns), x);
    return {static_cast<double>(x), static_cast<double>(y), 1.0 / (point.sigma_ns * point.sigma_ns)};
}

struct Moments {
    double weight = 0, x = 0, y = 0, xx = 0, xy = 0, yy = 0;  // means; sums about them
};

Moments moments_of(std::span<const ClockPoint> points, const ClockPoint& origin) noexcept {
    Moments m;
    for (const ClockPoint& point : points) {
        const Relative r = relative_to(origin, point);
        m.weight += r.weight;
        m.x += r.weight * r.x;
        m.y += r.weight * r.y;
    }
    m.x /= m.weight;
    m.y /= m.weight;
    for (const ClockPoint& point : points) {
        const Relative r = relative_to(origin, point);
        m.xx += r.weight * (r.x - m.x) * (r.x - m.x);
        m.xy += r.weight * (r.x - m.x) * (r.y - m.y);
        m.yy += r.weight * (r.y - m.y) * (r.y - m.y);
    }
    return m;
}

}  // namespace

std::int64_t difference_ns(std::int64_t a, std::int64_t b) noexcept {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

ClockLine fit_line(std::span<const ClockPoint> points, double slope_prior_sigma) noexcept {
    const ClockPoint& origin = points.back();
    const Moments m = moments_of(points, origin);
    // About the weighted mean the offset and the slope are independent, with the prior on the slope too.
    const double information = m.xx + 1.0 / (slope_prior_sigma * slope_prior_sigma);
    ClockLine line;
    line.slope = m.xy / information;
    line.slope_sigma = 1.0 / std::sqrt(information);
    line.reference_sigma_ns = 1.0 / std::sqrt(m.weight);
    const double squares = m.yy - 2 * line.slope * m.xy + line.slope * line.slope * m.xx;
    line.residual_ns = std::sqrt(std::max(0.0, squares) / m.weight);
    const std::int64_t x = std::llround(m.x);
    line.camera_reference_ns = origin.camera_ns + x;
    line.host_reference_ns = origin.host_ns + x + std::llround(m.y);
    return line;
}

std::int64_t ClockLine::to_host_ns(std::int64_t camera_ns) const noexcept {
    const std::int64_t x = difference_ns(camera_ns, camera_reference_ns);
    const std::int64_t host_ns = static_cast<std::int64_t>(static_cast<std::uint64_t>(host_reference_ns) +
                                                           static_cast<std::uint64_t>(x));
    return difference_ns(host_ns, -std::llround(static_cast<double>(x) * slope));
}

double ClockLine::sigma_ns(std::int64_t camera_ns) const noexcept {
    const double x = static_cast<double>(difference_ns(camera_ns, camera_reference_ns));
    return std::hypot(reference_sigma_ns, x * slope_sigma);
}

}  // namespace fastpose

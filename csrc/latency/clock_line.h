// A straight line from a camera's clock to the host's, and how far it can be trusted.
#pragma once
#include <cstdint>
#include <span>

namespace fastpose {

// A reading of both clocks; sigma_ns is the standard deviation of their simultaneity.
struct ClockPoint {
    std::int64_t camera_ns = 0, host_ns = 0;
    double sigma_ns = 1;
};

struct ClockLine {
    std::int64_t camera_reference_ns = 0, host_reference_ns = 0;  // the point of it that is known best
    double slope = 0;                                             // host ns for each camera ns, beyond 1
    double reference_sigma_ns = 0, slope_sigma = 0;
    double residual_ns = 0;  // root mean square of the points about it, weighted

    [[nodiscard]] std::int64_t to_host_ns(std::int64_t camera_ns) const noexcept;
    // Standard deviation of to_host_ns(); grows away from the points.
    [[nodiscard]] double sigma_ns(std::int64_t camera_ns) const noexcept;
    // How much faster the camera's clock runs than the host's.
    [[nodiscard]] double drift_ppm() const noexcept { return (1.0 / (1.0 + slope) - 1.0) * 1e6; }
};

// a - b for any two times, those that a broken camera makes up too.
[[nodiscard]] std::int64_t difference_ns(std::int64_t a, std::int64_t b) noexcept;

// Weighted least squares with the prior knowledge that the slope is 0 +- slope_prior_sigma, so that one point
// is enough and the slope is taken from the points as far as they know better. `points` must not be empty.
// Reentrant, allocates nothing.
[[nodiscard]] ClockLine fit_line(std::span<const ClockPoint> points, double slope_prior_sigma) noexcept;

}  // namespace fastpose

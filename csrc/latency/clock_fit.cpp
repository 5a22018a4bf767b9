// Chooses between the two ways to a camera's clock.
#include "latency/clock_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fastpose {
namespace {

constexpr std::int64_t longest_delay_ns = 10'000'000'000;  // of a frame that is still worth its time
constexpr double odd_delay_ns = 5e6, delay_memory = 256;   // frames
constexpr double largest_error_ns = std::numeric_limits<std::int32_t>::max();

}  // namespace

void ClockFit::set_delay(std::int64_t shortest_ns, std::int64_t longer_ns) noexcept {
    shortest_ns_ = shortest_ns;
    longer_ns_ = longer_ns;
}

void ClockFit::add(std::int64_t host_before_ns, std::int64_t camera_ns, std::int64_t host_after_ns) noexcept {
    latched_.add(host_before_ns, camera_ns, host_after_ns);
    odd_frame_ = false;
}

void ClockFit::add_frame(std::int64_t camera_ns, std::int64_t received_ns) noexcept {
    if (!latched_.fitted()) envelope_.add(camera_ns, received_ns);
}

ClockSource ClockFit::source() const noexcept {
    if (latched_.fitted()) return ClockSource::latched;
    return envelope_.fitted() ? ClockSource::frames : ClockSource::none;
}

const ClockLine& ClockFit::line() const noexcept {
    return latched_.fitted() ? latched_.line() : envelope_.line();
}

std::int64_t ClockFit::to_host_ns(std::int64_t camera_ns) const noexcept {
    if (latched_.fitted()) return latched_.line().to_host_ns(camera_ns);
    // The middle of what the shortest delay can be.
    return envelope_.line().to_host_ns(camera_ns) - shortest_ns_ - longer_ns_ / 2;
}

double ClockFit::error_ns(std::int64_t camera_ns) const noexcept {
    if (latched_.fitted()) return latched_.error_ns(camera_ns);
    return envelope_.error_ns(camera_ns) + 0.5 * static_cast<double>(longer_ns_);
}

std::int32_t ClockFit::stated_error_ns(std::int64_t camera_ns) const noexcept {
    return static_cast<std::int32_t>(std::clamp(std::ceil(error_ns(camera_ns)), 1.0, largest_error_ns));
}

bool ClockFit::possible(std::int64_t start_ns, std::int64_t received_ns, double error) const noexcept {
    const std::int64_t delay = difference_ns(received_ns, start_ns);
    return static_cast<double>(delay) + error >= static_cast<double>(shortest_ns_) &&
           delay <= longest_delay_ns;
}

ExposureTime ClockFit::exposure(std::int64_t camera_ns, std::int64_t received_ns) noexcept {
    const ExposureTime guess{received_ns - shortest_ns_, 0, false};
    if (!fitted()) return guess;
    const std::int64_t start_ns = to_host_ns(camera_ns);
    odd_frame_ = true;
    if (!possible(start_ns, received_ns, error_ns(camera_ns))) return guess;
    watch_delay(static_cast<double>(difference_ns(received_ns, start_ns)));
    return {start_ns, stated_error_ns(camera_ns), true};
}

// The usual delay falls at once and rises slowly.
void ClockFit::watch_delay(double delay_ns) noexcept {
    odd_frame_ = usual_delay_ns_ > 0 && delay_ns > usual_delay_ns_ + odd_delay_ns;
    const bool quicker = usual_delay_ns_ <= 0 || delay_ns < usual_delay_ns_;
    usual_delay_ns_ = quicker ? delay_ns : usual_delay_ns_ + (delay_ns - usual_delay_ns_) / delay_memory;
}

bool ClockFit::suspect() const noexcept {
    return odd_frame_ || (latched_.fitted() ? latched_.suspect() : envelope_.suspect());
}

ClockReport ClockFit::report() const noexcept {
    ClockReport report;
    report.source = source();
    if (!fitted()) return report;
    const bool latched = latched_.fitted();
    const std::int64_t newest = latched ? latched_.newest_camera_ns() : envelope_.newest_camera_ns();
    report.restarts = latched ? latched_.restarts() : envelope_.restarts();
    report.readings = latched ? latched_.readings() : envelope_.readings();
    report.outliers = latched ? latched_.outliers() : envelope_.outliers();
    report.offset_ns = difference_ns(to_host_ns(newest), newest);
    report.drift_ppm = line().drift_ppm();
    report.drift_error_ppm = 2e6 * line().slope_sigma;
    report.residual_ns = line().residual_ns;
    report.error_ns = static_cast<std::int64_t>(std::ceil(error_ns(newest)));
    return report;
}

}  // namespace fastpose

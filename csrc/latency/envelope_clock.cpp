// Regression through the quickest frames, moved down until it touches the lowest.
#include "latency/envelope_clock.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace fastpose {
namespace {

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t span_ns = 500 * ms;
constexpr std::int64_t longest_delay_ns = 10'000 * ms;
constexpr int jury = 3, later_spans = 16;
constexpr double crystal_sigma = 100e-6;  // as in latched_clock.cpp
constexpr double error_wander = 0.2e-6;
constexpr double first_spread_ns = 100e3, shortest_spread_ns = 1e3;
constexpr int passes = 3;

}  // namespace

ClockPoint& EnvelopeClock::held(int age) noexcept {
    return held_[static_cast<std::size_t>((next_ - 1 - age + 2 * capacity) % capacity)];
}
const ClockPoint& EnvelopeClock::held(int age) const noexcept {
    return held_[static_cast<std::size_t>((next_ - 1 - age + 2 * capacity) % capacity)];
}

std::int64_t EnvelopeClock::delay_ns(const ClockPoint& frame) const noexcept {
    return difference_ns(frame.host_ns, line_.to_host_ns(frame.camera_ns));
}

// Quicker than all before by more than they differ, or too late to be believed.
bool EnvelopeClock::contradicts(std::int64_t delay) const noexcept {
    const double early = 2 * static_cast<double>(ms) + 5 * spread_ns_ + 5 * line_.sigma_ns(newest_camera_ns_);
    return static_cast<double>(delay) < -early || delay > longest_delay_ns;
}

void EnvelopeClock::add(std::int64_t camera_ns, std::int64_t received_ns) noexcept {
    const ClockPoint frame{camera_ns, received_ns, 1};
    ++readings_;
    if (count_ == 0) return begin_anew(frame);
    if (contradicts(delay_ns(frame))) return set_aside(frame);
    outliers_ += suspects_;
    suspects_ = 0;
    newest_camera_ns_ = camera_ns;
    if (received_ns >= span_end_ns_) return open_span(frame);
    if (delay_ns(frame) >= delay_ns(held(0))) return;
    held(0) = frame;
    fit();
}

void EnvelopeClock::set_aside(const ClockPoint& frame) noexcept {
    if (++suspects_ < jury) return;
    if (count_ >= jury) ++restarts_;  // else the first frames were slow
    begin_anew(frame);
}

void EnvelopeClock::begin_anew(const ClockPoint& frame) noexcept {
    count_ = next_ = suspects_ = 0;
    newest_camera_ns_ = frame.camera_ns;
    open_span(frame);
}

void EnvelopeClock::open_span(const ClockPoint& frame) noexcept {
    if (always_later()) {
        ++restarts_;
        count_ = later_spans;
    }
    span_end_ns_ = frame.host_ns + span_ns;
    held_[static_cast<std::size_t>(next_)] = frame;
    next_ = (next_ + 1) % capacity;
    count_ = std::min(count_ + 1, capacity);
    fit();
}

bool EnvelopeClock::always_later() const noexcept {
    if (count_ <= later_spans) return false;
    const double later = 10 * static_cast<double>(ms) + 10 * spread_ns_;
    for (int age = 0; age < later_spans; ++age)
        if (static_cast<double>(delay_ns(held(age))) < later) return false;
    return true;
}

// The nearer to the line a frame lies, the more it counts: late ones lie far above.
void EnvelopeClock::fit() noexcept {
    std::array<ClockPoint, capacity> points;
    std::array<double, capacity> above{};
    const auto count = static_cast<std::size_t>(count_);
    for (std::size_t i = 0; i < count; ++i) {
        points[i] = held(count_ - 1 - static_cast<int>(i));
        points[i].sigma_ns = first_spread_ns;
    }
    for (int pass = 0; pass < passes; ++pass) {
        line_ = fit_line(std::span(points).first(count), crystal_sigma);
        std::int64_t lowest = delay_ns(points[0]);
        for (std::size_t i = 0; i < count; ++i) lowest = std::min(lowest, delay_ns(points[i]));
        line_.host_reference_ns += lowest;
        for (std::size_t i = 0; i < count; ++i) above[i] = static_cast<double>(delay_ns(points[i]));
        std::array<double, capacity> sorted = above;
        std::nth_element(sorted.begin(), sorted.begin() + count_ / 2, sorted.begin() + count_);
        spread_ns_ = std::max(shortest_spread_ns, sorted[count / 2]);
        for (std::size_t i = 0; i < count; ++i) points[i].sigma_ns = spread_ns_ + above[i];
    }
}

double EnvelopeClock::error_ns(std::int64_t camera_ns) const noexcept {
    const std::int64_t before = difference_ns(held(count_ - 1).camera_ns, camera_ns);
    const std::int64_t after = difference_ns(camera_ns, newest_camera_ns_);
    const auto outside = static_cast<double>(std::max<std::int64_t>({before, after, 0}));
    return spread_ns_ + 2 * line_.sigma_ns(camera_ns) + error_wander * outside;
}

}  // namespace fastpose

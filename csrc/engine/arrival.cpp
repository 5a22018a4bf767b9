// Median of the first differences, then a second-order loop.
#include "engine/arrival.h"

#include <algorithm>
#include <cmath>

namespace fastpose {
namespace {

// Gains for one step: a single late frame hardly counts, a drift of the camera is followed within a second.
constexpr double phase_gain = 0.1, period_gain = 0.01, jitter_gain = 0.05;
constexpr double steady_share = 1.0 / 8, lost_share = 1.0 / 4;  // jitter over period
constexpr double longest_gap = 100;                             // periods

}  // namespace

bool Arrival::known() const noexcept { return period_ns_ > 0 && jitter_ns_ < steady_share * period_ns_; }

void Arrival::add(std::int64_t received_ns) noexcept {
    if (period_ns_ > 0)
        follow(received_ns);
    else
        learn(received_ns);
    last_ns_ = received_ns;
}

void Arrival::learn(std::int64_t received_ns) noexcept {
    if (last_ns_ != 0) differences_ns_[differences_++] = received_ns - last_ns_;
    if (differences_ < learned_from) return;
    const auto median = differences_ns_.begin() + learned_from / 2;
    std::nth_element(differences_ns_.begin(), median, differences_ns_.end());
    period_ns_ = static_cast<double>(std::max<std::int64_t>(*median, 1));
    phase_ns_ = received_ns;
}

void Arrival::follow(std::int64_t received_ns) noexcept {
    const double passed = static_cast<double>(received_ns - phase_ns_) / period_ns_;
    if (passed > longest_gap) return forget();
    const double steps = std::max(1.0, std::nearbyint(passed));
    const double error = (passed - steps) * period_ns_;
    phase_ns_ += static_cast<std::int64_t>(steps * period_ns_ + phase_gain * error);
    period_ns_ += period_gain * error / steps;
    jitter_ns_ += jitter_gain * (std::abs(error) - jitter_ns_);
    if (period_ns_ < 1 || jitter_ns_ > lost_share * period_ns_) forget();
}

void Arrival::forget() noexcept {
    differences_ = 0;
    last_ns_ = 0;
    period_ns_ = jitter_ns_ = 0;
}

}  // namespace fastpose

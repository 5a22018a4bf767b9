// See Note [Spinning].
#include "engine/frame_window.h"

#include <algorithm>

namespace fastpose {
namespace {

constexpr double least_wake_up_ns = 20'000, most_wake_up_ns = 250'000, wake_up_gain = 1.0 / 16;
constexpr std::int64_t jitters = 2, patience_ns = 30'000;

}  // namespace

FrameWindow::Span FrameWindow::next() const noexcept {
    if (most_ns_ < shortest_spin_ns || !arrival_.known()) return {};
    const std::int64_t jitter = jitters * arrival_.jitter_ns();
    const std::int64_t before = std::min(static_cast<std::int64_t>(wake_up_ns_) + jitter, most_ns_);
    const std::int64_t begin = arrival_.expected_ns() - before;
    return {begin, begin + std::min(before + jitter + patience_ns, most_ns_)};
}

void FrameWindow::note_wake_up(std::int64_t late_ns) noexcept {
    const double wanted = 2.0 * static_cast<double>(std::max<std::int64_t>(late_ns, 0));
    wake_up_ns_ += wake_up_gain * (std::min(wanted, most_wake_up_ns) - wake_up_ns_);
    wake_up_ns_ = std::clamp(wake_up_ns_, least_wake_up_ns, most_wake_up_ns);
}

}  // namespace fastpose

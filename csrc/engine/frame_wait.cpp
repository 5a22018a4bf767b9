// See Note [Spinning].
#include "engine/frame_wait.h"

#include <algorithm>

#include "base/clock.h"
#include "base/thread.h"

namespace fastpose {
namespace {

constexpr double least_wake_up_ns = 20'000, most_wake_up_ns = 250'000, wake_up_gain = 1.0 / 16;
constexpr std::int64_t jitters = 2, patience_ns = 30'000;
constexpr int looks_between_clocks = 8;

}  // namespace

int FrameWait::take(std::int64_t timeout_ns) noexcept {
    spun_ns_ = carried_ns_;
    carried_ns_ = 0;
    caught_ = false;
    const std::int64_t now = now_ns();
    const Window window = this->window();
    if (now >= window.end_ns || window.begin_ns - now > timeout_ns) return ring_.take(timeout_ns);
    if (now < window.begin_ns) {
        const int slot = ring_.take(window.begin_ns - now);
        if (slot >= 0) return slot;
        learn_wake_up(now_ns() - window.begin_ns);
    }
    const int slot = spin_until(window.end_ns);
    if (slot < 0) carried_ns_ = spun_ns_;  // the frame is late; what was spun for it still counts
    return slot;
}

FrameWait::Window FrameWait::window() const noexcept {
    if (most_ns_ < shortest_spin_ns || !arrival_.known()) return {};
    const std::int64_t jitter = jitters * arrival_.jitter_ns();
    const std::int64_t before = std::min(static_cast<std::int64_t>(wake_up_ns_) + jitter, most_ns_);
    const std::int64_t begin = arrival_.expected_ns() - before;
    return {begin, begin + std::min(before + jitter + patience_ns, most_ns_)};
}

void FrameWait::learn_wake_up(std::int64_t late_ns) noexcept {
    const double wanted = 2.0 * static_cast<double>(std::max<std::int64_t>(late_ns, 0));
    wake_up_ns_ += wake_up_gain * (std::min(wanted, most_wake_up_ns) - wake_up_ns_);
    wake_up_ns_ = std::clamp(wake_up_ns_, least_wake_up_ns, most_wake_up_ns);
}

int FrameWait::spin_until(std::int64_t end_ns) noexcept {
    const std::int64_t start = now_ns();
    std::int64_t now = start;
    while (now < end_ns && !ring_.frame_waits()) {
        for (int i = 0; i < looks_between_clocks && !ring_.frame_waits(); ++i) relax_core();
        now = now_ns();
    }
    spun_ns_ += now - start;
    const int slot = ring_.take(0);
    caught_ = slot >= 0;
    return slot;
}

}  // namespace fastpose

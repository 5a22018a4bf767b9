// See Note [Spinning].
#include "engine/frame_wait.h"

#include "base/clock.h"
#include "base/thread.h"

namespace fastpose {
namespace {

constexpr int looks_between_clocks = 8;

}  // namespace

int FrameWait::take(std::int64_t timeout_ns) noexcept {
    spun_ns_ = carried_ns_;
    carried_ns_ = 0;
    caught_ = false;
    const std::int64_t now = now_ns();
    const FrameWindow::Span window = window_.next();
    if (now >= window.end_ns || window.begin_ns - now > timeout_ns) return ring_.take(timeout_ns);
    if (now < window.begin_ns) {
        const int slot = ring_.take(window.begin_ns - now);
        if (slot >= 0) return slot;
        window_.note_wake_up(now_ns() - window.begin_ns);
    }
    const int slot = spin_until(window.end_ns);
    if (slot < 0) carried_ns_ = spun_ns_;  // the frame is late; what was spun for it still counts
    return slot;
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

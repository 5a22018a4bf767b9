// See Note [Duty].
#include "engine/loop_duty.h"

#include <algorithm>

namespace fastpose {

void LoopDuty::expect(std::int64_t work_ns, std::int64_t period_ns) noexcept {
    if (period_ns <= 0) return;
    share_ = std::min(1.0, static_cast<double>(work_ns) / static_cast<double>(period_ns));
    fits_ = share_ <= leave_at * budget_;
    allow_spin(static_cast<double>(period_ns));
}

bool LoopDuty::add(std::int64_t begin_ns, std::int64_t end_ns, std::int64_t spun_ns) noexcept {
    if (window_start_ns_ == 0) window_start_ns_ = begin_ns - spun_ns;
    work_ns_ += end_ns - begin_ns;
    spun_ns_ += spun_ns;
    ++frames_;
    return end_ns - window_start_ns_ >= window_ns && close_window(end_ns);
}

bool LoopDuty::close_window(std::int64_t end_ns) noexcept {
    const auto length = static_cast<double>(end_ns - window_start_ns_);
    share_ = static_cast<double>(work_ns_) / length;
    measured_ = true;
    const bool changed = judge(static_cast<double>(work_ns_ + spun_ns_) / length);
    allow_spin(length / static_cast<double>(frames_));
    window_start_ns_ = end_ns;
    work_ns_ = spun_ns_ = frames_ = 0;
    return changed;
}

bool LoopDuty::judge(double with_spinning) noexcept {
    calm_ = share_ < return_at * budget_ ? calm_ + 1 : 0;
    const bool before = fits_;
    fits_ = before ? with_spinning <= leave_at * budget_ : calm_ >= calm_windows;
    return fits_ != before;
}

void LoopDuty::allow_spin(double period_ns) noexcept {
    const double left = fits_ ? return_at * budget_ - share_ : 0;
    spin_ns_ = static_cast<std::int64_t>(std::max(0.0, left) * period_ns);
}

}  // namespace fastpose

// What the deadlines of one line do: ends of pulses, later pulses of trains, steps of ramps, limits, and the
// safe state.
#include <algorithm>
#include <mutex>

#include "output/guarded_line.h"

namespace fastpose {
namespace {

constexpr std::int64_t retry_ns = 100'000'000;  // between attempts to write a safe level that failed

}  // namespace

GuardedLine::TimedEdge GuardedLine::end_if_due() noexcept {
    const std::lock_guard lock(mutex_);
    const std::int64_t now = now_();
    if (now < deadline_ns_) return {};
    if (safe_failed_) return {write_safe(), EdgeCause::safe, line_.limits.safe_high};
    if (!high_) return next_of_train(now);
    // What is due first comes first, however late it is.
    const std::int64_t limit = limit_ns();
    if (ramp_.runs && ramp_.next_ns < limit && now < falls_ns_) return step_ramp(now);
    return limit < falls_ns_ ? force_low() : end_pulse();
}

GuardedLine::TimedEdge GuardedLine::force_low() noexcept {
    ++forced_low_;
    cut_ = true;
    train_ = {};
    ramp_ = {};
    const EdgeResult edge = write(false);
    count_high(edge.stamp_ns);
    set_deadline();
    return {edge, EdgeCause::interlock, false};
}

GuardedLine::TimedEdge GuardedLine::end_pulse() noexcept {
    const EdgeResult edge = write(false);
    count_high(edge.stamp_ns);
    if (train_.left == 0) {
        forget_command();
        return {edge, EdgeCause::timer, false};
    }
    if (train_.next_ns <= edge.stamp_ns)  // the grid moves, and the gap stays
        set_next_of_train(edge.stamp_ns + train_.period_ns - train_.width_ns);
    set_deadline();
    return {edge, EdgeCause::timer, false};
}

GuardedLine::TimedEdge GuardedLine::next_of_train(std::int64_t now) noexcept {
    if (used_up()) {
        forget_command();
        return {refuse(now, true), EdgeCause::interlock, true};
    }
    const EdgeResult edge = write(true);
    if (edge.failed) return {edge, EdgeCause::timer, true};
    ++rising_edges_;
    rose_ns_ = edge.stamp_ns;
    counting_ = true;
    falls_ns_ = edge.stamp_ns + train_.width_ns;
    set_next_of_train(train_.next_ns + train_.period_ns);
    --train_.left;
    set_deadline();
    return {edge, EdgeCause::timer, true};
}

// Known from the stamps alone, not from when the timer looks.
void GuardedLine::set_next_of_train(std::int64_t time_ns) noexcept {
    train_.next_ns = std::max(time_ns, rose_ns_ + min_period_ns_);
}

GuardedLine::TimedEdge GuardedLine::step_ramp(std::int64_t now) noexcept {
    const double done = static_cast<double>(now - ramp_.start_ns) / static_cast<double>(ramp_.duration_ns);
    ramp_.runs = done < 1;
    const auto part = static_cast<float>(std::min(done, 1.0));
    const float value = ramp_.runs ? ramp_.from + (ramp_.to - ramp_.from) * part : ramp_.to;
    ramp_.next_ns =
        std::min(now + std::min(ramp_step_ns_, ramp_.duration_ns), ramp_.start_ns + ramp_.duration_ns);
    EdgeResult edge = write_value(value);
    edge.valued = edge.valued && !ramp_.runs;  // of the way only its end is told
    set_deadline();
    return {edge, EdgeCause::timer, true};
}

// --- the safe state ---

EdgeResult GuardedLine::make_safe() noexcept {
    const std::lock_guard lock(mutex_);
    return known_safe_ ? EdgeResult{} : write_safe();
}

EdgeResult GuardedLine::reset() noexcept {
    const std::lock_guard lock(mutex_);
    faulty_ = false;
    return write_safe();
}

EdgeResult GuardedLine::write_safe() noexcept {
    const EdgeResult edge = write(line_.limits.safe_high);
    count_high(edge.stamp_ns);
    forget_command();
    known_safe_ = !edge.failed;
    safe_failed_ = edge.failed;
    deadline_ns_ = edge.failed ? edge.stamp_ns + retry_ns : never_ns;
    return edge;
}

}  // namespace fastpose

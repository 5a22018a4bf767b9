// The state machine of one line: what a command or a deadline does to it.
#include "output/guarded_line.h"

#include <algorithm>
#include <mutex>

#include "base/check.h"

namespace fastpose {
namespace {

constexpr std::int64_t retry_ns = 100'000'000;  // between attempts to write a safe level that failed

std::int64_t period_of(const OutputLine& line) {
    const std::string name = "output '" + line.name + "': ";
    require_at_least(name + "max_on_ns", static_cast<double>(line.limits.max_on_ns), 0);
    require_at_least(name + "max_rate_hz", line.limits.max_rate_hz, 0);
    return line.limits.max_rate_hz > 0
               ? static_cast<std::int64_t>(std::min(1e9 / line.limits.max_rate_hz, 1e18))
               : 0;
}

}  // namespace

GuardedLine::GuardedLine(OutputLine line, NowFunction now)
    : line_(std::move(line)),
      now_(now),
      min_period_ns_(period_of(line_)),
      rose_ns_(-min_period_ns_),
      high_(line_.limits.safe_high) {
    if (line_.driver == nullptr) throw OutputError("output '" + line_.name + "' has no driver");
}

EdgeResult GuardedLine::apply(const OutputCommand& command, const std::atomic<bool>& armed) noexcept {
    const std::lock_guard lock(mutex_);
    const std::int64_t now = now_();
    if (!armed || faulty_) return refuse(now);
    if (command.action == Action::off) return demand_low(now);
    if (command.action == Action::pulse && command.duration_ns <= 0) return refuse(now);
    return demand_high(command, now);
}

EdgeResult GuardedLine::demand_high(const OutputCommand& command, std::int64_t now) noexcept {
    cut_ = cut_ && now < wanted_until_ns_;
    if (cut_) {
        wanted_until_ns_ = requested_end(command, now);
        return refuse(now);
    }
    if (high_) {
        if (wanted_until_ns_ == 0) rose_ns_ = now;  // high was its safe level until now
        wanted_until_ns_ = requested_end(command, now);
        set_deadline();
        return {.stamp_ns = now};
    }
    if (now - rose_ns_ < min_period_ns_) return refuse(now);
    const EdgeResult edge = write(true);
    if (edge.failed) return edge;
    ++rising_edges_;
    rose_ns_ = edge.stamp_ns;
    wanted_until_ns_ = 0;
    wanted_until_ns_ = requested_end(command, edge.stamp_ns);
    set_deadline();
    return edge;
}

EdgeResult GuardedLine::demand_low(std::int64_t now) noexcept {
    wanted_until_ns_ = 0;
    deadline_ns_ = never_ns;
    return high_ ? write(false) : EdgeResult{.stamp_ns = now};
}

EdgeResult GuardedLine::refuse(std::int64_t now) noexcept {
    ++refused_;
    return {.refused = true, .stamp_ns = now};
}

std::int64_t GuardedLine::requested_end(const OutputCommand& command, std::int64_t start_ns) const noexcept {
    if (command.action == Action::on) return never_ns;
    const std::int64_t end = start_ns + std::min(command.duration_ns, never_ns - 1 - start_ns);
    return wanted_until_ns_ == never_ns ? end : std::max(end, wanted_until_ns_);
}

void GuardedLine::set_deadline() noexcept {
    const std::int64_t max_on = line_.limits.max_on_ns;
    const bool limited = max_on > 0 && max_on < never_ns - rose_ns_;
    deadline_ns_ = std::min(wanted_until_ns_, limited ? rose_ns_ + max_on : never_ns);
}

EdgeResult GuardedLine::write(bool high) noexcept {
    known_safe_ = false;
    const bool written = line_.driver->write(high);
    const std::int64_t stamp_ns = now_();
    if (!written) {
        faulty_ = true;
        return {.failed = true, .stamp_ns = stamp_ns};
    }
    return {.changed = high_.exchange(high) != high, .stamp_ns = stamp_ns};
}

GuardedLine::TimedEdge GuardedLine::end_if_due() noexcept {
    const std::lock_guard lock(mutex_);
    if (now_() < deadline_ns_) return {};
    if (safe_failed_) return {write_safe(), EdgeCause::safe, line_.limits.safe_high};
    const bool forced = deadline_ns_ < wanted_until_ns_;
    deadline_ns_ = never_ns;
    cut_ = forced;
    if (forced) ++forced_low_;
    return {write(false), forced ? EdgeCause::interlock : EdgeCause::timer, false};
}

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
    wanted_until_ns_ = 0;
    const EdgeResult edge = write(line_.limits.safe_high);
    known_safe_ = !edge.failed;
    safe_failed_ = edge.failed;
    deadline_ns_ = edge.failed ? edge.stamp_ns + retry_ns : never_ns;
    return edge;
}

}  // namespace fastpose

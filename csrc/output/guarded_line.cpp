// What a command does to one line; what its deadlines do is in guarded_line_timer.cpp.
#include "output/guarded_line.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "base/check.h"

namespace fastpose {
namespace {

std::int64_t period_of(const OutputLine& line) {
    const std::string name = "output '" + line.name + "': ";
    require_at_least(name + "max_on_ns", static_cast<double>(line.limits.max_on_ns), 0);
    require_at_least(name + "max_rate_hz", line.limits.max_rate_hz, 0);
    require_at_least(name + "max_total_ns", static_cast<double>(line.limits.max_total_ns), 0);
    require_at_least(name + "max_level", static_cast<double>(line.limits.max_level), 0);
    return line.limits.max_rate_hz > 0
               ? static_cast<std::int64_t>(std::min(1e9 / line.limits.max_rate_hz, 1e18))
               : 0;
}

// a + b, never beyond the last time before never_ns; neither is negative.
std::int64_t later(std::int64_t a, std::int64_t b) noexcept {
    return a + std::min(b, GuardedLine::never_ns - 1 - a);
}

}  // namespace

GuardedLine::GuardedLine(OutputLine line, NowFunction now)
    : line_(std::move(line)),
      now_(now),
      min_period_ns_(period_of(line_)),
      ramp_step_ns_(line_.driver == nullptr ? 0 : line_.driver->ramp_step_ns()),
      rose_ns_(-min_period_ns_),
      high_(line_.limits.safe_high) {
    if (line_.driver == nullptr) throw OutputError("output '" + line_.name + "' has no driver");
}

// --- commands ---

EdgeResult GuardedLine::apply(const OutputCommand& command, const std::atomic<bool>& armed) noexcept {
    const std::lock_guard lock(mutex_);
    const std::int64_t now = now_();
    const bool ends = command.action == Action::off ||
                      (command.action == Action::level && command.value == 0 && line_.driver->analogue());
    if (!armed) {
        EdgeResult edge = refuse(now, !ends);
        edge.disarmed = true;
        return edge;
    }
    if (faulty_ || !possible(command)) return refuse(now, !ends);
    return ends ? demand_low(now) : demand_high(command, now);
}

EdgeResult GuardedLine::refuse(const OutputCommand& command, std::int64_t now) noexcept {
    return refuse(now, command.action != Action::off);
}

std::int64_t GuardedLine::active_at() noexcept {
    const std::lock_guard lock(mutex_);
    return active_ ? now_() : 0;
}

bool GuardedLine::possible(const OutputCommand& command) const noexcept {
    switch (command.action) {
        case Action::off:
        case Action::on:
            return true;
        case Action::pulse:
            return command.duration_ns > 0;
        case Action::train:
            return command.duration_ns > 0 && command.count > 0 &&
                   (command.count == 1 ||
                    (command.period_ns > command.duration_ns && command.period_ns >= min_period_ns_ &&
                     command.period_ns < never_ns / command.count));
        case Action::level:
            return value_allowed(command.value);
        case Action::ramp:
            return command.duration_ns > 0 && value_allowed(command.value) && value_allowed(command.to);
    }
    return false;
}

bool GuardedLine::value_allowed(float value) const noexcept {
    const float highest = line_.limits.max_level;
    return line_.driver->analogue() && std::isfinite(value) && value >= 0 &&
           (highest <= 0 || value <= highest);
}

EdgeResult GuardedLine::demand_high(const OutputCommand& command, std::int64_t now) noexcept {
    cut_ = cut_ && now < wanted_until_ns_;
    if (cut_) {
        wanted_until_ns_ = requested_end(command, now);
        return refuse(now, true);
    }
    if (high_) return change_high(command, now);
    if (train_.left > 0 && command.action == Action::train) return renew_train(command, now);
    if (used_up() || now - rose_ns_ < min_period_ns_) return refuse(now, true);
    return rise(command);
}

EdgeResult GuardedLine::rise(const OutputCommand& command) noexcept {
    EdgeResult edge = write_first(command);
    if (edge.failed) return edge;
    ++rising_edges_;
    rose_ns_ = edge.stamp_ns;
    wanted_until_ns_ = 0;
    plan(command, edge.stamp_ns);
    return edge;
}

EdgeResult GuardedLine::change_high(const OutputCommand& command, std::int64_t now) noexcept {
    EdgeResult edge{.stamp_ns = now, .high = true};
    if (line_.driver->analogue()) edge = write_first(command);
    if (edge.failed) return edge;
    if (wanted_until_ns_ == 0) rose_ns_ = edge.stamp_ns;  // high was its safe level until now
    plan(command, edge.stamp_ns);
    return edge;
}

// Between two pulses: the rhythm stays.
EdgeResult GuardedLine::renew_train(const OutputCommand& command, std::int64_t now) noexcept {
    const std::int64_t next_ns = train_.next_ns;
    plan(command, now);
    train_.next_ns = next_ns;
    train_.left = command.count;
    set_deadline();
    return {.stamp_ns = now, .high = true};
}

// A command that found the line high, or raised it, from start_ns on.
void GuardedLine::plan(const OutputCommand& command, std::int64_t start_ns) noexcept {
    const std::int64_t end = requested_end(command, start_ns);
    const bool train = command.action == Action::train;
    falls_ns_ = train ? later(start_ns, command.duration_ns) : end;
    wanted_until_ns_ = end;
    counting_ = high_;
    train_ = {};
    ramp_ = {};
    if (train)
        train_ = {command.duration_ns, command.period_ns, later(start_ns, command.period_ns),
                  command.count - 1};
    if (command.action == Action::ramp)
        ramp_ = {
            start_ns,      command.duration_ns, later(start_ns, std::min(ramp_step_ns_, command.duration_ns)),
            command.value, command.to,          true};
    set_deadline();
}

EdgeResult GuardedLine::demand_low(std::int64_t now) noexcept {
    const EdgeResult edge = high_ ? write(false) : EdgeResult{.stamp_ns = now};
    count_high(edge.stamp_ns);
    forget_command();
    return edge;
}

EdgeResult GuardedLine::refuse(std::int64_t now, bool high) noexcept {
    ++refused_;
    return {.refused = true, .stamp_ns = now, .high = high};
}

// --- limits ---

std::int64_t GuardedLine::requested_end(const OutputCommand& command, std::int64_t start_ns) const noexcept {
    switch (command.action) {
        case Action::pulse: {
            const std::int64_t end = later(start_ns, command.duration_ns);
            return wanted_until_ns_ == never_ns ? end : std::max(end, wanted_until_ns_);
        }
        case Action::train:
            return later(start_ns, (command.count - 1) * command.period_ns + command.duration_ns);
        case Action::ramp:
            return command.to == 0 ? later(start_ns, command.duration_ns) : never_ns;
        default:
            return never_ns;
    }
}

// When a limit ends the present stretch of high.
std::int64_t GuardedLine::limit_ns() const noexcept {
    const LineLimits& limits = line_.limits;
    std::int64_t limit = never_ns;
    if (limits.max_on_ns > 0) limit = later(rose_ns_, limits.max_on_ns);
    if (limits.max_total_ns > 0)
        limit =
            std::min(limit, later(rose_ns_, std::max<std::int64_t>(0, limits.max_total_ns - total_on_ns_)));
    return limit;
}

bool GuardedLine::used_up() const noexcept {
    return line_.limits.max_total_ns > 0 && total_on_ns_ >= line_.limits.max_total_ns;
}

// A commanded stretch of high is over.
void GuardedLine::count_high(std::int64_t until_ns) noexcept {
    if (counting_) total_on_ns_ += until_ns - rose_ns_;
    counting_ = false;
}

void GuardedLine::forget_command() noexcept {
    wanted_until_ns_ = 0;
    falls_ns_ = never_ns;
    train_ = {};
    ramp_ = {};
    set_deadline();
}

void GuardedLine::set_deadline() noexcept {
    const bool commanded = wanted_until_ns_ != 0 && !cut_;
    active_ = commanded && (high_ || train_.left > 0);
    if (!commanded) {
        deadline_ns_ = never_ns;
    } else if (!high_) {
        deadline_ns_ = train_.left > 0 ? train_.next_ns : never_ns;
    } else {
        deadline_ns_ = std::min({falls_ns_, limit_ns(), ramp_.runs ? ramp_.next_ns : never_ns});
    }
}

// --- writes ---

EdgeResult GuardedLine::write_first(const OutputCommand& command) noexcept {
    const bool valued = command.action == Action::level || command.action == Action::ramp;
    return valued ? write_value(command.value) : write(true);
}

EdgeResult GuardedLine::write(bool high) noexcept {
    known_safe_ = false;
    return written(line_.driver->write(high), high);
}

EdgeResult GuardedLine::write_value(float value) noexcept {
    known_safe_ = false;
    EdgeResult edge = written(line_.driver->write_value(value), true);
    edge.valued = !edge.failed;
    edge.value = value;
    if (!edge.failed) value_ = value;
    return edge;
}

EdgeResult GuardedLine::written(bool done, bool high) noexcept {
    const std::int64_t stamp_ns = now_();
    if (!done) {
        faulty_ = true;
        return {.failed = true, .stamp_ns = stamp_ns, .high = high};
    }
    value_ = high ? 1.0F : 0.0F;
    return {.changed = high_.exchange(high) != high, .stamp_ns = stamp_ns, .high = high};
}

}  // namespace fastpose

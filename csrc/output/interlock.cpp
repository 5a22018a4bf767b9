// Commands, deadlines and the safe state over all lines.
#include "output/interlock.h"

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace fastpose {
namespace {

// Never the earlier one: while there is no timer thread, nobody is woken.
constexpr std::int64_t no_timer_ns = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t longest_sleep_ns = 3'600'000'000'000;

}  // namespace

Interlock::Interlock(std::vector<OutputLine> lines, const InterlockOptions& options)
    : now_(options.now), timer_sleeps_until_ns_(no_timer_ns) {
    if (lines.size() > max_lines)
        throw ConfigError("outputs: " + std::to_string(lines.size()) + " lines; at most " +
                          std::to_string(max_lines) + " are allowed");
    for (OutputLine& line : lines) lines_.push_back(std::make_unique<GuardedLine>(std::move(line), now_));
    to_safe();
    if (faulty_line_ >= 0) throw OutputError(fault_message());
    if (options.start_timer && !lines_.empty()) start_timer(options.timer_thread);
}

Interlock::~Interlock() {
    to_safe();
    stop_ = true;
    bell_.notify();
    if (timer_.joinable()) timer_.join();
}

void Interlock::arm() {
    const std::uint32_t safe_calls = safe_calls_;
    faulty_line_ = -1;
    for (int i = 0; i < size(); ++i) {
        const EdgeResult edge = lines_[static_cast<std::size_t>(i)]->reset();
        report(i, EdgeCause::safe, line(i).line().limits.safe_high, edge);
        if (edge.failed) report_fault(i);
    }
    if (faulty_line_ >= 0) throw OutputError(fault_message());
    armed_ = true;
    if (safe_calls_ != safe_calls) to_safe();
}

EdgeResult Interlock::apply(const OutputCommand& command, EdgeCause cause) noexcept {
    if (command.output < 0 || command.output >= size()) return {.refused = true, .stamp_ns = now_()};
    GuardedLine& line = *lines_[static_cast<std::size_t>(command.output)];
    const EdgeResult edge = line.apply(command, armed_);
    if (cause == EdgeCause::user) report(command.output, cause, command.action != Action::off, edge);
    if (edge.failed) {
        report_fault(command.output);
    } else if (!edge.refused) {
        wake_timer_for(line.deadline_ns());
    }
    return edge;
}

void Interlock::to_safe() noexcept {
    ++safe_calls_;
    armed_ = false;
    for (int i = 0; i < size(); ++i) {
        GuardedLine& line = *lines_[static_cast<std::size_t>(i)];
        const EdgeResult edge = line.make_safe();
        report(i, EdgeCause::safe, line.line().limits.safe_high, edge);
        int none = -1;
        if (edge.failed) faulty_line_.compare_exchange_strong(none, i);
        wake_timer_for(line.deadline_ns());
    }
}

void Interlock::report_fault(int index) noexcept {
    int none = -1;
    faulty_line_.compare_exchange_strong(none, index);
    to_safe();
}

void Interlock::report(int index, EdgeCause cause, bool high, const EdgeResult& edge) noexcept {
    if (!edge.changed && !edge.refused) return;
    events_.push({edge.stamp_ns, index, cause, high, edge.refused});
}

std::int64_t Interlock::end_due() noexcept {
    std::int64_t next_ns = GuardedLine::never_ns;
    for (int i = 0; i < size(); ++i) {
        const GuardedLine& line = *lines_[static_cast<std::size_t>(i)];
        if (line.deadline_ns() <= now_()) end_line(i);
        next_ns = std::min(next_ns, line.deadline_ns());
    }
    return next_ns;
}

void Interlock::end_line(int index) noexcept {
    const GuardedLine::TimedEdge timed = lines_[static_cast<std::size_t>(index)]->end_if_due();
    report(index, timed.cause, timed.high, timed.edge);
    // A safe write that failed once more is tried again by its own deadline.
    if (timed.edge.failed && timed.cause != EdgeCause::safe) report_fault(index);
}

std::string Interlock::fault_message() const {
    const int index = faulty_line_;
    if (index < 0) return {};
    const OutputLine& line = lines_[static_cast<std::size_t>(index)]->line();
    return "output '" + line.name + "' (" + line.driver->description() +
           ") could not be written: " + line.driver->error() + "; check the cable and the device";
}

void Interlock::start_timer(const ThreadRequest& request) {
    timer_sleeps_until_ns_ = GuardedLine::never_ns;
    timer_ = std::thread([this, request] {
        timer_grant_ = set_up_this_thread(request);
        timer_ready_ = true;
        timer_ready_.notify_one();
        run_timer();
    });
    timer_ready_.wait(false);
}

void Interlock::run_timer() noexcept {
    while (!stop_) {
        // A deadline set from here on rings the bell, because nothing is later than never.
        timer_sleeps_until_ns_ = GuardedLine::never_ns;
        const std::uint32_t ticket = bell_.ticket();
        if (stop_) return;
        const std::int64_t next_ns = end_due();
        timer_sleeps_until_ns_ = next_ns;
        const std::int64_t left_ns = next_ns - now_();
        if (left_ns > 0) bell_.wait(ticket, std::min(left_ns, longest_sleep_ns));
    }
}

void Interlock::wake_timer_for(std::int64_t deadline_ns) noexcept {
    if (deadline_ns < timer_sleeps_until_ns_) bell_.notify();
}

}  // namespace fastpose

// Commands, deadlines and the safe state over all lines.
#include "output/interlock.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>

#include "base/error.h"

namespace fastpose {
namespace {

// Never the earlier one: while there is no timer thread, nobody is woken.
constexpr std::int64_t no_timer_ns = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t longest_sleep_ns = 3'600'000'000'000;

std::int32_t thousandths(float value) noexcept {
    return static_cast<std::int32_t>(std::lround(std::clamp(value, -2e6F, 2e6F) * 1000));
}

}  // namespace

// --- set-up ---

Interlock::Interlock(std::vector<OutputLine> lines, const InterlockOptions& options)
    : now_(options.now), max_pose_gap_ns_(options.max_pose_gap_ns), timer_sleeps_until_ns_(no_timer_ns) {
    if (lines.size() > max_lines)
        throw ConfigError("outputs: " + std::to_string(lines.size()) + " lines; at most " +
                          std::to_string(max_lines) + " are allowed");
    for (OutputLine& line : lines) lines_.push_back(std::make_unique<GuardedLine>(std::move(line), now_));
    resolve_exclusions();
    to_safe();
    if (faulty_line_ >= 0) throw OutputError(fault_message());
    listen_to_drivers();
    if (options.start_timer && !lines_.empty()) start_timer(options.timer_thread);
}

Interlock::~Interlock() {
    to_safe();
    for (const auto& line : lines_) line->line().driver->listen(nullptr);
    stop_ = true;
    bell_.notify();
    if (timer_.joinable()) timer_.join();
}

int Interlock::index_of(const std::string& name) const noexcept {
    for (int i = 0; i < size(); ++i)
        if (line(i).line().name == name) return i;
    return -1;
}

void Interlock::resolve_exclusions() {
    excludes_.resize(lines_.size());
    for (int i = 0; i < size(); ++i) {
        const OutputLine& mine = line(i).line();
        for (const std::string& name : mine.not_with) {
            const int other = index_of(name);
            if (other < 0 || other == i || mine.limits.safe_high || line(other).line().limits.safe_high)
                throw ConfigError("output '" + mine.name + "': not_with has '" + name +
                                  "'; allowed: other outputs, where both are safe when low");
            excludes_[static_cast<std::size_t>(i)] |= std::uint64_t{1} << other;
            excludes_[static_cast<std::size_t>(other)] |= std::uint64_t{1} << i;
        }
    }
}

void Interlock::listen_to_drivers() {
    for (int i = 0; i < size(); ++i) {
        ears_.push_back(std::make_unique<Ear>(*this, i));
        line(i).line().driver->listen(ears_.back().get());
    }
}

void Interlock::Ear::confirmed(bool high, std::int64_t stamp_ns) noexcept {
    interlock_.events_.push(
        {stamp_ns, index_, EdgeCause::protocol, high, false, EventTopic::confirmed, high ? 1 : 0});
}

void Interlock::Ear::failed() noexcept {
    interlock_.lines_[static_cast<std::size_t>(index_)]->mark_faulty();
    interlock_.report_fault(index_);
}

void Interlock::arm() {
    if (stopped_) throw OutputError("outputs: stopped by an emergency stop; start a new session");
    const std::uint32_t safe_calls = safe_calls_;
    resumable_ = true;
    faulty_line_ = -1;
    for (int i = 0; i < size(); ++i) {
        const EdgeResult edge = lines_[static_cast<std::size_t>(i)]->reset();
        report(i, EdgeCause::safe, line(i).line().limits.safe_high, edge);
        if (edge.failed) report_fault(i);
    }
    if (faulty_line_ >= 0) throw OutputError(fault_message());
    armed_ = true;
    bell_.notify();  // as in resume(): where poses came before, they are watched from now on
    if (safe_calls_ != safe_calls) to_safe();
}

// --- commands ---

EdgeResult Interlock::apply(const OutputCommand& command, EdgeCause cause) noexcept {
    if (command.output < 0 || command.output >= size()) return {.refused = true, .stamp_ns = now_()};
    const EdgeResult edge = apply_alone(command.output, command);
    if (cause == EdgeCause::user) report(command.output, cause, edge.high, edge);
    if (edge.failed) {
        report_fault(command.output);
    } else if (!edge.refused) {
        wake_timer_for(lines_[static_cast<std::size_t>(command.output)]->deadline_ns());
    }
    return edge;
}

EdgeResult Interlock::apply_alone(int index, const OutputCommand& command) noexcept {
    GuardedLine& line = *lines_[static_cast<std::size_t>(index)];
    const std::uint64_t excluded = excludes_[static_cast<std::size_t>(index)];
    if (excluded == 0 || command.action == Action::off) return line.apply(command, armed_);
    const std::lock_guard lock(exclusion_mutex_);
    for (int other = 0; other < size(); ++other)
        if ((excluded >> other & 1U) != 0)
            if (const std::int64_t now = lines_[static_cast<std::size_t>(other)]->active_at(); now != 0)
                return line.refuse(command, now);
    return line.apply(command, armed_);
}

void Interlock::to_safe() noexcept {
    resumable_ = false;
    disarm();
}

void Interlock::disarm() noexcept {
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

void Interlock::emergency_stop() noexcept {
    const bool first = !stopped_.exchange(true);
    to_safe();
    if (first) report_stop(StopReason::emergency);
}

// --- what is told ---

void Interlock::report_fault(int index) noexcept {
    int none = -1;
    faulty_line_.compare_exchange_strong(none, index);
    to_safe();
}

void Interlock::report(int index, EdgeCause cause, bool high, const EdgeResult& edge) noexcept {
    if (edge.changed || edge.refused)
        events_.push({edge.stamp_ns, index, cause, high, edge.refused, EventTopic::edge, edge.disarmed});
    if (edge.valued)
        events_.push({edge.stamp_ns, index, cause, high, false, EventTopic::level, thousandths(edge.value)});
}

void Interlock::report_stop(StopReason reason) noexcept {
    events_.push(
        {now_(), 0, EdgeCause::safe, false, false, EventTopic::stop, static_cast<std::int32_t>(reason)});
}

std::string Interlock::fault_message() const {
    const int index = faulty_line_;
    if (index < 0) return {};
    const OutputLine& line = lines_[static_cast<std::size_t>(index)]->line();
    return "output '" + line.name + "' (" + line.driver->description() +
           ") could not be written: " + line.driver->error() + "; check the cable and the device";
}

// --- the watchdog ---

void Interlock::note_pose() noexcept {
    if (max_pose_gap_ns_ <= 0) return;
    const bool first = last_pose_ns_.exchange(now_()) == 0;
    if (starved_) resume();
    if (first) bell_.notify();
}

// Unless somebody else has made the lines safe meanwhile.
void Interlock::resume() noexcept {
    if (!starved_.exchange(false)) return;
    if (!resumable_ || faulty_line_ >= 0) return;
    armed_ = true;
    if (!resumable_) return to_safe();
    bell_.notify();  // not earlier: a timer that finds the lines disarmed stops watching
    report_stop(StopReason::poses_back);
}

// Returns when to look again.
std::int64_t Interlock::watch_poses() noexcept {
    const std::int64_t last_ns = last_pose_ns_;
    if (max_pose_gap_ns_ <= 0 || last_ns == 0 || starved_ || !armed_) return GuardedLine::never_ns;
    const std::int64_t due_ns = last_ns + max_pose_gap_ns_;
    if (now_() < due_ns) return due_ns;
    disarm();
    starved_ = true;
    report_stop(StopReason::no_poses);
    return GuardedLine::never_ns;
}

// --- the timer ---

std::int64_t Interlock::end_due() noexcept {
    std::int64_t next_ns = watch_poses();
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

// Owns all output lines: every write passes here, within its limits, and every way out ends in the safe
// state.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/command.h"
#include "base/shared_event.h"
#include "base/thread.h"
#include "output/event_queue.h"
#include "output/guarded_line.h"

namespace fastpose {

struct InterlockOptions {
    NowFunction now = now_ns;
    bool start_timer =
        true;  // false: the owner calls end_due() itself, as tests with a clock of their own do
    ThreadRequest timer_thread{.name = "fp-timer"};
};

// Thread-safe for the pipeline's thread, the timer thread and the user's threads at once. Only set-up and
// arm() throw or allocate. What a command does to a line: Note [Commands] in guarded_line.h.
class Interlock {
  public:
    static constexpr int max_lines = 64;

    // Writes the safe level to every line; the interlock is not armed yet. Throws ConfigError for limits out
    // of range and OutputError for a line that cannot be written.
    explicit Interlock(std::vector<OutputLine> lines, const InterlockOptions& options = {});
    ~Interlock();  // to_safe(), then ends the timer thread
    Interlock(const Interlock&) = delete;
    Interlock& operator=(const Interlock&) = delete;

    // Writes the safe levels again, forgets earlier faults, and lets commands pass. Throws OutputError, with
    // all lines safe, if one cannot be written. A to_safe() meanwhile on another thread wins.
    void arm();
    [[nodiscard]] bool armed() const noexcept { return armed_; }

    // Carries out one command; refused if not armed, if the line is faulty, or if there is no such line. A
    // write that fails marks the line faulty and puts all lines into the safe state before it returns. With
    // EdgeCause::user, the edge or refusal is also put into the event queue.
    EdgeResult apply(const OutputCommand& command, EdgeCause cause = EdgeCause::protocol) noexcept;

    // Every line to its safe level, at once; further commands are refused until arm(). Calling it again
    // writes only what has failed before.
    void to_safe() noexcept;

    // Ends what is due and returns when to call again (GuardedLine::never_ns: nothing is waiting).
    std::int64_t end_due() noexcept;

    // Edges and refusals that no frame caused: timer, interlock, safe, user. One consumer; false if there is
    // none.
    bool poll_event(InterlockEvent& event) noexcept { return events_.pop(event); }
    [[nodiscard]] std::int64_t events_lost() const noexcept { return events_.lost(); }

    // The first line whose write failed since arm(), -1: none. The engine looks here once a frame.
    [[nodiscard]] int faulty_line() const noexcept { return faulty_line_; }
    // One line for the OutputError that the engine raises; empty without a fault. Allocates.
    [[nodiscard]] std::string fault_message() const;

    [[nodiscard]] int size() const noexcept { return static_cast<int>(lines_.size()); }
    [[nodiscard]] const GuardedLine& line(int index) const {
        return *lines_.at(static_cast<std::size_t>(index));
    }
    [[nodiscard]] const ThreadGrant& timer_grant() const noexcept { return timer_grant_; }

  private:
    void start_timer(const ThreadRequest& request);
    void run_timer() noexcept;
    void wake_timer_for(std::int64_t deadline_ns) noexcept;
    void end_line(int index) noexcept;
    void report_fault(int index) noexcept;
    void report(int index, EdgeCause cause, bool high, const EdgeResult& edge) noexcept;

    std::vector<std::unique_ptr<GuardedLine>> lines_;
    NowFunction now_;
    EventQueue events_{4096};
    std::atomic<bool> armed_{false};
    std::atomic<int> faulty_line_{-1};
    std::atomic<std::uint32_t> safe_calls_{0};

    SharedEvent bell_;
    std::atomic<std::int64_t> timer_sleeps_until_ns_;
    std::atomic<bool> timer_ready_{false};
    std::atomic<bool> stop_{false};
    ThreadGrant timer_grant_;
    std::thread timer_;
};

}  // namespace fastpose

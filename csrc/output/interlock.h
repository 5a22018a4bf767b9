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
#include "output/priority_mutex.h"

namespace fastpose {

struct InterlockOptions {
    NowFunction now = now_ns;
    bool start_timer =
        true;  // false: the owner calls end_due() itself, as tests with a clock of their own do
    ThreadRequest timer_thread{.name = "fp-timer"};
    std::int64_t max_pose_gap_ns = 0;  // see Note [Watchdog]; 0: it does not watch
};

// Note [Watchdog]: from the first note_pose() on, when no further one comes for max_pose_gap_ns, all lines go
// safe and commands are refused; the next one lets commands pass again. What was on stays off: the animal has
// moved on.
//
// Note [Exclusion]: a line is active while it is high and between the pulses of its train. A command that
// would raise a line is refused while a line is active that must not be with it. The check and the write are
// one step under a lock of all such lines.
//
// Thread-safe for the pipeline's thread, the timer thread and the user's threads at once. Only set-up and
// arm() throw or allocate. What a command does to a line: Note [Commands] in guarded_line.h.
class Interlock {
  public:
    static constexpr int max_lines = 64;

    // Writes the safe level to every line; the interlock is not armed yet. Throws ConfigError for limits out
    // of range or unknown names in not_with, and OutputError for a line that cannot be written.
    explicit Interlock(std::vector<OutputLine> lines, const InterlockOptions& options = {});
    ~Interlock();  // to_safe(), then ends the timer thread
    Interlock(const Interlock&) = delete;
    Interlock& operator=(const Interlock&) = delete;

    // Writes the safe levels again, forgets earlier faults, and lets commands pass. Throws OutputError, with
    // all lines safe, if one cannot be written, and after an emergency stop. A to_safe() meanwhile on another
    // thread wins.
    void arm();
    [[nodiscard]] bool armed() const noexcept { return armed_; }

    // Carries out one command; refused if not armed, if the line is faulty, or if there is no such line. A
    // write that fails marks the line faulty and puts all lines into the safe state before it returns. With
    // EdgeCause::user, the edge or refusal is also put into the event queue.
    EdgeResult apply(const OutputCommand& command, EdgeCause cause = EdgeCause::protocol) noexcept;

    // Every line to its safe level, at once; further commands are refused until arm(). Calling it again
    // writes only what has failed before.
    void to_safe() noexcept;
    // The same, and for good: arm() refuses from now on. The second call does nothing but to_safe().
    void emergency_stop() noexcept;
    [[nodiscard]] bool stopped() const noexcept { return stopped_; }

    // A pose came; see Note [Watchdog]. The loop calls it once a frame: one store.
    void note_pose() noexcept;

    // Ends what is due and returns when to call again (GuardedLine::never_ns: nothing is waiting).
    std::int64_t end_due() noexcept;

    // The same for one line, `index` being one.
    void end_line(int index) noexcept;

    // Edges and refusals that no frame caused: timer, interlock, safe, user; confirmations, and stops. One
    // consumer; false if there is none.
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
    // What one driver says by itself.
    class Ear final : public OutputListener {
      public:
        Ear(Interlock& interlock, int index) : interlock_(interlock), index_(index) {}
        void confirmed(bool high, std::int64_t stamp_ns) noexcept override;
        void failed() noexcept override;

      private:
        Interlock& interlock_;
        int index_;
    };

    void resolve_exclusions();
    [[nodiscard]] int index_of(const std::string& name) const noexcept;
    EdgeResult apply_alone(int index, const OutputCommand& command) noexcept;
    void listen_to_drivers();
    void start_timer(const ThreadRequest& request);
    void run_timer() noexcept;
    void wake_timer_for(std::int64_t deadline_ns) noexcept;
    void disarm() noexcept;
    std::int64_t watch_poses() noexcept;
    void resume() noexcept;
    void report_fault(int index) noexcept;
    void report(int index, EdgeCause cause, bool high, const EdgeResult& edge) noexcept;
    void report_stop(StopReason reason) noexcept;

    std::vector<std::unique_ptr<GuardedLine>> lines_;
    std::vector<std::unique_ptr<Ear>> ears_;
    std::vector<std::uint64_t> excludes_;  // bit i of a line's word: not with line i
    PriorityMutex exclusion_mutex_;
    NowFunction now_;
    std::int64_t max_pose_gap_ns_;
    EventQueue events_{4096};
    std::atomic<bool> armed_{false}, stopped_{false};
    std::atomic<int> faulty_line_{-1};
    std::atomic<std::uint32_t> safe_calls_{0};

    std::atomic<std::int64_t> last_pose_ns_{0};  // 0: none yet
    std::atomic<bool> starved_{false};           // the watchdog made the lines safe
    std::atomic<bool> resumable_{false};         // and nobody else has since arm()

    SharedEvent bell_;
    std::atomic<std::int64_t> timer_sleeps_until_ns_;
    std::atomic<bool> timer_ready_{false};
    std::atomic<bool> stop_{false};
    ThreadGrant timer_grant_;
    std::thread timer_;
};

}  // namespace fastpose

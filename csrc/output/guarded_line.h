// One output line with its limits: the only way to its driver.
#pragma once
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "base/command.h"
#include "output/event_queue.h"
#include "output/output.h"
#include "output/priority_mutex.h"

namespace fastpose {

struct LineLimits {
    std::int64_t max_on_ns = 0;     // longest stretch of high; 0: none
    double max_rate_hz = 0;         // rising edges closer than its period are refused; 0: none
    bool safe_high = false;         // the level of the safe state
    std::int64_t max_total_ns = 0;  // high in all, over the life of the line; 0: no limit
    float max_level = 0;            // highest analogue value; 0: no limit but the device's
};

struct OutputLine {
    std::string name;
    std::shared_ptr<OutputDriver> driver;
    LineLimits limits;
    std::vector<std::string> not_with{};  // lines that must not be active while this one is
};

// What became of one command.
struct EdgeResult {
    bool changed = false;       // the line has a new level
    bool refused = false;       // by a limit, or because the interlock is not armed
    bool disarmed = false;      // refused because the interlock is not armed
    bool failed = false;        // the driver could not write
    std::int64_t stamp_ns = 0;  // changed, failed: when the write returned; else when it was decided
    bool high = false;          // the level that was written or refused
    bool valued = false;        // an analogue value was written
    float value = 0;            // that value

    // It was carried out, and nobody can see it.
    [[nodiscard]] bool kept() const noexcept { return !changed && !refused && !failed && !valued; }
};

using NowFunction = std::int64_t (*)() noexcept;

// Thread-safe: every member holds the line's own lock over at most one device write. Allocates nothing after
// construction. Note [Commands] says what a command means on a line in any condition.
//
// Note [Commands]
//   rising edge       on, pulse, train, level or ramp on a low line. Refused within 1 / max_rate of the last
//                     rising edge.
//   on, pulse, high   no second edge. A pulse during a pulse extends it: it ends when the later of the two
//                     ends. A pulse after `on` ends the line after its duration; an `on` during a pulse keeps
//                     it high.
//   pulse end         counted from the stamp of the rising edge, or from the moment of the extending command.
//   train             its pulses are pulses; they rise on a grid from the first, none closer than 1 /
//   max_rate.
//                     When one cannot rise within a period of its time, the grid moves. Any other command
//                     ends what is left of a train; a train during a train counts anew, in the rhythm of the
//                     first until its next pulse.
//   level, ramp       a line with a value above 0 is high. A further value is no edge. A ramp is high from
//   its
//                     start, also where it starts at 0, and low when it ends at 0.
//   max_on            counted from the rising edge; extending does not move it. The line is forced low, and
//                     the command that was cut stays cut: further ones are refused while the command that was
//                     cut, with all that extended it, would still last. An `on` is therefore over only after
//                     `off`.
//   max_total         time high in all; when it is used up the line is forced low and stays so.
//   off               ends everything; a limit never refuses it.
class GuardedLine {
  public:
    static constexpr std::int64_t never_ns = std::numeric_limits<std::int64_t>::max();

    GuardedLine(OutputLine line, NowFunction now);

    // `armed` is read under the lock: once make_safe() has returned, no later command passes while it is
    // false.
    EdgeResult apply(const OutputCommand& command, const std::atomic<bool>& armed) noexcept;
    // Counts a command that others refused at `now`.
    EdgeResult refuse(const OutputCommand& command, std::int64_t now) noexcept;
    // The time, while it is active, else 0. Ends of pulses are before it or after it: they wait meanwhile.
    [[nodiscard]] std::int64_t active_at() noexcept;

    struct TimedEdge {
        EdgeResult edge;
        EdgeCause cause = EdgeCause::timer;
        bool high = false;
    };
    // Does what is due: ends a pulse, raises the next of a train, moves a ramp, enforces limits, tries a
    // failed safe write again.
    TimedEdge end_if_due() noexcept;

    // Ends every command and writes the safe level, unless it has been written since the last command. A
    // failure is tried again by end_if_due.
    EdgeResult make_safe() noexcept;
    // The same, but writes always and forgets an earlier failure.
    EdgeResult reset() noexcept;
    // The driver itself says that its device failed; no command passes until reset().
    void mark_faulty() noexcept { faulty_ = true; }

    // When end_if_due has something to do; never_ns: nothing.
    [[nodiscard]] std::int64_t deadline_ns() const noexcept { return deadline_ns_; }
    [[nodiscard]] bool high() const noexcept { return high_; }      // last level written with success
    [[nodiscard]] bool active() const noexcept { return active_; }  // high, or between pulses of a train
    [[nodiscard]] float value() const noexcept { return value_; }   // last analogue value written
    [[nodiscard]] bool faulty() const noexcept { return faulty_; }  // a write has failed
    [[nodiscard]] std::int64_t rising_edges() const noexcept { return rising_edges_; }
    [[nodiscard]] std::int64_t refused() const noexcept { return refused_; }
    [[nodiscard]] std::int64_t forced_low() const noexcept { return forced_low_; }
    // Time high in all commands that have ended.
    [[nodiscard]] std::int64_t total_on_ns() const noexcept { return total_on_ns_; }
    [[nodiscard]] const OutputLine& line() const noexcept { return line_; }

  private:
    // What goes on by itself after its command.
    struct Train {
        std::int64_t width_ns = 0, period_ns = 0, next_ns = 0;
        std::int32_t left = 0;  // pulses that have not risen yet
    };
    struct Ramp {
        std::int64_t start_ns = 0, duration_ns = 0, next_ns = 0;
        float from = 0, to = 0;
        bool runs = false;
    };

    [[nodiscard]] bool possible(const OutputCommand& command) const noexcept;
    [[nodiscard]] bool value_allowed(float value) const noexcept;
    EdgeResult demand_high(const OutputCommand& command, std::int64_t now) noexcept;
    EdgeResult change_high(const OutputCommand& command, std::int64_t now) noexcept;
    EdgeResult rise(const OutputCommand& command) noexcept;
    EdgeResult renew_train(const OutputCommand& command, std::int64_t now) noexcept;
    void plan(const OutputCommand& command, std::int64_t start_ns) noexcept;
    EdgeResult demand_low(std::int64_t now) noexcept;
    EdgeResult refuse(std::int64_t now, bool high) noexcept;
    EdgeResult write(bool high) noexcept;
    EdgeResult write_value(float value) noexcept;
    EdgeResult written(bool done, bool high) noexcept;
    EdgeResult write_first(const OutputCommand& command) noexcept;
    EdgeResult write_safe() noexcept;

    TimedEdge force_low() noexcept;
    TimedEdge end_pulse() noexcept;
    TimedEdge next_of_train(std::int64_t now) noexcept;
    void set_next_of_train(std::int64_t time_ns) noexcept;
    TimedEdge step_ramp(std::int64_t now) noexcept;

    [[nodiscard]] std::int64_t requested_end(const OutputCommand& command,
                                             std::int64_t start_ns) const noexcept;
    [[nodiscard]] std::int64_t limit_ns() const noexcept;
    [[nodiscard]] bool used_up() const noexcept;
    void count_high(std::int64_t until_ns) noexcept;
    void forget_command() noexcept;
    void set_deadline() noexcept;

    OutputLine line_;
    NowFunction now_;
    std::int64_t min_period_ns_, ramp_step_ns_;
    PriorityMutex mutex_;

    bool cut_ = false;                  // a limit ended the command that lasts until wanted_until_ns_
    bool known_safe_ = false;           // the safe level was the last thing written, by make_safe
    bool safe_failed_ = false;          // make_safe could not write
    bool counting_ = false;             // the time since rose_ns_ counts for max_total
    std::int64_t wanted_until_ns_ = 0;  // when the present command ends by itself; 0: none
    std::int64_t falls_ns_ = never_ns;  // when the present stretch of high ends by itself
    std::int64_t rose_ns_;              // last rising edge; also the start of max_on
    Train train_;
    Ramp ramp_;

    std::atomic<std::int64_t> deadline_ns_{never_ns};
    std::atomic<bool> high_, active_{false}, faulty_{false};
    std::atomic<float> value_{0};
    std::atomic<std::int64_t> rising_edges_{0}, refused_{0}, forced_low_{0}, total_on_ns_{0};
};

}  // namespace fastpose

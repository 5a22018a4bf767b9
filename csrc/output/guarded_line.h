// One output line with its limits: the only way to its driver.
#pragma once
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "base/command.h"
#include "output/event_queue.h"
#include "output/output.h"
#include "output/priority_mutex.h"

namespace fastpose {

struct LineLimits {
    std::int64_t max_on_ns = 0;  // longest stretch of high; 0: none
    double max_rate_hz = 0;      // rising edges closer than its period are refused; 0: none
    bool safe_high = false;      // the level of the safe state
};

struct OutputLine {
    std::string name;
    std::shared_ptr<OutputDriver> driver;
    LineLimits limits;
};

// What became of one command.
struct EdgeResult {
    bool changed = false;       // the line has a new level
    bool refused = false;       // by a limit, or because the interlock is not armed
    bool failed = false;        // the driver could not write
    std::int64_t stamp_ns = 0;  // changed, failed: when the write returned; else when it was decided
};

using NowFunction = std::int64_t (*)() noexcept;

// Thread-safe: every member holds the line's own lock over at most one device write. Allocates nothing after
// construction. Note [Commands] says what a command means on a line in any condition.
//
// Note [Commands]
//   rising edge       on or pulse on a low line. Refused within 1 / max_rate of the last rising edge.
//   on, pulse, high   no second edge. A pulse during a pulse extends it: it ends when the later of the two
//   ends. A
//                     pulse after `on` ends the line after its duration; an `on` during a pulse keeps it
//                     high.
//   pulse end         counted from the stamp of the rising edge, or from the moment of the extending command.
//   max_on            counted from the rising edge; extending does not move it. The line is forced low, and
//   the
//                     command that was cut stays cut: further on and pulse are refused while the command that
//                     was cut, with all that extended it, would still last. An `on` is therefore over only
//                     after `off`.
//   off               ends everything; a limit never refuses it.
class GuardedLine {
  public:
    static constexpr std::int64_t never_ns = std::numeric_limits<std::int64_t>::max();

    GuardedLine(OutputLine line, NowFunction now);

    // `armed` is read under the lock: once make_safe() has returned, no later command passes while it is
    // false.
    EdgeResult apply(const OutputCommand& command, const std::atomic<bool>& armed) noexcept;

    struct TimedEdge {
        EdgeResult edge;
        EdgeCause cause = EdgeCause::timer;
        bool high = false;
    };
    // Does what is due: ends a pulse, enforces max_on, tries a failed safe write again.
    TimedEdge end_if_due() noexcept;

    // Ends every command and writes the safe level, unless it has been written since the last command. A
    // failure is tried again by end_if_due.
    EdgeResult make_safe() noexcept;
    // The same, but writes always and forgets an earlier failure.
    EdgeResult reset() noexcept;

    // When end_if_due has something to do; never_ns: nothing.
    [[nodiscard]] std::int64_t deadline_ns() const noexcept { return deadline_ns_; }
    [[nodiscard]] bool high() const noexcept { return high_; }      // last level written with success
    [[nodiscard]] bool faulty() const noexcept { return faulty_; }  // a write has failed
    [[nodiscard]] std::int64_t rising_edges() const noexcept { return rising_edges_; }
    [[nodiscard]] std::int64_t refused() const noexcept { return refused_; }
    [[nodiscard]] std::int64_t forced_low() const noexcept { return forced_low_; }
    [[nodiscard]] const OutputLine& line() const noexcept { return line_; }

  private:
    EdgeResult demand_high(const OutputCommand& command, std::int64_t now) noexcept;
    EdgeResult demand_low(std::int64_t now) noexcept;
    EdgeResult refuse(std::int64_t now) noexcept;
    EdgeResult write(bool high) noexcept;
    EdgeResult write_safe() noexcept;
    [[nodiscard]] std::int64_t requested_end(const OutputCommand& command,
                                             std::int64_t start_ns) const noexcept;
    void set_deadline() noexcept;

    OutputLine line_;
    NowFunction now_;
    std::int64_t min_period_ns_;
    PriorityMutex mutex_;

    bool cut_ = false;                  // max_on ended the command that lasts until wanted_until_ns_
    bool known_safe_ = false;           // the safe level was the last thing written, by make_safe
    bool safe_failed_ = false;          // make_safe could not write
    std::int64_t wanted_until_ns_ = 0;  // when the present command ends by itself; 0: none
    std::int64_t rose_ns_;              // last rising edge; also the start of max_on

    std::atomic<std::int64_t> deadline_ns_{never_ns};
    std::atomic<bool> high_, faulty_{false};
    std::atomic<std::int64_t> rising_edges_{0}, refused_{0}, forced_low_{0};
};

}  // namespace fastpose

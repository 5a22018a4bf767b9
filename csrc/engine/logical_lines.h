// Output lines without devices, behind a true interlock, at times that the caller tells.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "output/interlock.h"
#include "record/records.h"

namespace fastpose {

// Thread-bound: its clock is the thread's. Writes take no time, and what is due ends when it is due. Times
// must not go back.
class LogicalLines {
  public:
    // The drivers of the lines are not used. Throws ConfigError.
    LogicalLines(std::vector<OutputLine> lines, std::int64_t start_ns);

    // Carries out a command of a person or of Python, after all that was due before.
    EdgeResult command(const OutputCommand& command, std::int64_t time_ns) noexcept;
    void end_until(std::int64_t time_ns) noexcept;
    void to_safe(std::int64_t time_ns) noexcept;
    // Every edge and refusal since the last call, in order.
    [[nodiscard]] std::vector<EventRecord> take_events();

  private:
    std::unique_ptr<Interlock> interlock_;
};

}  // namespace fastpose

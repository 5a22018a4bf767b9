// What the lines of a session did, asked for one edge after the other: see Note [Replay].
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "record/records.h"

namespace fastpose {

// Thread-bound.
class ReplayGuide {
  public:
    // `events`: in order of time.
    ReplayGuide(std::span<const EventRecord> events, int lines);

    // The edge or refusal that this command of a frame (-1: of a timer) made; null where it made none.
    [[nodiscard]] const EventRecord* command(int line, std::int64_t frame_id, bool high,
                                             std::int64_t not_before_ns) noexcept;
    void take_command(int line) noexcept { ++lines_[static_cast<std::size_t>(line)].next_command; }

    // When the line's end that was due at `due_ns` came; 0: it did not.
    [[nodiscard]] std::int64_t end_ns(int line, std::int64_t due_ns) noexcept;
    void take_end(int line) noexcept { ++lines_[static_cast<std::size_t>(line)].next_end; }

    // When the line was written as the outputs went safe at `time_ns`; 0: it made no edge.
    [[nodiscard]] std::int64_t safe_ns(int line, std::int64_t time_ns) const noexcept;

  private:
    struct Line {
        std::vector<EventRecord> commands, ends, safes;
        std::size_t next_command = 0, next_end = 0;
    };
    std::vector<Line> lines_;
};

}  // namespace fastpose

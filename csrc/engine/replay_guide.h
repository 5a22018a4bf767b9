// What the lines of a session did, asked for one edge after the other: see Note [Replay].
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "record/records.h"

namespace fastpose {

// Thread-bound. No question has a window of time of its own: on a busy machine everything may be late.
class ReplayGuide {
  public:
    // `events`: in order of time.
    ReplayGuide(std::span<const EventRecord> events, int lines);

    // What this command of a frame (-1: of a timer) made, by `until_ns`; null where it made nothing.
    [[nodiscard]] const EventRecord* command(int line, std::int64_t frame_id, bool high,
                                             std::int64_t not_before_ns, std::int64_t until_ns) noexcept;
    void take_command(int line) noexcept;

    // When what was due at `due_ns` came by itself: just after the edge that something else made first;
    // never, where the record has nothing more of the line.
    [[nodiscard]] std::int64_t end_ns(int line, std::int64_t due_ns) const noexcept;
    // The line's next edge came by itself, by `until_ns`.
    [[nodiscard]] bool ends_by_itself(int line, std::int64_t until_ns) const noexcept;
    // The line is there in its edges.
    void pass(int line, std::int64_t stamp_ns) noexcept;

    // When the line was written as the outputs went safe from `time_ns` on; 0: it made no edge.
    [[nodiscard]] std::int64_t safe_ns(int line, std::int64_t time_ns, std::int64_t until_ns) const noexcept;

  private:
    struct Line {
        std::vector<EventRecord> commands, edges;
        std::size_t next_command = 0;
        std::int64_t passed_ns = 0;
    };
    [[nodiscard]] const EventRecord* next_edge(int line, std::int64_t from_ns) const noexcept;

    std::vector<Line> lines_;
};

}  // namespace fastpose

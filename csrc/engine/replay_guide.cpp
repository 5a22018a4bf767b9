// Sorts the recorded edges by line and by what made them.
#include "engine/replay_guide.h"

#include <cstddef>

namespace fastpose {
namespace {

constexpr std::int64_t latest_end_ns = 250'000'000;  // a timer thread that came later was not this edge's
constexpr std::int64_t latest_timer_ns = 250'000'000;
constexpr std::int64_t one_call_ns = 5'000'000;  // over which the lines go safe

bool is_edge(const EventRecord& event) noexcept {
    return event.kind == static_cast<std::int32_t>(EventKind::output) ||
           event.kind == static_cast<std::int32_t>(EventKind::refused);
}

}  // namespace

ReplayGuide::ReplayGuide(std::span<const EventRecord> events, int lines)
    : lines_(static_cast<std::size_t>(lines)) {
    for (const EventRecord& event : events) {
        if (!is_edge(event) || event.source < 0 || event.source >= lines) continue;
        Line& line = lines_[static_cast<std::size_t>(event.source)];
        if ((event.flags & (event_timer | event_interlock)) != 0)
            line.ends.push_back(event);
        else if ((event.flags & event_safe) != 0)
            line.safes.push_back(event);
        else
            line.commands.push_back(event);
    }
}

const EventRecord* ReplayGuide::command(int line, std::int64_t frame_id, bool high,
                                        std::int64_t not_before_ns) noexcept {
    Line& mine = lines_[static_cast<std::size_t>(line)];
    auto& next = mine.next_command;
    while (next < mine.commands.size() && mine.commands[next].stamp_ns < not_before_ns) ++next;
    if (next == mine.commands.size()) return nullptr;
    const EventRecord& event = mine.commands[next];
    if (event.frame_id != frame_id || (event.value != 0) != high) return nullptr;
    const bool near = frame_id >= 0 || event.stamp_ns - not_before_ns <= latest_timer_ns;
    return near ? &event : nullptr;
}

std::int64_t ReplayGuide::end_ns(int line, std::int64_t due_ns) noexcept {
    Line& mine = lines_[static_cast<std::size_t>(line)];
    auto& next = mine.next_end;
    while (next < mine.ends.size() && mine.ends[next].stamp_ns < due_ns) ++next;
    if (next == mine.ends.size() || mine.ends[next].stamp_ns - due_ns > latest_end_ns) return 0;
    return mine.ends[next].stamp_ns;
}

std::int64_t ReplayGuide::safe_ns(int line, std::int64_t time_ns) const noexcept {
    for (const EventRecord& event : lines_[static_cast<std::size_t>(line)].safes)
        if (event.stamp_ns >= time_ns && event.stamp_ns - time_ns <= one_call_ns) return event.stamp_ns;
    return 0;
}

}  // namespace fastpose

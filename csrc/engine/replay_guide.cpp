// Sorts the recorded edges by line and by what made them.
#include "engine/replay_guide.h"

#include <algorithm>
#include <cstddef>
#include <limits>

namespace fastpose {
namespace {

constexpr std::int32_t by_itself = event_timer | event_interlock;

bool is(const EventRecord& event, EventKind kind) noexcept {
    return event.kind == static_cast<std::int32_t>(kind);
}

// An edge, or what a line did by itself in place of one: a ramp's end, a pulse of a train that was refused.
bool is_edge(const EventRecord& event) noexcept {
    return is(event, EventKind::output) ||
           ((event.flags & by_itself) != 0 && (is(event, EventKind::level) || is(event, EventKind::refused)));
}

bool is_of_command(const EventRecord& event) noexcept {
    if ((event.flags & (by_itself | event_user)) != 0) return false;
    if (is(event, EventKind::refused) || is(event, EventKind::kept)) return true;
    return (is(event, EventKind::output) || is(event, EventKind::level)) && (event.flags & event_safe) == 0;
}

}  // namespace

ReplayGuide::ReplayGuide(std::span<const EventRecord> events, int lines)
    : lines_(static_cast<std::size_t>(lines)) {
    for (const EventRecord& event : events) {
        if (event.source < 0 || event.source >= lines) continue;
        Line& line = lines_[static_cast<std::size_t>(event.source)];
        if (is_edge(event)) line.edges.push_back(event);
        if (is_of_command(event)) line.commands.push_back(event);
    }
}

const EventRecord* ReplayGuide::command(int line, std::int64_t frame_id, bool high,
                                        std::int64_t not_before_ns, std::int64_t until_ns) noexcept {
    Line& mine = lines_[static_cast<std::size_t>(line)];
    auto& next = mine.next_command;
    while (next < mine.commands.size() && mine.commands[next].stamp_ns < not_before_ns) ++next;
    if (next == mine.commands.size()) return nullptr;
    const EventRecord& event = mine.commands[next];
    const bool level = is(event, EventKind::level) || (event.value != 0) == high;
    return event.frame_id == frame_id && level && event.stamp_ns <= until_ns ? &event : nullptr;
}

// A command of an analogue value makes an edge and a level of one moment.
void ReplayGuide::take_command(int line) noexcept {
    Line& mine = lines_[static_cast<std::size_t>(line)];
    const EventRecord& taken = mine.commands[mine.next_command++];
    const std::size_t next = mine.next_command;
    if (next < mine.commands.size() && mine.commands[next].stamp_ns == taken.stamp_ns &&
        is(taken, EventKind::output) && is(mine.commands[next], EventKind::level))
        ++mine.next_command;
}

std::int64_t ReplayGuide::end_ns(int line, std::int64_t due_ns) const noexcept {
    const EventRecord* edge = next_edge(line, due_ns);
    if (edge == nullptr) return std::numeric_limits<std::int64_t>::max();
    return (edge->flags & by_itself) != 0 ? edge->stamp_ns : edge->stamp_ns + 1;
}

bool ReplayGuide::ends_by_itself(int line, std::int64_t until_ns) const noexcept {
    const EventRecord* edge = next_edge(line, 0);
    return edge != nullptr && (edge->flags & by_itself) != 0 && edge->stamp_ns <= until_ns;
}

void ReplayGuide::pass(int line, std::int64_t stamp_ns) noexcept {
    auto& passed_ns = lines_[static_cast<std::size_t>(line)].passed_ns;
    passed_ns = std::max(passed_ns, stamp_ns);
}

std::int64_t ReplayGuide::safe_ns(int line, std::int64_t time_ns, std::int64_t until_ns) const noexcept {
    const EventRecord* edge = next_edge(line, time_ns);
    const bool safe = edge != nullptr && (edge->flags & event_safe) != 0 && edge->stamp_ns <= until_ns;
    return safe ? edge->stamp_ns : 0;
}

// The first one that the line has not passed.
const EventRecord* ReplayGuide::next_edge(int line, std::int64_t from_ns) const noexcept {
    const Line& mine = lines_[static_cast<std::size_t>(line)];
    const std::int64_t least_ns = std::max(from_ns, mine.passed_ns + 1);
    const auto found =
        std::lower_bound(mine.edges.begin(), mine.edges.end(), least_ns,
                         [](const EventRecord& edge, std::int64_t time) { return edge.stamp_ns < time; });
    return found == mine.edges.end() ? nullptr : &*found;
}

}  // namespace fastpose

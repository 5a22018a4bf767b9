// The interlock's own rules on a clock that only the caller moves.
#include "engine/logical_lines.h"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/edge_record.h"
#include "engine/logical_clock.h"

namespace fastpose {
namespace {

class NoDevice final : public OutputDriver {
  public:
    bool write(bool) noexcept override { return true; }
    std::string description() const override { return "no device"; }
};

}  // namespace

LogicalLines::LogicalLines(std::vector<OutputLine> lines, std::int64_t start_ns) {
    logical_clock = {start_ns, 0};
    for (OutputLine& line : lines) line.driver = std::make_shared<NoDevice>();
    interlock_ = std::make_unique<Interlock>(
        std::move(lines),
        InterlockOptions{.now = read_logical_clock, .start_timer = false, .timer_thread = {}});
    interlock_->arm();
    (void)take_events();
}

EdgeResult LogicalLines::command(const OutputCommand& command, std::int64_t time_ns) noexcept {
    end_until(time_ns);
    return interlock_->apply(command, EdgeCause::user);
}

void LogicalLines::end_until(std::int64_t time_ns) noexcept {
    for (;;) {
        std::int64_t due_ns = GuardedLine::never_ns;
        for (int i = 0; i < interlock_->size(); ++i)
            due_ns = std::min(due_ns, interlock_->line(i).deadline_ns());
        if (due_ns > time_ns) break;
        logical_clock.now_ns = due_ns;
        interlock_->end_due();
    }
    logical_clock.now_ns = time_ns;
}

void LogicalLines::to_safe(std::int64_t time_ns) noexcept {
    end_until(time_ns);
    interlock_->to_safe();
}

std::vector<EventRecord> LogicalLines::take_events() {
    std::vector<EventRecord> events;
    InterlockEvent event;
    while (interlock_->poll_event(event)) events.push_back(event_record_of(event));
    return events;
}

}  // namespace fastpose

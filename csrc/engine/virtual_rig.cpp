// The clock stands at what comes next: the end of a pulse, a limit, a timer of the protocol, a frame.
#include "engine/virtual_rig.h"

#include <algorithm>

#include "base/error.h"

namespace fastpose {
namespace {

thread_local std::int64_t clock_ns = 0;

std::int64_t virtual_now_ns() noexcept { return clock_ns; }

}  // namespace

VirtualRig::VirtualRig(std::shared_ptr<Protocol> protocol, std::vector<OutputLine> lines)
    : protocol_(std::move(protocol)) {
    if (!protocol_) throw ConfigError("a virtual rig needs a protocol");
    clock_ns = 0;
    InterlockOptions options;
    options.now = virtual_now_ns;
    options.start_timer = false;
    interlock_ = std::make_unique<Interlock>(std::move(lines), options);
    interlock_->arm();
}

void VirtualRig::run_until(std::int64_t time_ns) {
    for (;;) {
        const std::int64_t line_ns = interlock_->end_due();
        take_events();
        const std::int64_t protocol_ns = protocol_->next_wakeup_ns();
        const std::int64_t next_ns = std::min(line_ns, protocol_ns);
        if (next_ns > time_ns) break;
        clock_ns = std::max(clock_ns, next_ns);
        if (line_ns <= protocol_ns) continue;
        decision_.clear();
        protocol_->advance(clock_ns, decision_);
        carry_out(decision_);
    }
    clock_ns = std::max(clock_ns, time_ns);
}

void VirtualRig::frame(std::int64_t time_ns, std::span<const std::uint8_t> rules, std::int64_t age_ns) {
    run_until(time_ns);
    decision_.clear();
    protocol_->step({.pose = {}, .rules = rules, .exposure_start_ns = clock_ns - age_ns, .now_ns = clock_ns},
                    decision_);
    carry_out(decision_);
}

void VirtualRig::end() {
    interlock_->to_safe();
    take_events();
}

void VirtualRig::carry_out(const Decision& decision) {
    for (int i = 0; i < decision.count; ++i) {
        const OutputCommand& command = decision.commands[static_cast<std::size_t>(i)];
        const EdgeResult edge = interlock_->apply(command);
        if (edge.changed || edge.refused)
            edges_.push_back({clock_ns, command.output, edge.high, edge.refused});
        take_events();
    }
    notes_.insert(notes_.end(), decision.notes.begin(), decision.notes.begin() + decision.note_count);
    if (!decision.finished) return;
    finished_ = true;
    end();
}

void VirtualRig::take_events() {
    for (InterlockEvent event; interlock_->poll_event(event);)
        edges_.push_back({event.stamp_ns, event.output, event.high, event.refused, event.cause});
}

}  // namespace fastpose

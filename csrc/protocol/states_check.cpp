// Everything that the machine takes for granted.
#include <algorithm>
#include <string>

#include "base/check.h"
#include "protocol/protocol.h"
#include "protocol/states_spec.h"

namespace fastpose {
namespace {

constexpr int most_states = 100'000, most_lines = 64;

int size_of(const auto& items) { return static_cast<int>(items.size()); }

void check(const std::string& name, const Duration& duration) {
    require_at_least(name + " in ns", static_cast<double>(duration.least_ns),
                     static_cast<double>(shortest_timer_ns));
    require_between(name + ", the longest, in ns", static_cast<double>(duration.most_ns),
                    static_cast<double>(duration.least_ns), 1e18);
}

void check(const std::string& name, const std::vector<CounterGuard>& guards, int counters) {
    for (const CounterGuard& guard : guards) require_index(name, guard.counter, counters);
}

void check(const std::string& name, const std::vector<OutputCommand>& commands, const StatesSpec& spec) {
    for (const OutputCommand& command : commands) {
        require_index(name + ": an output", command.output, spec.outputs);
        if (command.action == Action::pulse)
            require_above(name + ": a pulse in ns", static_cast<double>(command.duration_ns), 0);
    }
}

void check_source(const std::string& name, const TransitionSpec& transition, const StatesSpec& spec) {
    if (transition.trigger == Trigger::after)
        check(name + ".after", transition.after);
    else if (transition.trigger == Trigger::timer)
        require_index(name + ".timer", transition.source, size_of(spec.timers));
    else
        require_index(name + ": the rule", transition.source, spec.rules);
}

void check_targets(const std::string& name, const TransitionSpec& transition, const StatesSpec& spec) {
    double sum = 0;
    for (const Target& target : transition.targets) {
        require_index(name + ".to", target.state, size_of(spec.states));
        require_between(name + ": the weight of a target", target.weight, 0, 1e9);
        sum += target.weight;
    }
    if (transition.choice == Choice::chance)
        require_above(name + ": the sum of weights", sum, 0);
    else
        require_between(name + ": the number of targets", size_of(transition.targets),
                        std::max(1, size_of(spec.trials.counts)), size_of(spec.trials.counts));
}

void check(const std::string& name, const StateSpec& state, const StatesSpec& spec) {
    check(name + ".on_entry", state.on_entry, spec);
    check(name + ".on_exit", state.on_exit, spec);
    check(name + ".during", state.during, spec);
    for (const std::int32_t timer : state.start_timers)
        require_index(name + ".start", timer, size_of(spec.timers));
    for (const std::int32_t timer : state.stop_timers)
        require_index(name + ".stop", timer, size_of(spec.timers));
    for (const CounterChange& change : state.count)
        require_index(name + ".count", change.counter, spec.counters);
    require_at_least(name + ".deadline in ns", static_cast<double>(state.deadline_ns), 0);
    for (const TransitionSpec& transition : state.next) {
        check_source(name + ".next", transition, spec);
        check_targets(name + ".next", transition, spec);
        check(name + ".provided", transition.provided, spec.counters);
    }
    if (state.final && !(state.on_entry.empty() && state.during.empty() && state.next.empty()))
        throw ConfigError(name +
                          " is final and has outputs or transitions; allowed: none, as the outputs "
                          "are made safe when it is entered");
}

// All commands of one change have room in one decision.
void check_room(const StatesSpec& spec) {
    std::size_t leaving = 0, entering = 0;
    for (const StateSpec& state : spec.states) {
        leaving = std::max(leaving, state.on_exit.size() + state.during.size());
        entering = std::max(entering, state.on_entry.size() + state.during.size());
    }
    require_between("protocol.states: commands of leaving one state and entering another",
                    static_cast<double>(leaving + entering), 0, Decision::max_commands);
}

void check(const StatesLimits& limits, const StatesSpec& spec) {
    require_at_least("protocol.limits.session in ns", static_cast<double>(limits.session_ns), 0);
    require_at_least("protocol.limits.time_in_states in ns", static_cast<double>(limits.time_in_states_ns),
                     0);
    check("protocol.limits.counters", limits.counters, spec.counters);
    const bool any = limits.session_ns > 0 || limits.time_in_states_ns > 0 || !limits.counters.empty() ||
                     limits.trials || !spec.trials.counts.empty();
    if (!any && limits.end_state < 0) return;
    require_index("protocol.limits: the state at the end", limits.end_state, size_of(spec.states));
    if (!spec.states[static_cast<std::size_t>(limits.end_state)].final)
        throw ConfigError("protocol.limits: the state at the end is not final; allowed: one that is");
}

}  // namespace

void check(const StatesSpec& spec) {
    require_between("protocol.states: how many", size_of(spec.states), 1, most_states);
    require_index("protocol.initial", spec.initial, size_of(spec.states));
    require_between("outputs: how many", spec.outputs, 0, most_lines);
    for (const Duration& timer : spec.timers) check("protocol.timers", timer);
    check(spec.trials);
    for (int i = 0; i < size_of(spec.states); ++i)
        check("protocol.states[" + std::to_string(i) + "]", spec.states[static_cast<std::size_t>(i)], spec);
    check_room(spec);
    check(spec.limits, spec);
}

}  // namespace fastpose

// See Note [Protocol time] of protocol.h and the notes of states.h.
#include "protocol/states.h"

#include <algorithm>
#include <utility>

namespace fastpose {
namespace {

constexpr std::int64_t never_ns = Protocol::never_ns;
constexpr int notes_of_a_change = 2;

// What stays as it is when it is asked for once more.
bool lasts(const OutputCommand& command) noexcept {
    return command.action == Action::on || command.action == Action::level;
}

bool keeps(const StateSpec& before, const OutputCommand& command) noexcept {
    return lasts(command) &&
           std::find(before.during.begin(), before.during.end(), command) != before.during.end();
}

std::int64_t later(std::int64_t at_ns, std::int64_t by_ns) noexcept {
    return by_ns >= never_ns - at_ns ? never_ns : at_ns + by_ns;
}

int room_of(const StatesSpec& spec) {
    std::size_t leaving = 0, entering = 0;
    for (const StateSpec& state : spec.states) {
        leaving = std::max(leaving, state.on_exit.size() + state.during.size());
        entering = std::max(entering, state.on_entry.size() + state.during.size());
    }
    return static_cast<int>(leaving + entering);
}

std::size_t most_transitions(const StatesSpec& spec) {
    std::size_t most = 0;
    for (const StateSpec& state : spec.states) most = std::max(most, state.next.size());
    return most;
}

}  // namespace

StateMachine::StateMachine(StatesSpec spec) : spec_(std::move(spec)), random_(spec_.seed) {
    check(spec_);
    room_ = room_of(spec_);
    after_ns_.resize(most_transitions(spec_));
    timers_ns_.resize(spec_.timers.size());
    counters_.resize(static_cast<std::size_t>(spec_.counters));
    was_.resize(static_cast<std::size_t>(spec_.rules));
    reset();
}

void StateMachine::reset() noexcept {
    random_ = Random(spec_.seed);
    draw_trials(spec_.trials, random_, trials_);
    std::fill(timers_ns_.begin(), timers_ns_.end(), never_ns);
    std::fill(counters_.begin(), counters_.end(), 0);
    std::fill(was_.begin(), was_.end(), std::uint8_t{0});
    started_ = finished_ = suppressed_ = new_trial_ = false;
    state_ = spec_.initial;
    limited_ns_ = 0;
    trial_ = 0;
    due_ = {};
}

// --- time and frames ---

void StateMachine::step(const ProtocolInput& input, Decision& decision) noexcept {
    if (!started_) start(input.now_ns, decision);
    advance(input.now_ns, decision);
    // Where the room did not do, this frame's edges are seen with the next one.
    const bool caught_up = due_.at_ns > input.now_ns && has_room(decision);
    if (!finished_ && caught_up) {
        look_at_rules(input, decision);
        remember(input.rules);
    }
    decision.state = state_;
}

void StateMachine::advance(std::int64_t now_ns, Decision& decision) noexcept {
    while (due_.at_ns <= now_ns && has_room(decision)) carry_out_due(decision);
    decision.state = state_;
}

bool StateMachine::has_room(const Decision& decision) const noexcept {
    return decision.count + room_ <= Decision::max_commands &&
           decision.note_count + notes_of_a_change <= Decision::max_notes;
}

void StateMachine::start(std::int64_t now_ns, Decision& decision) noexcept {
    started_ = true;
    if (spec_.limits.session_ns > 0) session_end_ns_ = later(now_ns, spec_.limits.session_ns);
    enter(spec_.initial, StateSpec{}, {.at_ns = now_ns}, decision);
}

void StateMachine::carry_out_due(Decision& decision) noexcept {
    const Due due = due_;
    if (due.transition == nullptr) {
        change_to(spec_.limits.end_state, {.at_ns = due.at_ns}, decision);
        return;
    }
    if (due.transition->trigger == Trigger::timer)
        timers_ns_[static_cast<std::size_t>(due.transition->source)] = never_ns;
    take(*due.transition, {.at_ns = due.at_ns}, decision);
}

void StateMachine::look_at_rules(const ProtocolInput& input, Decision& decision) noexcept {
    for (const TransitionSpec& transition : spec_of(state_).next) {
        if (!holds(transition, input) || !provided(transition)) continue;
        take(transition, {.at_ns = input.now_ns, .input = &input}, decision);
        return;
    }
}

bool StateMachine::holds(const TransitionSpec& transition, const ProtocolInput& input) const noexcept {
    const auto rule = static_cast<std::size_t>(transition.source);
    const auto is = [&] { return rule < input.rules.size() && input.rules[rule] != 0; };
    switch (transition.trigger) {
        case Trigger::when:
            return is();
        case Trigger::unless:
            return !is();
        case Trigger::rises:
            return is() && was_[rule] == 0;
        case Trigger::falls:
            return !is() && was_[rule] != 0;
        case Trigger::after:
        case Trigger::timer:
            break;
    }
    return false;
}

bool StateMachine::provided(const TransitionSpec& transition) const noexcept {
    if (transition.choice == Choice::present_trial && trial_ == 0) return false;
    return std::all_of(transition.provided.begin(), transition.provided.end(),
                       [this](const CounterGuard& guard) {
                           const std::int64_t counter = counters_[static_cast<std::size_t>(guard.counter)];
                           return counter >= guard.least && counter <= guard.most;
                       });
}

void StateMachine::remember(std::span<const std::uint8_t> rules) noexcept {
    for (std::size_t i = 0; i < was_.size(); ++i) was_[i] = i < rules.size() && rules[i] != 0 ? 1 : 0;
}

// --- changes of state ---

void StateMachine::take(const TransitionSpec& transition, Change change, Decision& decision) noexcept {
    change_to(target_of(transition), change, decision);
}

std::int32_t StateMachine::target_of(const TransitionSpec& transition) noexcept {
    if (transition.choice == Choice::chance) return drawn(transition.targets);
    if (transition.choice == Choice::next_trial) {
        if (trial_ == trials_.size()) return spec_.limits.end_state;
        ++trial_;
        new_trial_ = true;
    }
    return transition.targets[static_cast<std::size_t>(trials_[trial_ - 1])].state;
}

std::int32_t StateMachine::drawn(const std::vector<Target>& targets) noexcept {
    if (targets.size() == 1) return targets.front().state;
    double sum = 0;
    for (const Target& target : targets) sum += target.weight;
    double left = random_.fraction() * sum;
    std::int32_t last = targets.front().state;
    for (const Target& target : targets) {
        if (target.weight <= 0) continue;
        last = target.state;
        if (left < target.weight) return last;
        left -= target.weight;
    }
    return last;  // where rounding left a little
}

bool StateMachine::reached_limit() const noexcept {
    const StatesLimits& limits = spec_.limits;
    const bool counted =
        std::any_of(limits.counters.begin(), limits.counters.end(), [this](const CounterGuard& limit) {
            return counters_[static_cast<std::size_t>(limit.counter)] >= limit.least;
        });
    return counted || (limits.trials && trial_ == trials_.size());
}

void StateMachine::change_to(std::int32_t target, Change change, Decision& decision) noexcept {
    if (spec_of(target).checks_limits && reached_limit()) target = spec_.limits.end_state;
    const StateSpec& before = spec_of(state_);
    judge(spec_of(target), change, decision);
    leave(spec_of(target), change, decision);
    enter(target, before, change, decision);
}

// See Note [Late states] of states_spec.h.
void StateMachine::judge(const StateSpec& target, Change& change, Decision& decision) const noexcept {
    if (change.input == nullptr || target.deadline_ns == 0) return;
    const bool late = change.at_ns - change.input->exposure_start_ns > target.deadline_ns;
    change.suppressed = late && target.on_late == OnLate::suppress;
    decision.late = decision.late || late;
}

// Whether the target does something of its own with an output that this state held.
bool StateMachine::goes_on(const OutputCommand& held, const StateSpec& target,
                           const Change& change) const noexcept {
    return std::any_of(target.during.begin(), target.during.end(), [&](const OutputCommand& command) {
        return command.output == held.output && (!change.suppressed || keeps(spec_of(state_), command));
    });
}

void StateMachine::leave(const StateSpec& target, const Change& change, Decision& decision) noexcept {
    const StateSpec& state = spec_of(state_);
    for (const OutputCommand& command : state.on_exit) give(command, change, decision);
    for (const OutputCommand& held : state.during)
        if (!goes_on(held, target, change)) decision.add({held.output, Action::off});
    if (state.limited && !suppressed_) limited_ns_ += change.at_ns - entered_ns_;
}

void StateMachine::enter(std::int32_t target, const StateSpec& before, const Change& change,
                         Decision& decision) noexcept {
    const StateSpec& state = spec_of(target);
    const bool were_held = !suppressed_;
    state_ = target;
    entered_ns_ = change.at_ns;
    suppressed_ = change.suppressed;
    finished_ = state.final;
    decision.finished = decision.finished || finished_;
    for (const OutputCommand& command : state.on_entry) give(command, change, decision);
    for (const OutputCommand& command : state.during)
        if (!were_held || !keeps(before, command)) give(command, change, decision);
    for (const CounterChange& count : state.count) {
        std::int64_t& counter = counters_[static_cast<std::size_t>(count.counter)];
        counter = (count.reset ? 0 : counter) + count.by;
    }
    tell(decision);
    start_times();
    find_due();
}

void StateMachine::give(const OutputCommand& command, const Change& change, Decision& decision) noexcept {
    if (change.suppressed && command.action != Action::off)
        decision.suppressed_outputs |= std::uint64_t{1} << command.output;
    else
        decision.add(command);
}

void StateMachine::tell(Decision& decision) noexcept {
    if (new_trial_ && !finished_)
        decision.note(
            {ProtocolNote::Kind::trial, trials_[trial_ - 1], static_cast<std::int32_t>(trial_), entered_ns_});
    new_trial_ = false;
    if (spec_.tells_states) decision.note({ProtocolNote::Kind::state, 0, state_, entered_ns_});
}

// --- what is due ---

void StateMachine::start_times() noexcept {
    const StateSpec& state = spec_of(state_);
    for (const std::int32_t timer : state.stop_timers) timers_ns_[static_cast<std::size_t>(timer)] = never_ns;
    for (const std::int32_t timer : state.start_timers) {
        const auto i = static_cast<std::size_t>(timer);
        timers_ns_[i] = later(entered_ns_, draw(spec_.timers[i]));
    }
    for (std::size_t i = 0; i < state.next.size(); ++i)
        after_ns_[i] = state.next[i].trigger == Trigger::after ? later(entered_ns_, draw(state.next[i].after))
                                                               : never_ns;
}

std::int64_t StateMachine::draw(const Duration& duration) noexcept {
    const auto range = static_cast<std::uint64_t>(duration.most_ns - duration.least_ns);
    return duration.least_ns + (range == 0 ? 0 : static_cast<std::int64_t>(random_.below(range + 1)));
}

void StateMachine::find_due() noexcept {
    due_ = {};
    if (finished_) return;
    const StateSpec& state = spec_of(state_);
    consider(session_end_ns_, nullptr);
    if (state.limited && !suppressed_ && spec_.limits.time_in_states_ns > 0)
        consider(later(entered_ns_, spec_.limits.time_in_states_ns - limited_ns_), nullptr);
    for (std::size_t i = 0; i < state.next.size(); ++i) {
        const TransitionSpec& transition = state.next[i];
        if (!provided(transition)) continue;
        if (transition.trigger == Trigger::after) consider(after_ns_[i], &transition);
        if (transition.trigger == Trigger::timer)
            consider(timers_ns_[static_cast<std::size_t>(transition.source)], &transition);
    }
}

// Of several that are due at once the first one is taken.
void StateMachine::consider(std::int64_t at_ns, const TransitionSpec* transition) noexcept {
    if (at_ns == never_ns) return;
    at_ns = std::max(at_ns, entered_ns_);
    if (at_ns < due_.at_ns) due_ = {at_ns, transition};
}

}  // namespace fastpose

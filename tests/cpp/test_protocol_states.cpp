// The state machine by hand: what each kind of transition, time and limit does, and that nothing is lost.
#include "protocol/states.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "allocation_counter.h"
#include "base/error.h"

namespace fastpose {
namespace {

constexpr std::int64_t ms = 1'000'000;

TransitionSpec on_rule(Trigger trigger, std::int32_t rule, std::int32_t to) {
    return {.trigger = trigger, .source = rule, .targets = {{to}}};
}

TransitionSpec after(std::int64_t time_ns, std::int32_t to) {
    return {.trigger = Trigger::after, .after = {time_ns, time_ns}, .targets = {{to}}};
}

TransitionSpec on_timer(std::int32_t timer, std::int32_t to) {
    return {.trigger = Trigger::timer, .source = timer, .targets = {{to}}};
}

StatesSpec machine(std::vector<StateSpec> states) {
    StatesSpec spec;
    spec.rules = 2;
    spec.outputs = 4;
    spec.states = std::move(states);
    return spec;
}

Decision frame(Protocol& protocol, std::int64_t now_ns, std::vector<std::uint8_t> rules = {0, 0},
               std::int64_t age_ns = 0) {
    Decision decision;
    protocol.step({.pose = {}, .rules = rules, .exposure_start_ns = now_ns - age_ns, .now_ns = now_ns},
                  decision);
    return decision;
}

Decision wake(Protocol& protocol, std::int64_t now_ns) {
    Decision decision;
    protocol.advance(now_ns, decision);
    return decision;
}

using Commands = std::vector<std::pair<int, Action>>;

Commands commands_of(const Decision& decision) {
    Commands commands;
    for (int i = 0; i < decision.count; ++i) {
        const OutputCommand& command = decision.commands[static_cast<std::size_t>(i)];
        commands.emplace_back(command.output, command.action);
    }
    return commands;
}

std::vector<std::pair<int, std::int64_t>> states_of(const Decision& decision) {
    std::vector<std::pair<int, std::int64_t>> states;
    for (int i = 0; i < decision.note_count; ++i) {
        const ProtocolNote& note = decision.notes[static_cast<std::size_t>(i)];
        if (note.kind == ProtocolNote::Kind::state) states.emplace_back(note.value, note.stamp_ns);
    }
    return states;
}

TEST(StateMachine, EntersTheInitialStateWithTheFirstFrame) {
    StateMachine protocol(machine({{.on_entry = {{1, Action::on}}, .next = {after(ms, 0)}}}));
    EXPECT_EQ(protocol.next_wakeup_ns(), Protocol::never_ns);
    const Decision first = frame(protocol, 100 * ms);
    EXPECT_EQ(commands_of(first), (Commands{{1, Action::on}}));
    EXPECT_EQ(states_of(first), (std::vector<std::pair<int, std::int64_t>>{{0, 100 * ms}}));
    EXPECT_EQ(protocol.next_wakeup_ns(), 101 * ms);
}

TEST(StateMachine, EachTriggerOnARule) {
    for (const auto& [trigger, taken_at] : std::vector<std::pair<Trigger, int>>{
             {Trigger::when, 0}, {Trigger::unless, 1}, {Trigger::rises, 0}, {Trigger::falls, 1}}) {
        StateMachine protocol(machine({{.next = {on_rule(trigger, 0, 1)}}, {.next = {after(ms, 1)}}}));
        frame(protocol, 1 * ms, {1, 0});
        EXPECT_EQ(protocol.state(), taken_at == 0 ? 1 : 0);
        protocol.reset();
        frame(protocol, 1 * ms, {1, 0});
        frame(protocol, 2 * ms, {0, 0});
        EXPECT_EQ(protocol.state(), 1);
    }
}

TEST(StateMachine, AnEdgeIsSeenByTheStateThatWasThere) {
    StateMachine protocol(machine({{.next = {on_rule(Trigger::rises, 0, 1)}},
                                   {.next = {on_rule(Trigger::rises, 0, 2), on_rule(Trigger::rises, 1, 2)}},
                                   {.next = {after(ms, 2)}}}));
    frame(protocol, 1 * ms, {1, 1});
    EXPECT_EQ(protocol.state(), 1);  // one change a frame
    frame(protocol, 2 * ms, {1, 1});
    EXPECT_EQ(protocol.state(), 1);  // the edges are over
    frame(protocol, 3 * ms, {1, 0});
    frame(protocol, 4 * ms, {1, 1});
    EXPECT_EQ(protocol.state(), 2);
}

TEST(StateMachine, TimersRunAtTheirLogicalTimeHoweverLateTheyAreCalled) {
    const auto spec = machine({{.next = {after(10 * ms, 1)}}, {.next = {after(5 * ms, 0)}}});
    StateMachine woken(spec), slow(spec);
    frame(woken, 0);
    frame(slow, 0);
    std::vector<std::pair<int, std::int64_t>> each;
    for (std::int64_t now = ms; now <= 100 * ms; now += ms)
        for (const auto& state : states_of(wake(woken, now))) each.push_back(state);
    const Decision at_once = frame(slow, 100 * ms);
    EXPECT_EQ(states_of(at_once), each);
    EXPECT_EQ(each.front(), (std::pair<int, std::int64_t>{1, 10 * ms}));
    EXPECT_EQ(each.back(), (std::pair<int, std::int64_t>{1, 100 * ms}));
    EXPECT_EQ(woken.state(), slow.state());
}

TEST(StateMachine, WhatDoesNotFitIsLeftForAnotherCallAndEdgesAreNotLost) {
    StateMachine protocol(machine(
        {{.on_entry = {{0, Action::pulse, ms}}, .next = {after(ms, 0), on_rule(Trigger::rises, 0, 1)}},
         {.next = {after(ms, 1)}}}));
    frame(protocol, 0);
    Decision decision = frame(protocol, 1'000 * ms, {1, 0});
    EXPECT_EQ(decision.count, Decision::max_commands - 1);  // a change needs two at most
    EXPECT_LE(protocol.next_wakeup_ns(), 1'000 * ms);
    int pulses = decision.count;
    while (protocol.next_wakeup_ns() <= 1'000 * ms) pulses += wake(protocol, 1'000 * ms).count;
    EXPECT_EQ(pulses, 1'000);
    EXPECT_EQ(protocol.state(), 0);
    frame(protocol, 1'000 * ms, {1, 0});
    EXPECT_EQ(protocol.state(), 1);
}

TEST(StateMachine, DuringIsOnWhileAStateLastsWithoutEdgesBetweenStatesThatShareIt) {
    StateMachine protocol(machine({{.during = {{0, Action::on}, {1, Action::on}}, .next = {after(ms, 1)}},
                                   {.during = {{0, Action::on}}, .next = {after(ms, 2)}},
                                   {.next = {after(ms, 2)}}}));
    EXPECT_EQ(commands_of(frame(protocol, 0)), (Commands{{0, Action::on}, {1, Action::on}}));
    EXPECT_EQ(commands_of(wake(protocol, 1 * ms)), (Commands{{1, Action::off}}));
    EXPECT_EQ(commands_of(wake(protocol, 2 * ms)), (Commands{{0, Action::off}}));
}

TEST(StateMachine, ATimerGoesOnOverStatesAndIsTakenOnce) {
    auto spec = machine({{.next = {after(2 * ms, 1)}, .start_timers = {0}},
                         {.next = {after(20 * ms, 2)}},
                         {.next = {on_timer(0, 3)}},
                         {.next = {on_timer(0, 0)}}});
    spec.timers = {{10 * ms, 10 * ms}};
    StateMachine protocol(spec);
    frame(protocol, 0);
    wake(protocol, 21 * ms);
    EXPECT_EQ(protocol.state(), 1);  // does not listen
    EXPECT_EQ(states_of(wake(protocol, 22 * ms)),
              (std::vector<std::pair<int, std::int64_t>>{{2, 22 * ms}, {3, 22 * ms}}));
    EXPECT_EQ(protocol.next_wakeup_ns(), Protocol::never_ns);  // taken
}

TEST(StateMachine, CountersGuardTransitions) {
    auto spec =
        machine({{.next = {after(ms, 1)}, .count = {{0, 1}}}, {.next = {after(ms, 0)}}, {.final = true}});
    TransitionSpec enough = after(ms, 2);
    enough.provided = {{0, 3, 1'000}};
    spec.states[1].next.insert(spec.states[1].next.begin(), enough);
    spec.counters = 1;
    StateMachine protocol(spec);
    frame(protocol, 0);
    const Decision decision = wake(protocol, 100 * ms);
    EXPECT_TRUE(decision.finished);
    EXPECT_EQ(protocol.counter(0), 3);
    EXPECT_EQ(states_of(decision).back(), (std::pair<int, std::int64_t>{2, 6 * ms}));
}

TEST(StateMachine, ChanceFollowsItsWeightsAndItsSeed) {
    auto spec = machine({{.next = {after(ms, 0)}}, {.next = {after(ms, 0)}}});
    spec.states[0].next[0].targets = {{0, 3}, {1, 1}};
    spec.states[1].next[0].targets = {{0, 3}, {1, 1}};
    spec.seed = 7;
    StateMachine one(spec), same(spec);
    frame(one, 0);
    frame(same, 0);
    int second = 0;
    for (int i = 1; i <= 4'000; ++i) {
        wake(one, i * ms);
        wake(same, i * ms);
        ASSERT_EQ(one.state(), same.state());
        second += one.state();
    }
    EXPECT_NEAR(second, 1'000, 150);
}

TEST(Random, IsTheSameEverywhere) {
    Random random(42);
    EXPECT_EQ(random.next(), 13'679'457'532'755'275'413ULL);  // SplitMix64, seed 42
    EXPECT_EQ(random.next(), 2'949'826'092'126'892'291ULL);
    std::array<int, 5> drawn{};
    for (int i = 0; i < 50'000; ++i) ++drawn[random.below(5)];
    for (const int count : drawn) EXPECT_NEAR(count, 10'000, 500);
}

TEST(StateMachine, TrialsComeInBlocksAndTheirEndEndsTheSession) {
    auto spec = machine(
        {{.next = {after(ms, 0)}}, {.next = {after(ms, 0)}}, {.next = {after(ms, 0)}}, {.final = true}});
    spec.states[0].next[0].choice = Choice::next_trial;
    spec.states[0].next[0].targets = {{1}, {2}};
    spec.trials = {.counts = {2, 1}, .blocks = 4, .order = TrialOrder::blocked};
    spec.limits.end_state = 3;
    spec.seed = 3;
    StateMachine protocol(spec);
    frame(protocol, 0);
    std::vector<int> types;
    while (!protocol.finished()) {
        const Decision decision = wake(protocol, protocol.next_wakeup_ns());
        for (int i = 0; i < decision.note_count; ++i)
            if (const ProtocolNote& note = decision.notes[static_cast<std::size_t>(i)];
                note.kind == ProtocolNote::Kind::trial) {
                types.push_back(note.source);
                EXPECT_EQ(note.value, static_cast<int>(types.size()));
                EXPECT_EQ(protocol.state(), note.source + 1);
            }
    }
    ASSERT_EQ(types.size(), 12U);
    for (std::size_t block = 0; block < 12; block += 3)
        EXPECT_EQ(std::count(types.begin() + static_cast<long>(block),
                             types.begin() + static_cast<long>(block) + 3, 1),
                  1);
}

TEST(StateMachine, TimeInStatesEndsTheSessionAtThatMoment) {
    auto spec = machine({{.next = {after(10 * ms, 1)}},
                         {.during = {{0, Action::on}}, .next = {after(8 * ms, 0)}, .limited = true},
                         {.final = true}});
    spec.limits = {.time_in_states_ns = 20 * ms, .end_state = 2};
    StateMachine protocol(spec);
    frame(protocol, 0);
    const Decision decision = wake(protocol, 1'000 * ms);
    EXPECT_EQ(states_of(decision).back(), (std::pair<int, std::int64_t>{2, (10 + 8 + 10 + 8 + 10 + 4) * ms}));
    EXPECT_EQ(commands_of(decision).back(), (std::pair<int, Action>{0, Action::off}));
    EXPECT_TRUE(decision.finished);
    EXPECT_EQ(protocol.next_wakeup_ns(), Protocol::never_ns);
    EXPECT_EQ(frame(protocol, 2'000 * ms, {1, 1}).count, 0);  // it stays ended
}

TEST(StateMachine, SessionLimitLeavesAnyState) {
    auto spec = machine({{.during = {{0, Action::on}}, .next = {after(100 * ms, 0)}}, {.final = true}});
    spec.limits = {.session_ns = 30 * ms, .end_state = 1};
    StateMachine protocol(spec);
    frame(protocol, 5 * ms);
    EXPECT_EQ(protocol.next_wakeup_ns(), 35 * ms);
    EXPECT_EQ(commands_of(wake(protocol, 35 * ms)), (Commands{{0, Action::off}}));
    EXPECT_TRUE(protocol.finished());
}

TEST(StateMachine, ALateStateIsEnteredWithoutItsOutputs) {
    StateMachine protocol(machine({{.next = {on_rule(Trigger::when, 0, 1)}},
                                   {.on_entry = {{1, Action::pulse, ms}, {2, Action::off}},
                                    .during = {{0, Action::on}},
                                    .next = {after(ms, 2)},
                                    .deadline_ns = 20 * ms},
                                   {.during = {{0, Action::on}}, .next = {after(ms, 0)}}}));
    const Decision late = frame(protocol, 100 * ms, {1, 0}, 20 * ms + 1);
    EXPECT_TRUE(late.late);
    EXPECT_EQ(protocol.state(), 1);
    EXPECT_EQ(late.suppressed_outputs, 0b11U);
    EXPECT_EQ(commands_of(late), (Commands{{2, Action::off}}));
    // What the late state did not get is not taken for on by the next one.
    EXPECT_EQ(commands_of(wake(protocol, 101 * ms)), (Commands{{0, Action::on}}));
    wake(protocol, 102 * ms);
    EXPECT_FALSE(frame(protocol, 103 * ms, {1, 0}, 20 * ms).late);
}

TEST(StateMachine, ResetStartsAnew) {
    auto spec = machine({{.next = {after(ms, 0)}, .count = {{0, 1}}}});
    spec.states[0].next[0].after = {ms, 100 * ms};
    spec.counters = 1;
    StateMachine protocol(spec);
    const auto run = [&] {
        frame(protocol, 0);
        std::vector<std::int64_t> times;
        for (int i = 0; i < 20; ++i) {
            times.push_back(protocol.next_wakeup_ns());
            wake(protocol, times.back());
        }
        return times;
    };
    const auto first = run();
    EXPECT_EQ(protocol.counter(0), 21);
    protocol.reset();
    EXPECT_EQ(protocol.counter(0), 0);
    EXPECT_EQ(run(), first);
}

TEST(StateMachine, AllocatesNothing) {
    auto spec =
        machine({{.on_entry = {{0, Action::on}}, .next = {on_rule(Trigger::when, 0, 1), after(50 * ms, 1)}},
                 {.on_entry = {{0, Action::off}}, .next = {after(3 * ms, 0)}}});
    spec.states[1].next[0].after = {2 * ms, 9 * ms};
    StateMachine protocol(spec);
    frame(protocol, 0);
    const std::vector<std::uint8_t> low{0, 0}, high{1, 0};
    Decision decision;
    start_counting_allocations();
    for (int i = 1; i <= 1'000; ++i) {
        decision.clear();
        protocol.step({.pose = {}, .rules = i % 7 == 0 ? high : low, .now_ns = i * ms}, decision);
    }
    EXPECT_EQ(stop_counting_allocations(), 0);
}

TEST(StateMachine, RefusesWhatItCannotCarryOut) {
    const auto refuses = [](const StatesSpec& spec) { EXPECT_THROW(StateMachine{spec}, ConfigError); };
    refuses(machine({}));
    refuses(machine({{.next = {after(ms, 1)}}}));
    refuses(machine({{.next = {after(ms - 1, 0)}}}));
    refuses(machine({{.next = {on_rule(Trigger::when, 2, 0)}}}));
    refuses(machine({{.next = {on_timer(0, 0)}}}));
    refuses(machine({{.on_entry = {{4, Action::on}}, .next = {after(ms, 0)}}}));
    refuses(machine({{.on_entry = {{0, Action::pulse, 0}}, .next = {after(ms, 0)}}}));
    refuses(machine({{.on_entry = {{0, Action::on}}, .final = true}}));
    refuses(machine({{.on_entry = std::vector<OutputCommand>(33, {0, Action::on}), .next = {after(ms, 0)}}}));
    auto no_end = machine({{.next = {after(ms, 0)}}});
    no_end.limits.session_ns = ms;
    refuses(no_end);
    auto no_weight = machine({{.next = {after(ms, 0)}}});
    no_weight.states[0].next[0].targets = {{0, 0}};
    refuses(no_weight);
}

}  // namespace
}  // namespace fastpose

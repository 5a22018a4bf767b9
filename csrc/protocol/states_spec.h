// What a state machine is made of: states, transitions, timers, counters, limits. Indices, times in ns.
#pragma once
#include <cstdint>
#include <vector>

#include "base/command.h"
#include "protocol/conditional.h"
#include "protocol/trial_list.h"

namespace fastpose {

inline constexpr std::int64_t shortest_timer_ns = 1'000'000;  // no machine goes round and round at one time

// Drawn uniformly between both each time that it is needed.
struct Duration {
    std::int64_t least_ns = 0, most_ns = 0;
};

enum class Trigger : std::int32_t {
    when = 0,    // a frame in which the rule is true
    unless = 1,  // a frame in which it is false
    rises = 2,   // a frame in which it has become true
    falls = 3,   // a frame in which it has become false
    after = 4,   // so long after the state was entered
    timer = 5,   // the timer has run out, and no transition has taken it yet
};

// Holds while least <= counter <= most.
struct CounterGuard {
    std::int32_t counter = 0;
    std::int64_t least = 0, most = 0;
};

enum class Choice : std::int32_t {
    chance = 0,         // one of the targets, by their weights
    present_trial = 1,  // the target of the present trial's type
    next_trial = 2,     // draws the next trial, then its target
};

struct Target {
    std::int32_t state = 0;
    double weight = 1;  // chance only
};

struct TransitionSpec {
    Trigger trigger = Trigger::when;
    std::int32_t source = 0;  // rule or timer
    Duration after{};         // after only
    std::vector<CounterGuard> provided{};
    Choice choice = Choice::chance;
    std::vector<Target> targets{};  // of trials: one a type, in their order
};

struct CounterChange {
    std::int32_t counter = 0;
    std::int64_t by = 0;
    bool reset = false;  // to 0 first
};

struct StateSpec {
    std::vector<OutputCommand> on_entry{}, on_exit{};
    std::vector<OutputCommand> during{};  // given on entry; off on leaving for a state that does not have it
    std::vector<TransitionSpec> next{};   // the first one that holds is taken
    std::vector<std::int32_t> start_timers{}, stop_timers{};  // on entry
    std::vector<CounterChange> count{};                       // on entry
    bool final = false;                                       // entering it ends the session
    bool limited = false;          // the time in it adds up to StatesLimits::time_in_states_ns
    bool checks_limits = false;    // before it is entered, the limits of counters and trials are looked at
    std::int64_t deadline_ns = 0;  // from exposure_start to entering it by a frame; 0: none
    OnLate on_late = OnLate::suppress;
};

struct StatesLimits {
    std::int64_t session_ns = 0;           // from the first frame; 0: none
    std::int64_t time_in_states_ns = 0;    // 0: none
    std::vector<CounterGuard> counters{};  // reached from `least` on; `most` is not looked at
    bool trials = false;                   // reached when the list is used up
    std::int32_t end_state = -1;           // final, entered when a limit is reached; -1: there are no limits
};

struct StatesSpec {
    std::int32_t rules = 0, outputs = 0;  // how many there are
    std::vector<StateSpec> states{};
    std::int32_t initial = 0;
    std::vector<Duration> timers{};
    std::int32_t counters = 0;  // start at 0
    TrialListSpec trials{};
    StatesLimits limits{};
    std::uint64_t seed = 0;
    bool tells_states = true;  // false: states are not noted, as those of the conditional protocol
};

// Note [Late states]: a state that has a deadline and is entered by a frame whose exposure began longer ago
// is late. It is entered all the same, but where late reactions are suppressed, commands of this change that
// raise a line are not given, and its time does not count as time in limited states. Off is always given.

// Throws ConfigError.
void check(const StatesSpec& spec);

}  // namespace fastpose

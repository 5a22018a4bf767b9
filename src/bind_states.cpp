// Python faces of the state machine and what it is made of.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/error.h"
#include "bindings.h"
#include "engine/virtual_rig.h"
#include "protocol/states.h"

namespace py = pybind11;
using namespace py::literals;
using namespace fastpose;

namespace {

using Commands = std::vector<OutputCommand>;
using Span = std::pair<std::int64_t, std::int64_t>;                       // the shortest and the longest, ns
using Guards = std::vector<std::tuple<int, std::int64_t, std::int64_t>>;  // counter, least, most
using Targets = std::vector<std::pair<int, double>>;                      // state, weight
using Counts = std::vector<std::tuple<int, std::int64_t, bool>>;          // counter, by, reset first

// The index of a word in what is allowed; `key` is where it stands in the config.
template <class Enum>
Enum one_of(const std::vector<std::string>& words, const std::string& word, const std::string& key) {
    std::string allowed;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == word) return static_cast<Enum>(i);
        allowed += (i == 0 ? "" : ", ") + words[i];
    }
    throw ConfigError(key + " is '" + word + "'; allowed: " + allowed);
}

std::vector<CounterGuard> make_guards(const Guards& guards) {
    std::vector<CounterGuard> made;
    for (const auto& [counter, least, most] : guards) made.push_back({counter, least, most});
    return made;
}

TransitionSpec make_transition(const std::string& trigger, int source, Span after, const Guards& provided,
                               const std::string& choice, const Targets& targets) {
    TransitionSpec spec;
    spec.trigger =
        one_of<Trigger>({"when", "unless", "rises", "falls", "after", "timer"}, trigger, "trigger");
    spec.source = source;
    spec.after = {after.first, after.second};
    spec.provided = make_guards(provided);
    spec.choice = one_of<Choice>({"chance", "present_trial", "next_trial"}, choice, "choice");
    for (const auto& [state, weight] : targets) spec.targets.push_back({state, weight});
    return spec;
}

StateSpec make_state(Commands on_entry, Commands on_exit, Commands during, std::vector<TransitionSpec> next,
                     std::vector<std::int32_t> start_timers, std::vector<std::int32_t> stop_timers,
                     const Counts& count, bool final, bool limited, bool checks_limits,
                     std::int64_t deadline_ns, bool suppress_late) {
    StateSpec spec;
    spec.on_entry = std::move(on_entry);
    spec.on_exit = std::move(on_exit);
    spec.during = std::move(during);
    spec.next = std::move(next);
    spec.start_timers = std::move(start_timers);
    spec.stop_timers = std::move(stop_timers);
    for (const auto& [counter, by, reset] : count) spec.count.push_back({counter, by, reset});
    spec.final = final;
    spec.limited = limited;
    spec.checks_limits = checks_limits;
    spec.deadline_ns = deadline_ns;
    spec.on_late = suppress_late ? OnLate::suppress : OnLate::flag;
    return spec;
}

StatesLimits make_limits(std::int64_t session_ns, std::int64_t time_in_states_ns, const Guards& counters,
                         bool trials, int end_state) {
    return {session_ns, time_in_states_ns, make_guards(counters), trials, end_state};
}

TrialListSpec make_trials(std::vector<std::int32_t> counts, int blocks, const std::string& order) {
    return {std::move(counts), blocks,
            one_of<TrialOrder>({"sequence", "random", "blocked"}, order, "protocol.trials.order")};
}

std::unique_ptr<StateMachine> make_machine(int rules, int outputs, std::vector<StateSpec> states, int initial,
                                           const std::vector<Span>& timers, int counters,
                                           TrialListSpec trials, StatesLimits limits, std::uint64_t seed,
                                           bool tells_states) {
    StatesSpec spec;
    spec.rules = rules;
    spec.outputs = outputs;
    spec.states = std::move(states);
    spec.initial = initial;
    for (const auto& [least_ns, most_ns] : timers) spec.timers.push_back({least_ns, most_ns});
    spec.counters = counters;
    spec.trials = std::move(trials);
    spec.limits = std::move(limits);
    spec.seed = seed;
    spec.tells_states = tells_states;
    return std::make_unique<StateMachine>(std::move(spec));
}

void bind_parts_of_states(py::module_& m) {
    using Indices = std::vector<std::int32_t>;
    py::class_<TransitionSpec>(m, "TransitionSpec")
        .def(py::init(&make_transition), py::kw_only(), "trigger"_a, "source"_a = 0, "after"_a = Span{},
             "provided"_a = Guards{}, "choice"_a = "chance", "targets"_a);
    py::class_<StateSpec>(m, "StateSpec")
        .def(py::init(&make_state), py::kw_only(), "on_entry"_a = Commands{}, "on_exit"_a = Commands{},
             "during"_a = Commands{}, "next"_a = std::vector<TransitionSpec>{}, "start_timers"_a = Indices{},
             "stop_timers"_a = Indices{}, "count"_a = Counts{}, "final"_a = false, "limited"_a = false,
             "checks_limits"_a = false, "deadline_ns"_a = 0, "suppress_late"_a = true);
    py::class_<StatesLimits>(m, "StatesLimits")
        .def(py::init(&make_limits), py::kw_only(), "session_ns"_a = 0, "time_in_states_ns"_a = 0,
             "counters"_a = Guards{}, "trials"_a = false, "end_state"_a = -1);
    py::class_<TrialListSpec>(m, "TrialListSpec")
        .def(py::init(&make_trials), py::kw_only(), "counts"_a = Indices{}, "blocks"_a = 1,
             "order"_a = "blocked");
    m.def(
        "draw_trials",
        [](const TrialListSpec& spec, std::uint64_t seed) {
            check(spec);
            Random random(seed);
            Indices types;
            draw_trials(spec, random, types);
            return types;
        },
        "spec"_a, py::kw_only(), "seed"_a, "The types of the trials in the order in which they come.");
}

// (time_ns, output, high, refused, cause)
std::vector<std::tuple<std::int64_t, int, bool, bool, std::string>> edges_of(const VirtualRig& rig) {
    const std::vector<std::string> causes{"protocol", "timer", "interlock", "safe", "user"};
    std::vector<std::tuple<std::int64_t, int, bool, bool, std::string>> edges;
    for (const VirtualEdge& edge : rig.edges())
        edges.emplace_back(edge.time_ns, edge.output, edge.high, edge.refused,
                           causes.at(static_cast<std::size_t>(edge.cause)));
    return edges;
}

// (kind, source, value, stamp_ns)
std::vector<std::tuple<std::string, int, int, std::int64_t>> notes_of(const VirtualRig& rig) {
    std::vector<std::tuple<std::string, int, int, std::int64_t>> notes;
    for (const ProtocolNote& note : rig.notes())
        notes.emplace_back(note.kind == ProtocolNote::Kind::trial ? "trial" : "state", note.source,
                           note.value, note.stamp_ns);
    return notes;
}

void bind_virtual_rig(py::module_& m) {
    py::class_<VirtualRig>(m, "VirtualRig")
        .def(py::init<std::shared_ptr<Protocol>, std::vector<OutputLine>>(), "protocol"_a, "lines"_a)
        .def("run_until", &VirtualRig::run_until, "time_ns"_a)
        .def(
            "frame",
            [](VirtualRig& rig, std::int64_t time_ns, const std::vector<std::uint8_t>& rules,
               std::int64_t age_ns) { rig.frame(time_ns, rules, age_ns); },
            "time_ns"_a, "rules"_a, py::kw_only(), "age_ns"_a = 0)
        .def("end", &VirtualRig::end)
        .def("high", &VirtualRig::high, "output"_a)
        .def_property_readonly("finished", &VirtualRig::finished)
        .def_property_readonly("edges", &edges_of)
        .def_property_readonly("notes", &notes_of);
}

}  // namespace

void bind_states(py::module_& m) {
    bind_parts_of_states(m);
    bind_virtual_rig(m);
    py::class_<StateMachine, Protocol, py::smart_holder>(m, "StateMachine")
        .def(py::init(&make_machine), py::kw_only(), "rules"_a, "outputs"_a, "states"_a, "initial"_a = 0,
             "timers"_a = std::vector<Span>{}, "counters"_a = 0, "trials"_a = TrialListSpec{},
             "limits"_a = StatesLimits{}, "seed"_a = 0, "tells_states"_a = true)
        .def_property_readonly("state", &StateMachine::state)
        .def_property_readonly("finished", &StateMachine::finished)
        .def("counter", &StateMachine::counter, "index"_a);
}

// Python faces of output drivers, the interlock and protocols.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "bindings.h"
#include "output/hosted_lines.h"
#include "output/interlock.h"
#include "output/serial_output.h"
#include "output/sim_output.h"
#include "output_actions.h"
#include "protocol/conditional.h"
#include "protocol/none.h"
#include "protocol/policy_protocol.h"

namespace py = pybind11;
using namespace py::literals;
using namespace fastpose;

namespace {

using ReleaseGil = py::call_guard<py::gil_scoped_release>;
using PoseArray = py::array_t<float, py::array::c_style | py::array::forcecast>;

void bind_drivers(py::module_& m) {
    py::class_<OutputDriver, py::smart_holder>(m, "OutputDriver")
        .def("write", &OutputDriver::write, "high"_a, ReleaseGil())
        .def("write_value", &OutputDriver::write_value, "value"_a, ReleaseGil())
        .def_property_readonly("analogue", &OutputDriver::analogue)
        .def_property_readonly("description", &OutputDriver::description)
        .def_property_readonly("error", &OutputDriver::error);
    py::class_<SimOutput, OutputDriver, py::smart_holder>(m, "SimOutput")
        .def(py::init<std::string>(), "name"_a)
        .def("set_broken", &SimOutput::set_broken, "broken"_a)
        .def_property_readonly("high", &SimOutput::high)
        .def_property_readonly("value", &SimOutput::value)
        .def_property_readonly("writes", &SimOutput::writes)
        .def_property_readonly("rising_edges", &SimOutput::rising_edges)
        .def_property_readonly("falling_edges", &SimOutput::falling_edges);
}

void bind_serial(py::module_& m) {
    const SerialSpec spec;
    py::class_<SerialPort, py::smart_holder>(m, "SerialPort")
        .def(py::init([](std::string path, int baud, int write_timeout_ms) {
                 return std::make_unique<SerialPort>(SerialSpec{std::move(path), baud, write_timeout_ms});
             }),
             "path"_a, py::kw_only(), "baud"_a = spec.baud, "write_timeout_ms"_a = spec.write_timeout_ms,
             ReleaseGil())
        .def("fileno", &SerialPort::file_descriptor)
        .def_property_readonly("path", [](const SerialPort& port) { return port.spec().path; })
        .def_property_readonly("baud", [](const SerialPort& port) { return port.spec().baud; })
        .def_property_readonly("low_latency", &SerialPort::low_latency);
    py::class_<SerialOutput, OutputDriver, py::smart_holder>(m, "SerialOutput")
        .def(py::init([](std::shared_ptr<SerialPort> port, const py::bytes& high, const py::bytes& low) {
                 return std::make_unique<SerialOutput>(std::move(port), std::string(high), std::string(low));
             }),
             "port"_a, py::kw_only(), "high"_a, "low"_a);
}

constexpr std::int64_t ns_per_ms = 1'000'000;

// (line, high, sequence), or None after the timeout.
std::optional<std::tuple<int, bool, std::uint64_t>> next_command(HostedLines& lines, double timeout_ms) {
    LineCommand command;
    bool found = false;
    {
        const py::gil_scoped_release release;
        found = lines.next(command, static_cast<std::int64_t>(timeout_ms * ns_per_ms));
    }
    if (!found) return std::nullopt;
    return std::tuple{command.line, command.high, command.sequence};
}

int checked(const HostedLines& lines, int line) {
    if (line < 0 || line >= lines.size()) throw py::index_error("no such line");
    return line;
}

void bind_hosted(py::module_& m) {
    py::class_<HostedLines, py::smart_holder>(m, "HostedLines")
        .def_static("create", &HostedLines::create, "name"_a, py::kw_only(), "safe_high"_a)
        .def_static("attach", &HostedLines::attach, "name"_a)
        .def_property_readonly("name", &HostedLines::name)
        .def("__len__", &HostedLines::size)
        .def(
            "safe_high",
            [](const HostedLines& lines, int line) { return lines.safe_high(checked(lines, line)); },
            "line"_a)
        .def("serve", &HostedLines::serve)
        .def(
            "end", [](HostedLines& lines, const std::string& why) { lines.end(why.c_str()); }, "why"_a)
        .def("next", &next_command, "timeout_ms"_a)
        .def(
            "answer",
            [](HostedLines& lines, int line, std::uint64_t sequence, bool written, const std::string& why) {
                lines.answer({checked(lines, line), false, sequence}, written, why.c_str());
            },
            "line"_a, "sequence"_a, py::kw_only(), "written"_a, "why"_a = "")
        .def("creator_alive", &HostedLines::creator_alive);
    py::class_<HostedOutput, OutputDriver, py::smart_holder>(m, "HostedOutput")
        .def(py::init<std::shared_ptr<HostedLines>, int, std::string, int>(), "lines"_a, "line"_a,
             py::kw_only(), "description"_a, "timeout_ms"_a = 100);
}

OutputLine make_line(std::string name, std::shared_ptr<OutputDriver> driver, std::int64_t max_on_ns,
                     double max_rate_hz, bool safe_high, std::int64_t max_total_ns, float max_level,
                     std::vector<std::string> not_with) {
    return {std::move(name),
            std::move(driver),
            {max_on_ns, max_rate_hz, safe_high, max_total_ns, max_level},
            std::move(not_with)};
}

const char* name_of(EventTopic topic) {
    constexpr const char* names[] = {"edge", "level", "confirmed", "stop"};
    return names[static_cast<int>(topic)];
}

const char* name_of(EdgeCause cause) {
    constexpr const char* names[] = {"protocol", "timer", "interlock", "safe", "user"};
    return names[static_cast<int>(cause)];
}

void bind_events(py::module_& m) {
    py::class_<OutputLine>(m, "OutputLine")
        .def(py::init(&make_line), "name"_a, "driver"_a, py::kw_only(), "max_on_ns"_a = 0,
             "max_rate_hz"_a = 0.0, "safe_high"_a = false, "max_total_ns"_a = 0, "max_level"_a = 0.0F,
             "not_with"_a = std::vector<std::string>{})
        .def_readonly("name", &OutputLine::name)
        .def_readonly("driver", &OutputLine::driver);
    py::class_<EdgeResult>(m, "EdgeResult")
        .def_readonly("changed", &EdgeResult::changed)
        .def_readonly("refused", &EdgeResult::refused)
        .def_readonly("failed", &EdgeResult::failed)
        .def_readonly("stamp_ns", &EdgeResult::stamp_ns)
        .def_readonly("high", &EdgeResult::high);
    py::class_<InterlockEvent>(m, "InterlockEvent")
        .def_readonly("stamp_ns", &InterlockEvent::stamp_ns)
        .def_readonly("output", &InterlockEvent::output)
        .def_property_readonly("cause", [](const InterlockEvent& event) { return name_of(event.cause); })
        .def_readonly("high", &InterlockEvent::high)
        .def_readonly("refused", &InterlockEvent::refused)
        .def_property_readonly("topic", [](const InterlockEvent& event) { return name_of(event.topic); })
        .def_readonly("value", &InterlockEvent::value);
}

EdgeResult command(Interlock& interlock, int output, Action action, std::int64_t duration_ns) {
    return interlock.apply({output, action, duration_ns}, EdgeCause::user);
}

std::optional<InterlockEvent> next_event(Interlock& interlock) {
    InterlockEvent event;
    return interlock.poll_event(event) ? std::optional(event) : std::nullopt;
}

std::unique_ptr<Interlock> make_interlock(std::vector<OutputLine> lines, int timer_priority,
                                          std::vector<int> timer_cpus, std::int64_t max_pose_gap_ns) {
    InterlockOptions options;
    options.max_pose_gap_ns = max_pose_gap_ns;
    options.timer_thread.realtime_priority = timer_priority;
    options.timer_thread.cpus = std::move(timer_cpus);
    return std::make_unique<Interlock>(std::move(lines), options);
}

void bind_interlock(py::module_& m) {
    py::class_<Interlock, py::smart_holder>(m, "Interlock")
        .def(py::init(&make_interlock), "lines"_a, py::kw_only(), "timer_priority"_a = 0,
             "timer_cpus"_a = std::vector<int>{}, "max_pose_gap_ns"_a = 0, ReleaseGil())
        .def("arm", &Interlock::arm, ReleaseGil())
        .def_property_readonly("armed", &Interlock::armed)
        .def("to_safe", &Interlock::to_safe, ReleaseGil())
        .def("emergency_stop", &Interlock::emergency_stop, ReleaseGil())
        .def_property_readonly("stopped", &Interlock::stopped)
        .def("note_pose", &Interlock::note_pose)
        .def(
            "apply",
            [](Interlock& self, const OutputCommand& given) { return self.apply(given, EdgeCause::user); },
            "command"_a, ReleaseGil())
        .def(
            "value", [](const Interlock& self, int output) { return self.line(output).value(); }, "output"_a)
        .def(
            "total_on_ns", [](const Interlock& self, int output) { return self.line(output).total_on_ns(); },
            "output"_a)
        .def(
            "on", [](Interlock& self, int output) { return command(self, output, Action::on, 0); },
            "output"_a, ReleaseGil())
        .def(
            "off", [](Interlock& self, int output) { return command(self, output, Action::off, 0); },
            "output"_a, ReleaseGil())
        .def(
            "pulse",
            [](Interlock& self, int output, std::int64_t duration_ns) {
                return command(self, output, Action::pulse, duration_ns);
            },
            "output"_a, "duration_ns"_a, ReleaseGil())
        .def(
            "high", [](const Interlock& self, int output) { return self.line(output).high(); }, "output"_a)
        .def(
            "rising_edges",
            [](const Interlock& self, int output) { return self.line(output).rising_edges(); }, "output"_a)
        .def(
            "refused", [](const Interlock& self, int output) { return self.line(output).refused(); },
            "output"_a)
        .def(
            "forced_low", [](const Interlock& self, int output) { return self.line(output).forced_low(); },
            "output"_a)
        .def("poll_event", &next_event)
        .def_property_readonly("events_lost", &Interlock::events_lost)
        .def_property_readonly("faulty_line", &Interlock::faulty_line)
        .def_property_readonly("fault_message", &Interlock::fault_message);
}

struct Step {
    std::vector<OutputCommand> commands;
    Decision decision;
};

Step step(Protocol& protocol, PoseArray& keypoints, const std::vector<std::uint8_t>& rules,
          std::int64_t frame_id, std::int64_t exposure_start_ns, std::int64_t now) {
    if (keypoints.ndim() != 3 || keypoints.shape(2) != 3)
        throw ConfigError("keypoints: the shape (individuals, bodyparts, 3) is needed");
    const PoseView pose{reinterpret_cast<Keypoint*>(keypoints.mutable_data()),
                        static_cast<int>(keypoints.shape(0)), static_cast<int>(keypoints.shape(1))};
    Step result;
    protocol.step({pose, rules, frame_id, exposure_start_ns, now}, result.decision);
    result.commands.assign(result.decision.commands.begin(),
                           result.decision.commands.begin() + result.decision.count);
    return result;
}

Step advance(Protocol& protocol, std::int64_t now) {
    Step result;
    protocol.advance(now, result.decision);
    result.commands.assign(result.decision.commands.begin(),
                           result.decision.commands.begin() + result.decision.count);
    return result;
}

// (kind, source, value, stamp_ns)
using NoteTuple = std::tuple<std::string, int, int, std::int64_t>;

std::vector<NoteTuple> notes_of(const Step& step) {
    std::vector<NoteTuple> notes;
    for (int i = 0; i < step.decision.note_count; ++i) {
        const ProtocolNote& note = step.decision.notes[static_cast<std::size_t>(i)];
        notes.emplace_back(note.kind == ProtocolNote::Kind::trial ? "trial" : "state", note.source,
                           note.value, note.stamp_ns);
    }
    return notes;
}

const char* name_of(Action action) { return action_names.at(static_cast<std::size_t>(action)); }

OutputCommand make_command(int output, const std::string& action, std::int64_t duration_ns,
                           std::int64_t period_ns, int count, float value, float to) {
    return {output, action_from(action), duration_ns, period_ns, count, value, to};
}

void bind_decision(py::module_& m) {
    py::class_<OutputCommand>(m, "OutputCommand")
        .def(py::init(&make_command), "output"_a, "action"_a, py::kw_only(), "duration_ns"_a = 0,
             "period_ns"_a = 0, "count"_a = 0, "value"_a = 0.0F, "to"_a = 0.0F)
        .def_readonly("output", &OutputCommand::output)
        .def_property_readonly("action", [](const OutputCommand& command) { return name_of(command.action); })
        .def_readonly("duration_ns", &OutputCommand::duration_ns)
        .def_readonly("period_ns", &OutputCommand::period_ns)
        .def_readonly("count", &OutputCommand::count)
        .def_readonly("value", &OutputCommand::value)
        .def_readonly("to", &OutputCommand::to);
    py::class_<Step>(m, "Decision")
        .def_readonly("commands", &Step::commands)
        .def_property_readonly("state", [](const Step& step) { return step.decision.state; })
        .def_property_readonly("late", [](const Step& step) { return step.decision.late; })
        .def_property_readonly("finished", [](const Step& step) { return step.decision.finished; })
        .def_property_readonly("notes", &notes_of)
        .def_property_readonly("suppressed_outputs",
                               [](const Step& step) { return step.decision.suppressed_outputs; });
}

std::unique_ptr<PolicyProtocol> make_policy(const py::capsule& capsule) {
    const auto* policy = static_cast<fp_policy*>(PyCapsule_GetPointer(capsule.ptr(), FP_POLICY_CAPSULE));
    if (policy == nullptr) throw py::error_already_set();
    // The engine may let go of its protocol on any thread.
    const std::shared_ptr<void> owner(capsule.inc_ref().ptr(), [](void* object) {
        const py::gil_scoped_acquire gil;
        Py_DECREF(static_cast<PyObject*>(object));
    });
    return std::make_unique<PolicyProtocol>(*policy, owner);
}

// Reactions are (output, kind, pulse_ns).
using ReactionTuple = std::tuple<int, std::string, std::int64_t>;
using GivenReaction = std::variant<OutputCommand, ReactionTuple>;

ConditionalAction make_action(const ReactionTuple& tuple) {
    const auto& [output, kind, pulse_ns] = tuple;
    if (kind == "pulse") return {output, Reaction::pulse, pulse_ns};
    if (kind == "on") return {output, Reaction::on};
    if (kind == "off") return {output, Reaction::off};
    if (kind == "follow") return {output, Reaction::follow};
    throw ConfigError("protocol.do: '" + kind + "' is no action; allowed: pulse, on, off, follow");
}

ConditionalAction make_reaction(const GivenReaction& given) {
    if (const auto* command = std::get_if<OutputCommand>(&given))
        return {command->output, Reaction::other, 0, *command};
    return make_action(std::get<ReactionTuple>(given));
}

std::unique_ptr<ConditionalProtocol> make_conditional(int rule, const std::vector<GivenReaction>& actions,
                                                      std::int64_t deadline_ns, bool suppress_late) {
    ConditionalSpec spec{.rule = rule, .actions = {}, .deadline_ns = deadline_ns};
    spec.on_late = suppress_late ? OnLate::suppress : OnLate::flag;
    for (const GivenReaction& action : actions) spec.actions.push_back(make_reaction(action));
    return std::make_unique<ConditionalProtocol>(std::move(spec));
}

void bind_protocols(py::module_& m) {
    py::class_<Protocol, py::smart_holder>(m, "Protocol")
        .def("step", &step, "keypoints"_a, "rules"_a, py::kw_only(), "frame_id"_a = 0,
             "exposure_start_ns"_a = 0, "now_ns"_a = 0)
        .def("advance", &advance, "now_ns"_a)
        .def_property_readonly("next_wakeup_ns", &Protocol::next_wakeup_ns)
        .def("reset", &Protocol::reset);
    py::class_<NoProtocol, Protocol, py::smart_holder>(m, "NoProtocol").def(py::init<>());
    py::class_<ConditionalProtocol, Protocol, py::smart_holder>(m, "ConditionalProtocol")
        .def(py::init(&make_conditional), py::kw_only(), "rule"_a, "actions"_a, "deadline_ns"_a = 0,
             "suppress_late"_a = true);
    py::class_<PolicyProtocol, Protocol, py::smart_holder>(m, "PolicyProtocol")
        .def(py::init(&make_policy), "capsule"_a);
}

}  // namespace

void bind_outputs(py::module_& m) {
    bind_drivers(m);
    bind_serial(m);
    bind_hosted(m);
    bind_events(m);
    bind_decision(m);  // before those that take its commands
    bind_interlock(m);
    bind_protocols(m);
}

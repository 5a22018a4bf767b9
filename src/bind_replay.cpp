// A recorded session through filter, rules, protocol and interlock once more.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/error.h"
#include "bindings.h"
#include "engine/late_session.h"
#include "engine/logical_lines.h"
#include "engine/replay.h"

namespace py = pybind11;
using namespace py::literals;
using namespace fastpose;

namespace {

using Bytes = py::array_t<std::uint8_t, py::array::c_style>;
using Floats = py::array_t<float, py::array::c_style>;
using InputTuple = std::tuple<std::int64_t, std::string, int, std::int64_t>;  // time, what, output, duration

template <class Record>
std::span<const Record> records_of(const Bytes& bytes, const char* name) {
    if (bytes.ndim() != 2 || bytes.shape(1) != static_cast<py::ssize_t>(sizeof(Record)))
        throw ConfigError(std::string(name) + ": allowed is (n, " + std::to_string(sizeof(Record)) +
                          ") uint8, as this version writes them");
    return {reinterpret_cast<const Record*>(bytes.data()), static_cast<std::size_t>(bytes.shape(0))};
}

ReplayInput input_from(const InputTuple& tuple) {
    const auto& [time_ns, what, output, duration_ns] = tuple;
    if (what == "safe") return {time_ns, ReplayInput::Kind::safe};
    if (what == "arm") return {time_ns, ReplayInput::Kind::arm};
    ReplayInput input{time_ns, ReplayInput::Kind::command, {output, Action::off, duration_ns}};
    if (what == "on") input.command.action = Action::on;
    if (what == "pulse") input.command.action = Action::pulse;
    return input;
}

template <class Value, class Array>
Array array_of(const std::vector<Value>& values, std::vector<py::ssize_t> shape) {
    Array array(std::move(shape));
    if (!values.empty()) std::memcpy(array.mutable_data(), values.data(), values.size() * sizeof(Value));
    return array;
}

py::tuple replay_camera(std::shared_ptr<Filter> filter, std::vector<std::shared_ptr<Rule>> rules,
                        std::vector<int> rule_ids, std::shared_ptr<Protocol> protocol,
                        std::vector<OutputLine> lines, int individuals, int bodyparts, std::int64_t work_ns,
                        int camera, const Bytes& frames, const Floats& raw, const Bytes& guide,
                        const std::vector<InputTuple>& inputs, std::vector<int> seen,
                        const std::optional<Bytes>& others) {
    std::vector<ReplayInput> from_outside;
    for (const InputTuple& input : inputs) from_outside.push_back(input_from(input));
    ReplayRecord record{records_of<FrameRecord>(frames, "frames"),
                        {raw.data(), static_cast<std::size_t>(raw.size())},
                        records_of<EventRecord>(guide, "guide"),
                        from_outside};
    if (others) record.others = records_of<EventRecord>(*others, "others");
    ReplayParts parts{.filter = std::move(filter),
                      .rules = std::move(rules),
                      .rule_ids = std::move(rule_ids),
                      .protocol = std::move(protocol),
                      .lines = std::move(lines),
                      .individuals = individuals,
                      .bodyparts = bodyparts,
                      .work_ns = work_ns,
                      .camera = camera,
                      .seen = std::move(seen)};
    Replayed replayed;
    {
        py::gil_scoped_release unlocked;
        replayed = replay(std::move(parts), record);
    }
    const auto events = static_cast<py::ssize_t>(replayed.events.size());
    return py::make_tuple(
        array_of<EventRecord, Bytes>(replayed.events,
                                     {events, static_cast<py::ssize_t>(sizeof(EventRecord))}),
        array_of<float, Floats>(replayed.filtered, {frames.shape(0), individuals, bodyparts, 3}),
        replayed.latest_end_ns);
}

template <class Record>
Bytes bytes_of(const std::vector<Record>& records) {
    return array_of<Record, Bytes>(
        records, {static_cast<py::ssize_t>(records.size()), static_cast<py::ssize_t>(sizeof(Record))});
}

py::tuple late_camera(std::shared_ptr<Filter> filter, std::vector<std::shared_ptr<Rule>> rules,
                      std::vector<int> rule_ids, std::shared_ptr<Protocol> protocol,
                      std::vector<OutputLine> lines, int individuals, int bodyparts, std::int64_t work_ns,
                      const Bytes& frames, const Floats& raw, const std::vector<InputTuple>& inputs,
                      std::uint64_t seed, std::int64_t worst_ns, double share, std::int64_t max_pose_gap_ns) {
    std::vector<ReplayInput> from_outside;
    for (const InputTuple& input : inputs) from_outside.push_back(input_from(input));
    const ReplayRecord record{records_of<FrameRecord>(frames, "frames"),
                              {raw.data(), static_cast<std::size_t>(raw.size())},
                              {},
                              from_outside};
    ReplayParts parts{.filter = std::move(filter),
                      .rules = std::move(rules),
                      .rule_ids = std::move(rule_ids),
                      .protocol = std::move(protocol),
                      .lines = std::move(lines),
                      .individuals = individuals,
                      .bodyparts = bodyparts,
                      .work_ns = work_ns};
    LateSession session;
    {
        py::gil_scoped_release unlocked;
        session = late_session(std::move(parts), record, {seed, worst_ns, share, max_pose_gap_ns});
    }
    const auto kept = static_cast<py::ssize_t>(session.frames.size());
    return py::make_tuple(bytes_of(session.events), bytes_of(session.frames),
                          py::array_t<std::int64_t>(kept, session.places.data()),
                          array_of<float, Floats>(session.filtered, {kept, individuals, bodyparts, 3}),
                          session.ended_ns);
}

std::tuple<bool, bool, bool, std::int64_t> command(LogicalLines& lines, std::int64_t time_ns, int output,
                                                   const std::string& action, std::int64_t duration_ns) {
    const EdgeResult edge =
        lines.command(input_from({time_ns, action, output, duration_ns}).command, time_ns);
    return {edge.changed, edge.refused, edge.failed, edge.stamp_ns};
}

void bind_lines(py::module_& m) {
    py::class_<LogicalLines>(m, "LogicalLines", "Lines without devices, at times that the caller tells.")
        .def(py::init<std::vector<OutputLine>, std::int64_t>(), "lines"_a, py::kw_only(), "start_ns"_a)
        .def("command", &command, "time_ns"_a, "output"_a, "action"_a, "duration_ns"_a = 0)
        .def("end_until", &LogicalLines::end_until, "time_ns"_a)
        .def("to_safe", &LogicalLines::to_safe, "time_ns"_a)
        .def("take_events", [](LogicalLines& lines) {
            const std::vector<EventRecord> events = lines.take_events();
            const auto count = static_cast<py::ssize_t>(events.size());
            return array_of<EventRecord, Bytes>(events,
                                                {count, static_cast<py::ssize_t>(sizeof(EventRecord))});
        });
}

}  // namespace

void bind_replay(py::module_& m) {
    bind_lines(m);
    m.def("replay_camera", &replay_camera, py::kw_only(), "filter"_a, "rules"_a, "rule_ids"_a, "protocol"_a,
          "lines"_a, "individuals"_a, "bodyparts"_a, "work_ns"_a, "camera"_a, "frames"_a.noconvert(),
          "raw"_a.noconvert(), "guide"_a.noconvert(), "inputs"_a, "seen"_a = std::vector<int>{},
          "others"_a = py::none(), "(events, filtered, latest_end_ns): see Note [Replay].");
    m.def("late_camera", &late_camera, py::kw_only(), "filter"_a, "rules"_a, "rule_ids"_a, "protocol"_a,
          "lines"_a, "individuals"_a, "bodyparts"_a, "work_ns"_a, "frames"_a.noconvert(), "raw"_a.noconvert(),
          "inputs"_a, "seed"_a, "worst_ns"_a, "share"_a, "max_pose_gap_ns"_a,
          "(events, frames, places, filtered, ended_ns): see Note [Late machine].");
}

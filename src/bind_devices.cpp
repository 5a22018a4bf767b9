// Python faces of the devices behind outputs: firmware, its simulator, lines beside the loop, the stop
// switch.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "bind_devices.h"
#include "clock_report.h"
#include "output/beside_lines.h"
#include "output/firmware_device.h"
#include "output/firmware_simulator.h"
#include "output/gpio_output.h"
#include "output/interlock.h"
#include "output/stop_switch.h"

namespace py = pybind11;
using namespace py::literals;
using namespace fastpose;

namespace {

using ReleaseGil = py::call_guard<py::gil_scoped_release>;
constexpr double ns_per_ms = 1e6;
std::int64_t to_ns(double ms) { return static_cast<std::int64_t>(ms * ns_per_ms); }

// --- firmware ---

// A line is (pin, safe_high, analogue, max_on_ms).
using LineTuple = std::tuple<int, bool, bool, double>;

std::unique_ptr<FirmwareDevice> make_firmware(std::shared_ptr<SerialPort> port,
                                              const std::vector<LineTuple>& lines,
                                              std::vector<int> input_pins, int heartbeat_ms,
                                              int open_timeout_ms, int priority) {
    FirmwareSpec spec;
    for (const auto& [pin, safe_high, analogue, max_on_ms] : lines)
        spec.lines.push_back({pin, safe_high, analogue, to_ns(max_on_ms)});
    spec.input_pins = std::move(input_pins);
    spec.heartbeat_ms = heartbeat_ms;
    spec.open_timeout_ms = open_timeout_ms;
    spec.thread.realtime_priority = priority;
    return std::make_unique<FirmwareDevice>(std::move(port), std::move(spec));
}

std::optional<py::tuple> next_input_edge(FirmwareDevice& device) {
    InputEdge edge;
    if (!device.next_input_edge(edge)) return std::nullopt;
    return py::make_tuple(edge.stamp_ns, edge.device_ns, edge.input, edge.high, edge.number);
}

void bind_firmware(py::module_& m) {
    py::class_<FirmwareDevice, py::smart_holder>(m, "FirmwareDevice")
        .def(py::init(&make_firmware), "port"_a, py::kw_only(), "lines"_a,
             "input_pins"_a = std::vector<int>{}, "heartbeat_ms"_a = 250, "open_timeout_ms"_a = 5000,
             "priority"_a = 0, ReleaseGil())
        .def("set", &FirmwareDevice::set, "line"_a, "level"_a, ReleaseGil())
        .def("next_input_edge", &next_input_edge)
        .def_property_readonly("clock", [](const FirmwareDevice& device) { return as_dict(device.clock()); })
        .def_property_readonly("repeated", &FirmwareDevice::repeated)
        .def_property_readonly("error", &FirmwareDevice::error)
        .def_static("safe_bytes", [] { return py::bytes(FirmwareDevice::safe_bytes()); });
    py::class_<FirmwareOutput, OutputDriver, py::smart_holder>(m, "FirmwareOutput")
        .def(py::init<std::shared_ptr<FirmwareDevice>, int>(), "device"_a, "line"_a);
}

void bind_simulator(py::module_& m) {
    py::class_<FirmwareSimulator, py::smart_holder>(m, "FirmwareSimulator")
        .def(py::init([](double drift_ppm, double offset_s, double wire_delay_us) {
                 return std::make_unique<FirmwareSimulator>(
                     FirmwareSimulatorSpec{drift_ppm, static_cast<std::int64_t>(offset_s * 1e9),
                                           static_cast<std::int64_t>(wire_delay_us * 1e3)});
             }),
             py::kw_only(), "drift_ppm"_a = 0.0, "offset_s"_a = 0.0, "wire_delay_us"_a = 0.0)
        .def_property_readonly("path", &FirmwareSimulator::path)
        .def_property_readonly("armed", &FirmwareSimulator::armed)
        .def("level", &FirmwareSimulator::level, "pin"_a)
        .def("edges",
             [](const FirmwareSimulator& self) {
                 py::list all;
                 for (const SimulatedEdge& edge : self.edges())
                     all.append(py::make_tuple(edge.pin, edge.level, edge.host_ns, edge.device_ns));
                 return all;
             })
        .def("device_ns", &FirmwareSimulator::device_ns, "host_ns"_a)
        .def("drive_input", &FirmwareSimulator::drive_input, "pin"_a, "high"_a, "host_ns"_a = 0, ReleaseGil())
        .def("connect", &FirmwareSimulator::connect, "output_pin"_a, "input_pin"_a)
        .def("unplug", &FirmwareSimulator::unplug, ReleaseGil())
        .def("freeze", &FirmwareSimulator::freeze, "frozen"_a)
        .def("lose_replies", &FirmwareSimulator::lose_replies, "count"_a);
}

// --- GPIO ---

void bind_gpio(py::module_& m) {
    py::class_<GpioOutput, OutputDriver, py::smart_holder>(m, "GpioOutput")
        .def(py::init([](std::string chip, int line, bool active_low, bool initial_high) {
                 return std::make_unique<GpioOutput>(
                     GpioSpec{std::move(chip), line, active_low, initial_high});
             }),
             "chip"_a, "line"_a, py::kw_only(), "active_low"_a = false, "initial_high"_a = false)
        .def("fileno", &GpioOutput::file_descriptor);
}

// --- lines beside the loop ---

py::object next_beside(BesideLines& lines, double timeout_ms) {
    BesideCommand command;
    bool found = false;
    {
        const py::gil_scoped_release release;
        found = lines.next(command, to_ns(timeout_ms));
    }
    return found ? py::cast(command) : py::none();
}

void bind_beside(py::module_& m) {
    py::class_<BesideCommand>(m, "BesideCommand")
        .def_readonly("line", &BesideCommand::line)
        .def_property_readonly("high", [](const BesideCommand& command) { return command.high != 0; })
        .def_property_readonly("value",
                               [](const BesideCommand& command) -> std::optional<float> {
                                   return command.valued != 0 ? std::optional(command.value) : std::nullopt;
                               })
        .def_readonly("given_ns", &BesideCommand::given_ns);
    py::class_<BesideLines, py::smart_holder>(m, "BesideLines")
        .def_static("create", &BesideLines::create, "name"_a, py::kw_only(), "safe_high"_a)
        .def_static("attach", &BesideLines::attach, "name"_a)
        .def_property_readonly("name", &BesideLines::name)
        .def("__len__", &BesideLines::size)
        .def("safe_high", &BesideLines::safe_high, "line"_a)
        .def_property_readonly("waiting", &BesideLines::waiting)
        .def_property_readonly("ended", &BesideLines::ended)
        .def_property_readonly("goodbye", &BesideLines::goodbye)
        .def("say_goodbye", &BesideLines::say_goodbye)
        .def(
            "end", [](BesideLines& lines, const std::string& why) { lines.end(why.c_str()); }, "why"_a)
        .def("next", &next_beside, "timeout_ms"_a)
        .def(
            "answer",
            [](BesideLines& lines, const BesideCommand& command, bool written, const std::string& why) {
                lines.answer(command, written, why.c_str());
            },
            "command"_a, py::kw_only(), "written"_a, "why"_a = "");
    py::class_<BesideDevice, py::smart_holder>(m, "BesideDevice")
        .def(py::init<std::shared_ptr<BesideLines>>(), "lines"_a);
    py::class_<BesideOutput, OutputDriver, py::smart_holder>(m, "BesideOutput")
        .def(py::init<std::shared_ptr<BesideDevice>, int, std::string, bool>(), "device"_a, "line"_a,
             py::kw_only(), "description"_a, "analogue"_a = false);
}

// --- the stop switch ---

void bind_stop(py::module_& m) {
    py::class_<StopSwitch, py::smart_holder>(m, "StopSwitch")
        .def_static(
            "create",
            [](const std::string& name, std::shared_ptr<Interlock> interlock) {
                return StopSwitch::create(name, [interlock = std::move(interlock)] {
                    if (interlock) interlock->emergency_stop();
                });
            },
            "name"_a, "interlock"_a.none(true))
        .def_static("attach", &StopSwitch::attach, "name"_a)
        .def(
            "throw_and_wait",
            [](StopSwitch& self, double timeout_ms) { return self.throw_and_wait(to_ns(timeout_ms)); },
            "timeout_ms"_a, ReleaseGil())
        .def_property_readonly("thrown", &StopSwitch::thrown)
        .def_property_readonly("reaction_ns", &StopSwitch::reaction_ns);
}

}  // namespace

void bind_devices(py::module_& m) {
    bind_firmware(m);
    bind_simulator(m);
    bind_gpio(m);
    bind_beside(m);
    bind_stop(m);
}

// The simulated camera in Python: SimSpec and random access to frames and truth.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <optional>
#include <string>

#include "bindings.h"
#include "camera/sim_simulation.h"

namespace py = pybind11;

using namespace fastpose;

namespace {

using Bytes = py::array_t<std::uint8_t>;

// A group of the spec, given as its class or as a dict of its fields.
template <typename Group>
Group group_from(const py::object& given) {
    if (given.is_none()) {
        return Group{};
    }
    if (py::isinstance<py::dict>(given)) {
        return py::type::of<Group>()(**given.cast<py::dict>()).template cast<Group>();
    }
    return given.cast<Group>();
}

void bind_groups(py::module_& m) {
    py::class_<SimLighting>(m, "SimLighting")
        .def(py::init([](double brightness, double gradient, double flicker) {
                 return SimLighting{.brightness = brightness, .gradient = gradient, .flicker = flicker};
             }),
             py::kw_only(), py::arg("brightness") = SimLighting{}.brightness,
             py::arg("gradient") = SimLighting{}.gradient, py::arg("flicker") = SimLighting{}.flicker)
        .def_readonly("brightness", &SimLighting::brightness)
        .def_readonly("gradient", &SimLighting::gradient)
        .def_readonly("flicker", &SimLighting::flicker);
    py::class_<SimClock>(m, "SimClock")
        .def(py::init([](double offset_s, double drift_ppm, double stamp_late_us) {
                 return SimClock{
                     .offset_s = offset_s, .drift_ppm = drift_ppm, .stamp_late_us = stamp_late_us};
             }),
             py::kw_only(), py::arg("offset_s") = SimClock{}.offset_s,
             py::arg("drift_ppm") = SimClock{}.drift_ppm, py::arg("stamp_late_us") = SimClock{}.stamp_late_us)
        .def_readonly("offset_s", &SimClock::offset_s)
        .def_readonly("drift_ppm", &SimClock::drift_ppm)
        .def_readonly("stamp_late_us", &SimClock::stamp_late_us);
    py::class_<SimFaults>(m, "SimFaults")
        .def(py::init([](double drop, double late, double late_ms, double torn, double failed,
                         std::optional<double> disconnect_after_s, std::optional<double> reconnect_after_s,
                         std::optional<double> clock_jump_after_s, double clock_jump_s) {
                 return SimFaults{.drop = drop,
                                  .late = late,
                                  .late_ms = late_ms,
                                  .torn = torn,
                                  .failed = failed,
                                  .disconnect_after_s = disconnect_after_s,
                                  .reconnect_after_s = reconnect_after_s,
                                  .clock_jump_after_s = clock_jump_after_s,
                                  .clock_jump_s = clock_jump_s};
             }),
             py::kw_only(), py::arg("drop") = SimFaults{}.drop, py::arg("late") = SimFaults{}.late,
             py::arg("late_ms") = SimFaults{}.late_ms, py::arg("torn") = SimFaults{}.torn,
             py::arg("failed") = SimFaults{}.failed, py::arg("disconnect_after_s") = py::none(),
             py::arg("reconnect_after_s") = py::none(), py::arg("clock_jump_after_s") = py::none(),
             py::arg("clock_jump_s") = SimFaults{}.clock_jump_s)
        .def_readonly("drop", &SimFaults::drop)
        .def_readonly("late", &SimFaults::late)
        .def_readonly("late_ms", &SimFaults::late_ms)
        .def_readonly("torn", &SimFaults::torn)
        .def_readonly("failed", &SimFaults::failed)
        .def_readonly("disconnect_after_s", &SimFaults::disconnect_after_s)
        .def_readonly("reconnect_after_s", &SimFaults::reconnect_after_s)
        .def_readonly("clock_jump_after_s", &SimFaults::clock_jump_after_s)
        .def_readonly("clock_jump_s", &SimFaults::clock_jump_s);
    py::class_<SimTrigger>(m, "SimTrigger")
        .def(py::init([](std::string source, std::string line) {
                 return SimTrigger{.source = std::move(source), .line = std::move(line)};
             }),
             py::kw_only(), py::arg("source") = SimTrigger{}.source, py::arg("line") = "")
        .def_readonly("source", &SimTrigger::source)
        .def_readonly("line", &SimTrigger::line);
}

void bind_led(py::module_& m) {
    const SimLed preset;
    py::class_<SimLed>(m, "SimLed")
        .def(py::init(
                 [](std::string output, double x, double y, double radius_px, double level, double delay_us) {
                     return SimLed{.output = std::move(output),
                                   .x = x,
                                   .y = y,
                                   .radius_px = radius_px,
                                   .level = level,
                                   .delay_us = delay_us};
                 }),
             py::kw_only(), py::arg("output"), py::arg("x"), py::arg("y"),
             py::arg("radius_px") = preset.radius_px, py::arg("level") = preset.level,
             py::arg("delay_us") = preset.delay_us)
        .def_readonly("output", &SimLed::output)
        .def_readonly("x", &SimLed::x)
        .def_readonly("y", &SimLed::y)
        .def_readonly("radius_px", &SimLed::radius_px)
        .def_readonly("level", &SimLed::level)
        .def_readonly("delay_us", &SimLed::delay_us);
}

SimSpec make_spec(std::string shape, std::string coat, std::array<int, 2> size, double rate_hz,
                  double exposure_us, const std::string& pixel_format, std::uint64_t seed,
                  std::optional<std::int64_t> frames_total, int individuals,
                  std::optional<double> body_length_px, const py::object& lighting, double noise,
                  bool motion_blur, double occlusion, const py::object& clock, const py::object& faults,
                  std::optional<int> prerender_frames, double transfer_ms, bool every_frame,
                  const py::object& camera_trigger, std::optional<SimLed> led) {
    SimSpec spec{.shape = std::move(shape),
                 .coat = std::move(coat),
                 .size = size,
                 .rate_hz = rate_hz,
                 .exposure_us = exposure_us,
                 .pixel_format = pixel_format_from(pixel_format),
                 .seed = seed,
                 .frames_total = frames_total,
                 .individuals = individuals,
                 .body_length_px = body_length_px,
                 .lighting = group_from<SimLighting>(lighting),
                 .noise = noise,
                 .motion_blur = motion_blur,
                 .occlusion = occlusion,
                 .clock = group_from<SimClock>(clock),
                 .faults = group_from<SimFaults>(faults),
                 .camera_trigger = group_from<SimTrigger>(camera_trigger),
                 .led = std::move(led),
                 .prerender_frames = prerender_frames,
                 .transfer_ms = transfer_ms,
                 .every_frame = every_frame};
    spec.validate();
    return spec;
}

void bind_spec(py::module_& m) {
    const SimSpec preset;
    py::class_<SimSpec>(m, "SimSpec")
        .def(py::init(&make_spec), py::kw_only(), py::arg("shape") = preset.shape,
             py::arg("coat") = preset.coat, py::arg("size") = preset.size,
             py::arg("rate_hz") = preset.rate_hz, py::arg("exposure_us") = preset.exposure_us,
             py::arg("pixel_format") = "mono8", py::arg("seed") = preset.seed,
             py::arg("frames_total") = py::none(), py::arg("individuals") = preset.individuals,
             py::arg("body_length_px") = py::none(), py::arg("lighting") = py::none(),
             py::arg("noise") = preset.noise, py::arg("motion_blur") = preset.motion_blur,
             py::arg("occlusion") = preset.occlusion, py::arg("clock") = py::none(),
             py::arg("faults") = py::none(), py::arg("prerender_frames") = py::none(),
             py::arg("transfer_ms") = preset.transfer_ms, py::arg("every_frame") = preset.every_frame,
             py::arg("camera_trigger") = py::none(), py::arg("led") = py::none())
        .def_readonly("shape", &SimSpec::shape)
        .def_readonly("coat", &SimSpec::coat)
        .def_readonly("size", &SimSpec::size)
        .def_readonly("rate_hz", &SimSpec::rate_hz)
        .def_readonly("exposure_us", &SimSpec::exposure_us)
        .def_property_readonly("pixel_format",
                               [](const SimSpec& s) { return std::string(name_of(s.pixel_format)); })
        .def_readonly("seed", &SimSpec::seed)
        .def_readonly("frames_total", &SimSpec::frames_total)
        .def_readonly("individuals", &SimSpec::individuals)
        .def_property_readonly("body_length_px", &SimSpec::resolved_body_length_px)
        .def_readonly("lighting", &SimSpec::lighting)
        .def_readonly("noise", &SimSpec::noise)
        .def_readonly("motion_blur", &SimSpec::motion_blur)
        .def_readonly("occlusion", &SimSpec::occlusion)
        .def_readonly("clock", &SimSpec::clock)
        .def_readonly("faults", &SimSpec::faults)
        .def_readonly("prerender_frames", &SimSpec::prerender_frames)
        .def_readonly("transfer_ms", &SimSpec::transfer_ms)
        .def_readonly("every_frame", &SimSpec::every_frame)
        .def_readonly("camera_trigger", &SimSpec::camera_trigger)
        .def_readonly("led", &SimSpec::led);
}

py::array empty_frame(const SimSpec& spec) {
    const py::ssize_t height = spec.height(), width = spec.width();
    switch (spec.pixel_format) {
        case PixelFormat::rgb8:
        case PixelFormat::bgr8:
            return Bytes({height, width, py::ssize_t{3}});
        case PixelFormat::yuyv:
            return Bytes({height, width, py::ssize_t{2}});
        case PixelFormat::nv12:
            return Bytes({height + height / 2, width});
        case PixelFormat::mono10:
        case PixelFormat::mono12:
            return py::array_t<std::uint16_t>({height, width});
        default:
            return Bytes({height, width});
    }
}

py::array_t<float> truth_of(const Simulation& simulation, std::int64_t index) {
    py::array_t<float> keypoints({simulation.spec().individuals, static_cast<int>(sim::kBodyparts), 3});
    auto* first = reinterpret_cast<TrueKeypoint*>(keypoints.mutable_data());
    simulation.truth(index, {first, static_cast<std::size_t>(keypoints.size()) / 3});
    return keypoints;
}

py::tuple rendered(Simulation& simulation, std::int64_t index) {
    py::array frame = empty_frame(simulation.spec());
    const std::span<std::uint8_t> pixels{static_cast<std::uint8_t*>(frame.mutable_data()),
                                         static_cast<std::size_t>(frame.nbytes())};
    {
        const py::gil_scoped_release released;
        simulation.render(index, pixels);
    }
    return py::make_tuple(std::move(frame), truth_of(simulation, index));
}

}  // namespace

void bind_sim(py::module_& m) {
    static_assert(sizeof(TrueKeypoint) == 3 * sizeof(float));
    bind_groups(m);
    bind_led(m);
    bind_spec(m);
    py::class_<SimFate>(m, "SimFate")
        .def_readonly("dropped", &SimFate::dropped)
        .def_readonly("late", &SimFate::late)
        .def_readonly("torn", &SimFate::torn)
        .def_readonly("failed", &SimFate::failed)
        .def_readonly("tear_row", &SimFate::tear_row);
    py::class_<Simulation>(m, "Simulation")
        .def(py::init<const SimSpec&>(), py::arg("spec"), py::call_guard<py::gil_scoped_release>())
        .def(py::init([](const py::kwargs& fields) {
            return Simulation(py::type::of<SimSpec>()(**fields).cast<SimSpec>());
        }))
        .def("render", &rendered, py::arg("index"))
        .def("truth", &truth_of, py::arg("index"))
        .def("fate", &Simulation::fate, py::arg("index"))
        .def_property_readonly("spec", &Simulation::spec)
        .def_property_readonly(
            "period_s", [](const Simulation& s) { return s.renderer().animals()[0].trajectory().period_s(); })
        .def_property_readonly("bodyparts", [](const Simulation&) {
            return std::vector<std::string>(sim::kBodypartNames.begin(), sim::kBodypartNames.end());
        });
}

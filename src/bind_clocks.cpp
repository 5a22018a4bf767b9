// Cameras' clocks and counters, for drivers that are hosted in Python.
#include <pybind11/pybind11.h>

#include <string>

#include "bindings.h"
#include "camera/frame_counter.h"
#include "clock_report.h"
#include "engine/frame_stamper.h"
#include "engine/frame_window.h"
#include "latency/clock_fit.h"

namespace py = pybind11;
using namespace py::literals;
using namespace fastpose;

namespace {

py::tuple exposure(ClockFit& fit, std::int64_t camera_ns, std::int64_t received_ns) {
    const ExposureTime found = fit.exposure(camera_ns, received_ns);
    return py::make_tuple(found.start_ns, found.error_ns, found.fitted);
}

std::int64_t to_host_ns(const ClockFit& fit, std::int64_t camera_ns) {
    if (!fit.fitted()) throw py::value_error("ClockFit: there is no reading yet");
    return fit.to_host_ns(camera_ns);
}

double error_ns(const ClockFit& fit, std::int64_t camera_ns) {
    if (!fit.fitted()) throw py::value_error("ClockFit: there is no reading yet");
    return fit.error_ns(camera_ns);
}

void bind_clock_fit(py::module_& m) {
    py::class_<ClockFit>(m, "ClockFit")
        .def(py::init<>())
        .def("set_delay", &ClockFit::set_delay, "shortest_ns"_a, "longer_ns"_a = 0)
        .def("add", &ClockFit::add, "host_before_ns"_a, "camera_ns"_a, "host_after_ns"_a)
        .def("add_frame", &ClockFit::add_frame, "camera_ns"_a, "received_ns"_a)
        .def("exposure", &exposure, "camera_ns"_a, "received_ns"_a)
        .def("to_host_ns", &to_host_ns, "camera_ns"_a)
        .def("error_ns", &error_ns, "camera_ns"_a)
        .def("report", [](const ClockFit& fit) { return as_dict(fit.report()); })
        .def_property_readonly("fitted", &ClockFit::fitted)
        .def_property_readonly("suspect", &ClockFit::suspect)
        .def_property_readonly("source", [](const ClockFit& fit) { return name_of(fit.source()); })
        .def_property_readonly("drift_ppm", &ClockFit::drift_ppm)
        .def_property_readonly("residual_ns", &ClockFit::residual_ns);
}

py::tuple next_window(const FrameWindow& window) {
    const FrameWindow::Span span = window.next();
    return py::make_tuple(span.begin_ns, span.end_ns);
}

void bind_frame_window(py::module_& m) {
    py::class_<FrameWindow>(m, "FrameWindow")
        .def(py::init<>())
        .def("allow_spin", &FrameWindow::allow_spin, "spin_ns"_a)
        .def("note_received", &FrameWindow::note_received, "received_ns"_a)
        .def("note_wake_up", &FrameWindow::note_wake_up, "late_ns"_a)
        .def("next", &next_window);
}

}  // namespace

void bind_clocks(py::module_& m) {
    bind_clock_fit(m);
    bind_frame_window(m);
    py::class_<FrameMeta>(m, "FrameStamps")
        .def_readonly("camera_counter", &FrameMeta::camera_counter)
        .def_readonly("camera_timestamp_ns", &FrameMeta::camera_timestamp_ns)
        .def_readonly("exposure_start_ns", &FrameMeta::exposure_start_ns)
        .def_readonly("exposure_error_ns", &FrameMeta::exposure_error_ns)
        .def_readonly("received_ns", &FrameMeta::received_ns)
        .def_readonly("flags", &FrameMeta::flags);
    py::class_<FrameStamper>(m, "FrameStamper")
        .def(py::init([](const std::string& kind, double highest_rate_hz) {
                 return FrameStamper(counter_range_from(kind), highest_rate_hz);
             }),
             "counter"_a, py::kw_only(), "highest_rate_hz"_a = 0.0)
        .def("begin", &FrameStamper::begin, "exposure_ns"_a)
        .def("stamp", &FrameStamper::stamp, "number"_a, "camera_ns"_a, "received_ns"_a)
        .def_property_readonly("clock", &FrameStamper::clock);
}

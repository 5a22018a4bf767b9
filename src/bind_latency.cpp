// Latency histograms, for tests and reports.
#include <pybind11/pybind11.h>

#include "bindings.h"
#include "latency/histogram.h"

namespace py = pybind11;
using namespace fastpose;

namespace {

py::dict as_dict(const LatencySummary& s) {
    return py::dict(py::arg("n") = s.n, py::arg("p50_ns") = s.p50_ns, py::arg("p90_ns") = s.p90_ns,
                    py::arg("p99_ns") = s.p99_ns, py::arg("p999_ns") = s.p999_ns,
                    py::arg("max_ns") = s.max_ns);
}

}  // namespace

void bind_latency(py::module_& m) {
    py::class_<LatencyHistogram>(m, "LatencyHistogram")
        .def(py::init<>())
        .def("add", &LatencyHistogram::add, py::arg("latency_ns"))
        .def("quantile_ns", &LatencyHistogram::quantile_ns, py::arg("p"))
        .def("summary", [](const LatencyHistogram& h) { return as_dict(h.summary()); });
}

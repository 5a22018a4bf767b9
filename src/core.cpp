// The extension fastpose._core: registers what the bind_*.cpp files hold, and translates errors.
#include <pybind11/pybind11.h>

#include "base/clock.h"
#include "bind_devices.h"
#include "bindings.h"
#include "bindings_rules.h"

namespace py = pybind11;

void bind_replay(py::module_& m);         // bind_replay.cpp
void bind_protocol_cost(py::module_& m);  // bind_protocol_cost.cpp

PYBIND11_MODULE(_core, m) {
    m.doc() = "The fastpose engine.";
    m.def("now_ns", &fastpose::now_ns, "Host clock (monotonic), ns.");
    m.def("wall_clock_ns", &fastpose::wall_clock_ns, "Wall clock (Unix epoch), ns.");
    bind_errors();
    bind_clocks(m);
    bind_ring(m);
    bind_sim(m);
    bind_stages(m);
    bind_resize(m);
    bind_rules(m);
    bind_outputs(m);
    bind_devices(m);
    bind_states(m);
    bind_infer(m);
    bind_latency(m);
    bind_engine(m);
    bind_conditions(m);
    bind_classifier(m);
    bind_behaviour(m);
    bind_replay(m);
    bind_protocol_cost(m);
    bind_grab_cost(m);
    bind_v4l2(m);
}

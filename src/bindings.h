// One function per area of the engine; each lives in bind_<area>.cpp and holds no logic.
#pragma once
#include <pybind11/pybind11.h>

void bind_errors();
void bind_ring(pybind11::module_& m);
void bind_sim(pybind11::module_& m);
void bind_stages(pybind11::module_& m);
void bind_resize(pybind11::module_& m);
void bind_animals(pybind11::module_& m);
void bind_rules(pybind11::module_& m);
void bind_outputs(pybind11::module_& m);
void bind_states(pybind11::module_& m);
void bind_infer(pybind11::module_& m);
void bind_latency(pybind11::module_& m);
void bind_clocks(pybind11::module_& m);
void bind_estimators(pybind11::module_& m);
void bind_engine(pybind11::module_& m);
void bind_grab_cost(pybind11::module_& m);
void bind_v4l2(pybind11::module_& m);

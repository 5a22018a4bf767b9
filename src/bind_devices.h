// Devices behind outputs: firmware, GPIO, lines beside the loop, the stop switch.
#pragma once
#include <pybind11/pybind11.h>

void bind_devices(pybind11::module_& m);

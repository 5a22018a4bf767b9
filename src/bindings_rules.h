// Functions that register the parts of bind_rules.cpp that have files of their own.
#pragma once
#include <pybind11/pybind11.h>

void bind_conditions(pybind11::module_& m);
void bind_classifier(pybind11::module_& m);
void bind_behaviour(pybind11::module_& m);

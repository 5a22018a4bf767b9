// A clock's report as Python sees it.
#pragma once
#include <pybind11/pybind11.h>

#include "base/clock_report.h"

inline const char* name_of(fastpose::ClockSource source) {
    constexpr const char* names[] = {"none", "latched", "frames"};
    return names[static_cast<int>(source)];
}

inline pybind11::dict as_dict(const fastpose::ClockReport& r) {
    using namespace pybind11::literals;
    return pybind11::dict("source"_a = name_of(r.source), "readings"_a = r.readings,
                          "outliers"_a = r.outliers, "restarts"_a = r.restarts, "offset_ns"_a = r.offset_ns,
                          "drift_ppm"_a = r.drift_ppm, "drift_error_ppm"_a = r.drift_error_ppm,
                          "residual_ns"_a = r.residual_ns, "error_ns"_a = r.error_ns, "ptp"_a = r.ptp.data());
}

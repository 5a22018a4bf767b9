// Python faces of filters, zones and rules: factories with keyword arguments, and steps on NumPy arrays.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "bindings.h"
#include "filter/filter.h"
#include "rule/rule_set.h"
#include "rule/zone.h"

namespace py = pybind11;
using namespace py::literals;
using namespace fastpose;

namespace {

using PoseArray = py::array_t<float, py::array::c_style>;  // (individuals, bodyparts, 3): x, y, likelihood
using Shape = std::pair<int, int>;                         // individuals, bodyparts

// For readers only: also a read-only array will do.
PoseView view(const PoseArray& pose) {
    if (pose.ndim() != 3 || pose.shape(2) != 3) {
        throw ConfigError("pose has shape " + py::str(pose.attr("shape")).cast<std::string>() +
                          "; allowed: (individuals, bodyparts, 3)");
    }
    auto* keypoints = reinterpret_cast<Keypoint*>(const_cast<float*>(pose.data()));
    return {keypoints, static_cast<int>(pose.shape(0)), static_cast<int>(pose.shape(1))};
}

void require_keypoints(const PoseView& pose, const Filter& filter) {
    if (pose.size() == filter.size()) return;
    throw ConfigError("pose has " + std::to_string(pose.size()) + " keypoints; allowed: the " +
                      std::to_string(filter.size()) + " that the filter was made for");
}

void apply(Filter& filter, PoseArray& pose, std::int64_t exposure_start_ns) {
    const PoseView target = view(pose);
    require_keypoints(target, filter);
    pose.mutable_data();  // throws if read-only
    filter.apply(target, exposure_start_ns);
}

// Mean wall time of one call in ns; step(i) is the call.
template <class Step>
double mean_ns(int calls, Step step) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < calls; ++i) step(i);
    const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
    return taken.count() / calls;
}

double bench_filter(Filter& filter, const PoseArray& pose, int calls, std::int64_t step_ns) {
    const PoseView source = view(pose);
    require_keypoints(source, filter);
    std::vector<Keypoint> scratch(static_cast<std::size_t>(source.size()));
    const PoseView target{scratch.data(), source.individuals, source.bodyparts};
    filter.reset();
    return mean_ns(calls, [&](int i) {
        std::copy_n(source.keypoints, source.size(), scratch.data());
        filter.apply(target, i * step_ns);
    });
}

double bench_rule(Rule& rule, const PoseArray& pose, int calls, std::int64_t step_ns) {
    const PoseView seen = view(pose);
    rule.reset();
    return mean_ns(calls, [&](int i) { rule.update({seen, i * step_ns}); });
}

std::unique_ptr<Filter> one_euro(Shape shape, double min_cutoff_hz, double beta, double derivative_cutoff_hz,
                                 double max_gap_ms) {
    return make_one_euro({min_cutoff_hz, beta, derivative_cutoff_hz, max_gap_ms}, shape.first, shape.second);
}

std::unique_ptr<Filter> kalman(Shape shape, double process_noise, double measurement_noise_px,
                               double horizon_ms, bool automatic_horizon, double min_likelihood,
                               double max_gap_ms) {
    return make_kalman(
        {process_noise, measurement_noise_px, horizon_ms, automatic_horizon, min_likelihood, max_gap_ms},
        shape.first, shape.second);
}

void bind_filters(py::module_& m) {
    py::class_<Filter, py::smart_holder>(m, "Filter")
        .def("apply", &apply, "pose"_a.noconvert(), "exposure_start_ns"_a)
        .def("reset", &Filter::reset)
        .def("expect_delay", &Filter::expect_delay, "work_ns"_a)
        .def("learn_delay", &Filter::learn_delay, "exposure_start_ns"_a, py::kw_only(), "decided_ns"_a,
             "acted_ns"_a = 0)
        .def_property_readonly("horizon_ns", &Filter::horizon_ns);
    const OneEuroSpec euro;
    m.def("one_euro_filter", &one_euro, "shape"_a, py::kw_only(), "min_cutoff_hz"_a = euro.min_cutoff_hz,
          "beta"_a = euro.beta, "derivative_cutoff_hz"_a = euro.derivative_cutoff_hz,
          "max_gap_ms"_a = euro.max_gap_ms);
    const KalmanSpec kalman_spec;
    m.def("kalman_filter", &kalman, "shape"_a, py::kw_only(), "process_noise"_a = kalman_spec.process_noise,
          "measurement_noise_px"_a = kalman_spec.measurement_noise_px,
          "horizon_ms"_a = kalman_spec.horizon_ms, "automatic_horizon"_a = kalman_spec.automatic_horizon,
          "min_likelihood"_a = kalman_spec.min_likelihood, "max_gap_ms"_a = kalman_spec.max_gap_ms);
    m.def("bench_filter", &bench_filter, "filter"_a, "pose"_a.noconvert(), py::kw_only(), "calls"_a = 100'000,
          "step_ns"_a = 10'000'000);
}

std::shared_ptr<const Zone> mask_zone(const py::array_t<std::uint8_t, py::array::c_style>& mask) {
    if (mask.ndim() != 2)
        throw ConfigError("mask has " + std::to_string(mask.ndim()) +
                          " dimensions; allowed: (height, width)");
    return make_mask({mask.data(), static_cast<std::size_t>(mask.size())}, static_cast<int>(mask.shape(1)),
                     static_cast<int>(mask.shape(0)));
}

void bind_zones(py::module_& m) {
    py::class_<Zone, std::shared_ptr<Zone>>(m, "Zone")
        .def("signed_distance", &Zone::signed_distance, "x"_a, "y"_a)
        .def("contains", &Zone::contains, "x"_a, "y"_a, "margin_px"_a = 0.0);
    m.def("polygon_zone", &make_polygon, "corners"_a);
    m.def("circle_zone", &make_circle, py::kw_only(), "center"_a, "radius_px"_a);
    m.def("rectangle_zone", &make_rectangle, py::kw_only(), "x"_a, "y"_a, "width"_a, "height"_a);
    m.def("square_zone", &make_square, py::kw_only(), "center"_a, "side_px"_a, "angle_deg"_a = 0.0);
    m.def("ellipse_zone", &make_ellipse, py::kw_only(), "center"_a, "half_axes_px"_a, "angle_deg"_a = 0.0);
    m.def("mask_zone", &mask_zone, "mask"_a, "(height, width) uint8; pixels other than 0 belong to it.");
}

std::unique_ptr<Rule> make_rule(std::unique_ptr<Condition> condition, double min_duration_ms,
                                double refractory_ms, const std::string& missing) {
    const RuleTiming timing = make_timing(min_duration_ms, refractory_ms, missing);
    return std::make_unique<Rule>(std::move(condition), timing);
}

void bind_rule(py::module_& m) {
    py::class_<Condition, py::smart_holder>(m, "Condition");
    py::class_<Rule, py::smart_holder>(m, "Rule")
        .def(py::init(&make_rule), "condition"_a, py::kw_only(), "min_duration_ms"_a = 0.0,
             "refractory_ms"_a = 0.0, "missing"_a = "hold")
        .def(
            "update",
            [](Rule& rule, const PoseArray& pose, std::int64_t time_ns) {
                return rule.update({view(pose), time_ns});
            },
            "pose"_a.noconvert(), "exposure_start_ns"_a)
        .def_property_readonly("value", &Rule::value)
        .def("reset", &Rule::reset);
}

std::vector<int> update_set(RuleSet& rules, const PoseArray& pose, std::int64_t time_ns) {
    rules.update(view(pose), time_ns);
    return {rules.values().begin(), rules.values().end()};
}

void bind_rule_set(py::module_& m) {
    py::class_<RuleSet, py::smart_holder>(m, "RuleSet")
        .def(py::init<std::vector<std::shared_ptr<Rule>>>(), "rules"_a)
        .def("update", &update_set, "pose"_a.noconvert(), "exposure_start_ns"_a,
             "0 or 1 per rule, in the config's order.")
        .def_property_readonly(
            "order",
            [](const RuleSet& rules) { return std::vector<int>(rules.order().begin(), rules.order().end()); })
        .def("reset", &RuleSet::reset);
}

}  // namespace

void bind_rules(py::module_& m) {
    bind_filters(m);
    bind_zones(m);
    bind_rule(m);
    bind_rule_set(m);
    m.def("bench_rule", &bench_rule, "rule"_a, "pose"_a.noconvert(), py::kw_only(), "calls"_a = 100'000,
          "step_ns"_a = 10'000'000);
}

// Python faces of filters, zones and rules: factories with keyword arguments, and steps on NumPy arrays.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "bindings.h"
#include "filter/filter.h"
#include "rule/angle.h"
#include "rule/distance.h"
#include "rule/in_zone.h"
#include "rule/rule.h"
#include "rule/speed.h"
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
    return mean_ns(calls, [&](int i) { rule.update(seen, i * step_ns); });
}

Which parse_which(const std::string& word) {
    if (word == "any") return Which::any;
    if (word == "all") return Which::all;
    throw ConfigError("which is '" + word + "'; allowed: any, all");
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

void bind_zones(py::module_& m) {
    py::class_<Zone, std::shared_ptr<Zone>>(m, "Zone")
        .def("signed_distance", &Zone::signed_distance, "x"_a, "y"_a)
        .def("contains", &Zone::contains, "x"_a, "y"_a, "margin_px"_a = 0.0);
    m.def("polygon_zone", &make_polygon, "corners"_a);
    m.def("circle_zone", &make_circle, py::kw_only(), "center"_a, "radius_px"_a);
    m.def("rectangle_zone", &make_rectangle, py::kw_only(), "x"_a, "y"_a, "width"_a, "height"_a);
}

std::unique_ptr<Rule> make_rule(std::unique_ptr<Condition> condition, double min_duration_ms,
                                double refractory_ms, const std::string& missing) {
    const RuleTiming timing = make_timing(min_duration_ms, refractory_ms, missing);
    return std::make_unique<Rule>(std::move(condition), timing);
}

using Individual = std::variant<int, std::string>;  // index, any, all

GateSpec gate_from(double min_likelihood, const Individual& individual, int unique_bodyparts) {
    if (const int* index = std::get_if<int>(&individual))
        return {min_likelihood, *index, false, unique_bodyparts};
    const std::string& word = std::get<std::string>(individual);
    if (word == "any" || word == "all")
        return {min_likelihood, std::nullopt, word == "all", unique_bodyparts};
    throw ConfigError("individual is '" + word + "'; allowed: an index, any, all");
}

// Defines a factory of rules: `make_condition(spec, individuals, bodyparts)` after the spec's own arguments,
// then those that all rules have.
template <class... Arguments, class... Names>
void def_rule(py::module_& m, const char* name,
              std::unique_ptr<Condition> (*make_condition)(Shape, GateSpec, Arguments...), Names... names) {
    m.def(
        name,
        [make_condition](Shape shape, Arguments... arguments, double min_likelihood,
                         const Individual& individual, double min_duration_ms, double refractory_ms,
                         const std::string& missing, int unique_bodyparts) {
            auto condition = make_condition(shape, gate_from(min_likelihood, individual, unique_bodyparts),
                                            std::move(arguments)...);
            return make_rule(std::move(condition), min_duration_ms, refractory_ms, missing);
        },
        "shape"_a, py::kw_only(), names..., "min_likelihood"_a = GateSpec{}.min_likelihood,
        "individual"_a = Individual("any"), "min_duration_ms"_a = 0.0, "refractory_ms"_a = 0.0,
        "missing"_a = "hold", "unique_bodyparts"_a = 0);
}

using Limit = std::optional<double>;

std::unique_ptr<Condition> in_zone(Shape shape, GateSpec gate, std::shared_ptr<const Zone> zone,
                                   std::vector<int> bodyparts, std::string which, double hysteresis_px) {
    return make_in_zone({zone, bodyparts, parse_which(which), false, hysteresis_px, gate}, shape.first,
                        shape.second);
}

std::unique_ptr<Condition> outside_zone(Shape shape, GateSpec gate, std::shared_ptr<const Zone> zone,
                                        std::vector<int> bodyparts, std::string which, double hysteresis_px) {
    return make_in_zone({zone, bodyparts, parse_which(which), true, hysteresis_px, gate}, shape.first,
                        shape.second);
}

std::unique_ptr<Condition> speed(Shape shape, GateSpec gate, int bodypart, Limit above_px_s, Limit below_px_s,
                                 double window_ms, double hysteresis_px_s) {
    return make_speed({bodypart, above_px_s, below_px_s, window_ms, hysteresis_px_s, gate}, shape.first,
                      shape.second);
}

std::unique_ptr<Condition> distance(Shape shape, GateSpec gate, std::array<int, 2> bodyparts, Limit above_px,
                                    Limit below_px, double hysteresis_px) {
    return make_distance({bodyparts, above_px, below_px, hysteresis_px, gate}, shape.first, shape.second);
}

std::unique_ptr<Condition> angle(Shape shape, GateSpec gate, std::vector<int> bodyparts,
                                 std::optional<std::array<double, 2>> point,
                                 std::optional<double> heading_deg, Limit above_deg, Limit below_deg,
                                 double hysteresis_deg) {
    return make_angle({bodyparts, point, heading_deg, above_deg, below_deg, hysteresis_deg, gate},
                      shape.first, shape.second);
}

void bind_rule_factories(py::module_& m) {
    def_rule(m, "in_zone_rule", &in_zone, "zone"_a, "bodyparts"_a, "which"_a = "any",
             "hysteresis_px"_a = 0.0);
    def_rule(m, "outside_zone_rule", &outside_zone, "zone"_a, "bodyparts"_a, "which"_a = "any",
             "hysteresis_px"_a = 0.0);
    def_rule(m, "speed_rule", &speed, "bodypart"_a, "above_px_s"_a = py::none(), "below_px_s"_a = py::none(),
             "window_ms"_a = SpeedSpec{}.window_ms, "hysteresis_px_s"_a = 0.0);
    def_rule(m, "distance_rule", &distance, "bodyparts"_a, "above_px"_a = py::none(),
             "below_px"_a = py::none(), "hysteresis_px"_a = 0.0);
    def_rule(m, "angle_rule", &angle, "bodyparts"_a, "point"_a = py::none(), "heading_deg"_a = py::none(),
             "above_deg"_a = py::none(), "below_deg"_a = py::none(), "hysteresis_deg"_a = 0.0);
}

}  // namespace

void bind_rules(py::module_& m) {
    bind_filters(m);
    bind_zones(m);
    py::class_<Rule, py::smart_holder>(m, "Rule")
        .def(
            "update",
            [](Rule& rule, const PoseArray& pose, std::int64_t time_ns) {
                return rule.update(view(pose), time_ns);
            },
            "pose"_a.noconvert(), "exposure_start_ns"_a)
        .def_property_readonly("value", &Rule::value)
        .def("reset", &Rule::reset);
    bind_rule_factories(m);
    m.def("bench_rule", &bench_rule, "rule"_a, "pose"_a.noconvert(), py::kw_only(), "calls"_a = 100'000,
          "step_ns"_a = 10'000'000);
}

// Python faces of the conditions that rules are made of: factories with keyword arguments.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "bindings_rules.h"
#include "rule/angle.h"
#include "rule/angular_velocity.h"
#include "rule/approach.h"
#include "rule/composite.h"
#include "rule/crossing.h"
#include "rule/distance.h"
#include "rule/egocentric.h"
#include "rule/in_zone.h"
#include "rule/shape.h"
#include "rule/speed.h"
#include "rule/visit.h"
#include "words.h"

namespace py = pybind11;
using namespace py::literals;
using namespace fastpose;

namespace {

using Made = std::unique_ptr<Condition>;
using Parts = std::vector<int>;  // indices of bodyparts
using Point = std::array<double, 2>;
using Individual = std::variant<int, std::string>;  // index, any, all

constexpr Words<Which, 2> which_words{"which", {{{"any", Which::any}, {"all", Which::all}}}};
constexpr Words<Side, 3> side_words{"side",
                                    {{{"left", Side::left}, {"right", Side::right}, {"both", Side::both}}}};
constexpr Words<Change, 3> change_words{
    "change", {{{"any", Change::any}, {"faster", Change::faster}, {"slower", Change::slower}}}};
constexpr Words<Join, 2> join_words{"join", {{{"any", Join::any}, {"all", Join::all}}}};

Gate make_gate(std::pair<int, int> shape, double min_likelihood, const Individual& individual,
               int unique_bodyparts, std::shared_ptr<const Calibration> calibration) {
    GateSpec spec{.min_likelihood = min_likelihood,
                  .unique_bodyparts = unique_bodyparts,
                  .calibration = std::move(calibration)};
    const auto* word = std::get_if<std::string>(&individual);
    if (word == nullptr) spec.individual = std::get<int>(individual);
    if (word != nullptr && *word != "any" && *word != "all")
        throw ConfigError("individual is '" + *word + "'; allowed: an index, any, all");
    spec.all = word != nullptr && *word == "all";
    return Gate(spec, shape.first, shape.second);
}

InZoneSpec zone_spec(std::shared_ptr<const Zone> zone, Parts bodyparts, const std::string& which,
                     bool outside, double hysteresis) {
    return {std::move(zone), std::move(bodyparts), which_words.parse(which), outside, hysteresis};
}

Made in_zone(const Gate& gate, std::shared_ptr<const Zone> zone, Parts bodyparts, const std::string& which,
             bool outside, double hysteresis) {
    return make_condition(
        gate,
        make_in_zone(zone_spec(std::move(zone), std::move(bodyparts), which, outside, hysteresis), gate));
}

Made head_in_zone(const Gate& gate, std::shared_ptr<const Zone> zone, Parts zone_bodyparts,
                  const std::string& which, double hysteresis, Parts bodyparts, Point point,
                  const LimitSpec& limit) {
    auto in =
        make_in_zone(zone_spec(std::move(zone), std::move(zone_bodyparts), which, false, hysteresis), gate);
    auto faces = make_angle({std::move(bodyparts), point, std::nullopt, limit}, gate);
    return make_condition(gate, make_both(std::move(in), std::move(faces)));
}

Made speed(const Gate& gate, int bodypart, const LimitSpec& limit, double window_ms) {
    return make_condition(gate, make_speed({bodypart, window_ms, limit}, gate));
}

Made freezing(const Gate& gate, Parts bodyparts, const LimitSpec& limit, const std::string& which,
              double window_ms) {
    return make_condition(
        gate, make_freezing({std::move(bodyparts), which_words.parse(which), window_ms, limit}, gate));
}

Made acceleration(const Gate& gate, int bodypart, const LimitSpec& limit, const std::string& change,
                  double window_ms) {
    return make_condition(gate,
                          make_acceleration({bodypart, change_words.parse(change), window_ms, limit}, gate));
}

Made distance(const Gate& gate, std::array<int, 2> bodyparts, const LimitSpec& limit) {
    return make_condition(gate, make_distance({bodyparts, limit}, gate));
}

// other, self, or the index of an individual.
TargetSpec target_spec(std::optional<Point> point, int to_bodypart, const Individual& to_individual) {
    TargetSpec spec{.point = point, .bodypart = to_bodypart};
    const auto* word = std::get_if<std::string>(&to_individual);
    if (word == nullptr) {
        spec.whose = Whose::named;
        spec.individual = std::get<int>(to_individual);
    } else if (*word == "self") {
        spec.whose = Whose::own;
    } else if (*word != "other") {
        throw ConfigError("to.individual is '" + *word + "'; allowed: an index, other, self");
    }
    return spec;
}

Made contact(const Gate& gate, int bodypart, const LimitSpec& limit, std::optional<Point> point,
             int to_bodypart, const Individual& to_individual) {
    return make_condition(
        gate, make_contact({bodypart, target_spec(point, to_bodypart, to_individual), limit}, gate));
}

Made approach(const Gate& gate, int bodypart, const LimitSpec& limit, std::optional<Point> point,
              int to_bodypart, const Individual& to_individual, bool away, double window_ms) {
    return make_condition(
        gate, make_approach(
                  {bodypart, target_spec(point, to_bodypart, to_individual), away, window_ms, limit}, gate));
}

Made angle(const Gate& gate, Parts bodyparts, const LimitSpec& limit, std::optional<Point> point,
           std::optional<double> heading_deg) {
    return make_condition(gate, make_angle({std::move(bodyparts), point, heading_deg, limit}, gate));
}

Made egocentric(const Gate& gate, std::array<int, 3> bodyparts, const LimitSpec& limit,
                const std::string& side) {
    return make_condition(gate, make_egocentric({bodyparts, side_words.parse(side), limit}, gate));
}

Made angular_velocity(const Gate& gate, Parts bodyparts, const LimitSpec& limit, const std::string& side,
                      double window_ms) {
    return make_condition(
        gate, make_angular_velocity({std::move(bodyparts), side_words.parse(side), window_ms, limit}, gate));
}

Made body_length(const Gate& gate, Parts bodyparts, const LimitSpec& limit) {
    return make_condition(gate, make_body_length({std::move(bodyparts), limit}, gate));
}

Made posture(const Gate& gate, Parts bodyparts, std::vector<Point> places, const LimitSpec& limit, bool turn,
             bool scale) {
    return make_condition(gate,
                          make_posture({std::move(bodyparts), std::move(places), turn, scale, limit}, gate));
}

Made crossing(const Gate& gate, int bodypart, Point start, Point end, const std::string& side,
              double hysteresis, double max_gap_ms) {
    return make_condition(
        gate, make_crossing({start, end, bodypart, side_words.parse(side), hysteresis, max_gap_ms}, gate));
}

Made edge(Made inner, bool begins, double min_duration_ms, const std::string& missing) {
    return make_edge(std::move(inner), make_timing(min_duration_ms, 0, missing), begins);
}

Made dwell(Made inner, const LimitSpec& limit, double within_ms, const std::string& missing) {
    const RuleTiming timing = make_timing(within_ms, 0, missing);
    return make_dwell(std::move(inner), {timing.missing, timing.min_duration_ns, limit});
}

Made sequence(Parts rules, double within_ms) {
    return make_sequence(std::move(rules), make_timing(within_ms, 0, "hold").min_duration_ns);
}

void bind_gate(py::module_& m) {
    py::class_<Calibration, std::shared_ptr<Calibration>>(m, "Calibration")
        .def(py::init<const std::array<double, 9>&>(), "px_to_mm"_a)
        .def(
            "to_mm",
            [](const Calibration& calibration, double x, double y) {
                const Place place = calibration.to_mm({x, y});
                return std::pair(place.x, place.y);
            },
            "x"_a, "y"_a);
    py::class_<Gate>(m, "Gate").def(
        py::init(&make_gate), "shape"_a, py::kw_only(), "min_likelihood"_a = GateSpec{}.min_likelihood,
        "individual"_a = Individual("any"), "unique_bodyparts"_a = 0, "calibration"_a = py::none());
    py::class_<LimitSpec>(m, "Limit")
        .def(py::init([](std::optional<double> above, std::optional<double> below, double hysteresis,
                         const std::string& unit) { return LimitSpec{above, below, hysteresis, unit}; }),
             py::kw_only(), "above"_a = py::none(), "below"_a = py::none(), "hysteresis"_a = 0.0,
             "unit"_a = "px");
}

void bind_zone_conditions(py::module_& m) {
    m.def("in_zone_condition", &in_zone, "gate"_a, py::kw_only(), "zone"_a, "bodyparts"_a, "which"_a = "any",
          "outside"_a = false, "hysteresis"_a = 0.0);
    m.def("head_in_zone_condition", &head_in_zone, "gate"_a, py::kw_only(), "zone"_a, "zone_bodyparts"_a,
          "which"_a = "any", "hysteresis"_a = 0.0, "bodyparts"_a, "point"_a, "limit"_a);
    m.def("crossing_condition", &crossing, "gate"_a, py::kw_only(), "bodypart"_a, "start"_a, "end"_a,
          "side"_a = "both", "hysteresis"_a = 0.0, "max_gap_ms"_a = CrossingSpec{}.max_gap_ms);
    m.def("edge_condition", &edge, "inner"_a, py::kw_only(), "begins"_a, "min_duration_ms"_a = 0.0,
          "missing"_a = "hold");
    m.def("dwell_condition", &dwell, "inner"_a, py::kw_only(), "limit"_a, "within_ms"_a = 0.0,
          "missing"_a = "hold");
}

void bind_motion_conditions(py::module_& m) {
    m.def("speed_condition", &speed, "gate"_a, py::kw_only(), "bodypart"_a, "limit"_a,
          "window_ms"_a = SpeedSpec{}.window_ms);
    m.def("freezing_condition", &freezing, "gate"_a, py::kw_only(), "bodyparts"_a, "limit"_a,
          "which"_a = "all", "window_ms"_a = FreezingSpec{}.window_ms);
    m.def("acceleration_condition", &acceleration, "gate"_a, py::kw_only(), "bodypart"_a, "limit"_a,
          "change"_a = "any", "window_ms"_a = AccelerationSpec{}.window_ms);
    m.def("angular_velocity_condition", &angular_velocity, "gate"_a, py::kw_only(), "bodyparts"_a, "limit"_a,
          "side"_a = "both", "window_ms"_a = AngularVelocitySpec{}.window_ms);
}

void bind_place_conditions(py::module_& m) {
    m.def("distance_condition", &distance, "gate"_a, py::kw_only(), "bodyparts"_a, "limit"_a);
    m.def("contact_condition", &contact, "gate"_a, py::kw_only(), "bodypart"_a, "limit"_a,
          "point"_a = py::none(), "to_bodypart"_a = 0, "to_individual"_a = Individual("other"));
    m.def("approach_condition", &approach, "gate"_a, py::kw_only(), "bodypart"_a, "limit"_a,
          "point"_a = py::none(), "to_bodypart"_a = 0, "to_individual"_a = Individual("other"),
          "away"_a = false, "window_ms"_a = ApproachSpec{}.window_ms);
    m.def("angle_condition", &angle, "gate"_a, py::kw_only(), "bodyparts"_a, "limit"_a,
          "point"_a = py::none(), "heading_deg"_a = py::none());
    m.def("egocentric_condition", &egocentric, "gate"_a, py::kw_only(), "bodyparts"_a, "limit"_a,
          "side"_a = "both");
    m.def("body_length_condition", &body_length, "gate"_a, py::kw_only(), "bodyparts"_a, "limit"_a);
    m.def("posture_condition", &posture, "gate"_a, py::kw_only(), "bodyparts"_a, "places"_a, "limit"_a,
          "turn"_a = true, "scale"_a = false);
}

void bind_composites(py::module_& m) {
    m.def(
        "join_condition",
        [](const std::string& join, Parts rules) {
            return make_join(join_words.parse(join), std::move(rules));
        },
        "join"_a, "rules"_a);
    m.def("not_condition", &make_not, "rule"_a);
    m.def("edge_of_rule_condition", &make_edge_of_rule, "rule"_a, py::kw_only(), "begins"_a);
    m.def("sequence_condition", &sequence, "rules"_a, py::kw_only(), "within_ms"_a);
}

}  // namespace

void bind_conditions(py::module_& m) {
    bind_gate(m);
    bind_zone_conditions(m);
    bind_motion_conditions(m);
    bind_place_conditions(m);
    bind_composites(m);
}

// Python faces of classifier rules and of rules from other packages.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "bindings_rules.h"
#include "engine/backend_scorer.h"
#include "rule/classifier.h"
#include "rule/plugin_condition.h"
#include "words.h"

namespace py = pybind11;
using namespace py::literals;
using namespace fastpose;

namespace {

using Floats = py::array_t<float, py::array::c_style | py::array::forcecast>;
using FeatureTuple =
    std::pair<std::string, std::vector<std::pair<int, int>>>;  // kind, (individual, bodypart)
using NodeTuple = std::tuple<int, float, int, int>;            // feature, threshold, left, right
using LeafTuple = std::tuple<int, int, float>;                 // node, class, weight

constexpr Words<FeatureKind, 6> kind_words{"a feature",
                                           {{{"positions", FeatureKind::positions},
                                             {"likelihoods", FeatureKind::likelihoods},
                                             {"egocentric", FeatureKind::egocentric},
                                             {"distance", FeatureKind::distance},
                                             {"angle", FeatureKind::angle},
                                             {"speed", FeatureKind::speed}}}};
constexpr Words<Window, 3> window_words{
    "window", {{{"stack", Window::stack}, {"mean", Window::mean}, {"mean_std", Window::mean_std}}}};
constexpr Words<Activation, 3> activation_words{
    "activation",
    {{{"none", Activation::none}, {"logistic", Activation::logistic}, {"softmax", Activation::softmax}}}};

std::vector<FeatureSpec> features_from(const std::vector<FeatureTuple>& tuples) {
    std::vector<FeatureSpec> specs;
    for (const auto& [kind, parts] : tuples) {
        FeatureSpec spec{kind_words.parse(kind), {}};
        for (const auto& [individual, bodypart] : parts) spec.parts.push_back({individual, bodypart});
        specs.push_back(std::move(spec));
    }
    return specs;
}

std::unique_ptr<Condition> classifier(const Gate& gate, std::shared_ptr<Scorer> scorer,
                                      const std::vector<FeatureTuple>& features, const std::string& window,
                                      int window_frames, int class_index, std::optional<double> above,
                                      double hysteresis, std::int64_t hold_ns, std::int64_t max_gap_ns) {
    return make_classifier({.features = features_from(features),
                            .scorer = std::move(scorer),
                            .window = window_words.parse(window),
                            .window_frames = window_frames,
                            .class_index = class_index,
                            .above = above,
                            .hysteresis = hysteresis,
                            .hold_ns = hold_ns,
                            .max_gap_ns = max_gap_ns},
                           gate);
}

ScorerEnds ends_from(std::vector<float> offset, std::vector<float> scale, const std::string& activation,
                     bool divide_by_sum) {
    return {std::move(offset), std::move(scale), activation_words.parse(activation), divide_by_sum};
}

// The weights of a leaf lie side by side, whatever order they come in.
void add_leaves(ForestSpec& spec, const std::vector<LeafTuple>& leaves) {
    std::vector<std::vector<ForestSpec::Weight>> of_node(spec.nodes.size());
    for (const auto& [node, of_class, value] : leaves) {
        if (node < 0 || static_cast<std::size_t>(node) >= of_node.size())
            throw ModelError("the classifier's leaf belongs to node " + std::to_string(node) +
                             ", which is not there");
        of_node[static_cast<std::size_t>(node)].push_back({of_class, value});
    }
    for (std::size_t node = 0; node < of_node.size(); ++node) {
        spec.nodes[node].first_weight = static_cast<int>(spec.weights.size());
        spec.nodes[node].weights = static_cast<int>(of_node[node].size());
        spec.weights.insert(spec.weights.end(), of_node[node].begin(), of_node[node].end());
    }
}

std::shared_ptr<Scorer> forest(int inputs, int classes, const std::vector<NodeTuple>& nodes,
                               std::vector<int> roots, const std::vector<LeafTuple>& leaves,
                               std::vector<float> base, bool complement, std::vector<float> offset,
                               std::vector<float> scale, const std::string& activation, bool divide_by_sum) {
    ForestSpec spec;
    spec.inputs = inputs, spec.classes = classes;
    for (const auto& [feature, threshold, left, right] : nodes)
        spec.nodes.push_back({feature, threshold, left, right, 0, 0});
    add_leaves(spec, leaves);
    spec.roots = std::move(roots), spec.base = std::move(base), spec.complement = complement;
    spec.ends = ends_from(std::move(offset), std::move(scale), activation, divide_by_sum);
    return make_forest(std::move(spec));
}

std::shared_ptr<Scorer> linear(const Floats& coefficients, std::vector<float> intercepts,
                               std::vector<float> offset, std::vector<float> scale,
                               const std::string& activation, bool divide_by_sum) {
    if (coefficients.ndim() != 2) throw ModelError("the classifier's coefficients are not (classes, inputs)");
    return make_linear({.inputs = static_cast<int>(coefficients.shape(1)),
                        .classes = static_cast<int>(coefficients.shape(0)),
                        .coefficients = {coefficients.data(), coefficients.data() + coefficients.size()},
                        .intercepts = std::move(intercepts),
                        .ends = ends_from(std::move(offset), std::move(scale), activation, divide_by_sum)});
}

std::vector<float> run(Scorer& scorer, const std::vector<float>& numbers) {
    if (static_cast<int>(numbers.size()) != scorer.inputs())
        throw ConfigError(std::to_string(numbers.size()) + " numbers; allowed: the " +
                          std::to_string(scorer.inputs()) + " that the model takes");
    std::vector<float> scores(static_cast<std::size_t>(scorer.classes()));
    if (!scorer.run(numbers, scores)) throw ModelError("the classifier failed");
    return scores;
}

py::array_t<std::int64_t> time_runs(Scorer& scorer, int runs) {
    py::array_t<std::int64_t> times(runs);
    auto* stamps = times.mutable_data();
    py::gil_scoped_release release;
    const std::vector<float> numbers(static_cast<std::size_t>(scorer.inputs()));
    std::vector<float> scores(static_cast<std::size_t>(scorer.classes()));
    for (int i = 0; i < runs; ++i) {
        const std::int64_t start = now_ns();
        static_cast<void>(scorer.run(numbers, scores));
        stamps[i] = now_ns() - start;
    }
    return times;
}

std::unique_ptr<Condition> plugin(const py::capsule& capsule, double min_likelihood) {
    const auto* rule = static_cast<fp_rule*>(PyCapsule_GetPointer(capsule.ptr(), FP_RULE_CAPSULE));
    if (rule == nullptr) throw py::error_already_set();
    // The engine may let go of its rules on any thread.
    const std::shared_ptr<void> owner(capsule.inc_ref().ptr(), [](void* object) {
        const py::gil_scoped_acquire gil;
        Py_DECREF(static_cast<PyObject*>(object));
    });
    return make_plugin_condition(*rule, min_likelihood, owner);
}

void bind_scorers(py::module_& m) {
    py::class_<Scorer, std::shared_ptr<Scorer>>(m, "Scorer")
        .def("run", &run, "numbers"_a)
        .def("time_runs", &time_runs, "runs"_a, "Durations of answers one after the other, ns.")
        .def_property_readonly("inputs", &Scorer::inputs)
        .def_property_readonly("classes", &Scorer::classes)
        .def_property_readonly("description", &Scorer::description);
    m.def("forest_scorer", &forest, py::kw_only(), "inputs"_a, "classes"_a, "nodes"_a, "roots"_a, "leaves"_a,
          "base"_a = std::vector<float>{}, "complement"_a = false, "offset"_a = std::vector<float>{},
          "scale"_a = std::vector<float>{}, "activation"_a = "none", "divide_by_sum"_a = false);
    m.def("linear_scorer", &linear, py::kw_only(), "coefficients"_a, "intercepts"_a,
          "offset"_a = std::vector<float>{}, "scale"_a = std::vector<float>{}, "activation"_a = "none",
          "divide_by_sum"_a = false);
    m.def("backend_scorer", &make_backend_scorer, "backend"_a);
}

}  // namespace

void bind_classifier(py::module_& m) {
    bind_scorers(m);
    const ClassifierSpec spec;
    m.def("classifier_condition", &classifier, "gate"_a, py::kw_only(), "scorer"_a, "features"_a,
          "window"_a = "stack", "window_frames"_a = spec.window_frames, "class_index"_a = spec.class_index,
          "above"_a = py::none(), "hysteresis"_a = 0.0, "hold_ns"_a = spec.hold_ns,
          "max_gap_ns"_a = spec.max_gap_ns);
    m.def("plugin_condition", &plugin, "capsule"_a, py::kw_only(),
          "min_likelihood"_a = GateSpec{}.min_likelihood);
}

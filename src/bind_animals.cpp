// Several animals: the part affinity decoder and the identity, with steps on NumPy arrays for tests and
// benches.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "bindings.h"
#include "decode/unique_decoder.h"
#include "paf_spec.h"
#include "pose/identity.h"
#include "rule/rule.h"

namespace py = pybind11;
using namespace py::literals;
using namespace fastpose;

namespace {

using FloatArray = py::array_t<float, py::array::c_style>;
using Shape = std::pair<int, int>;  // individuals, bodyparts
using Size = std::pair<int, int>;   // width, height

std::shared_ptr<Decoder> paf_stage(Shape shape, Limbs limbs, Size map_size, float stride, float locref_stdev,
                                   const std::string& activation, float smoothing_cells, int nms_size,
                                   float min_score, float min_likelihood, float min_affinity,
                                   int points_per_limb, const std::string& isa) {
    return make_paf_decoder(
        paf_spec(shape, std::move(limbs), map_size, stride, locref_stdev, activation, smoothing_cells,
                 nms_size, min_score, min_likelihood, min_affinity, points_per_limb),
        isa_from(isa));
}

std::shared_ptr<Decoder> paf_tree_stage(Shape shape, Limbs limbs, std::vector<int> order, Size map_size,
                                        Size limb_map_size, float stride, float limb_stride, int window,
                                        float min_score, int most_peaks, float min_affinity,
                                        int points_per_limb, float length_ratio, float length_penalty) {
    return make_paf_tree_decoder(paf_tree_spec(
        shape, std::move(limbs), std::move(order), map_size, limb_map_size, stride, limb_stride, window,
        min_score, most_peaks, min_affinity, points_per_limb, length_ratio, length_penalty));
}

std::shared_ptr<Decoder> unique_stage(std::shared_ptr<Decoder> animals, std::shared_ptr<Decoder> unique,
                                      Shape shape, int unique_bodyparts, int animal_outputs) {
    return make_unique_decoder(std::move(animals), std::move(unique),
                               {shape.first, shape.second, unique_bodyparts, animal_outputs});
}

std::vector<TensorView> views_of(const std::vector<FloatArray>& maps) {
    std::vector<TensorView> views;
    for (const FloatArray& map : maps) {
        if (map.ndim() != 4)
            throw ConfigError("a map has " + std::to_string(map.ndim()) + " dimensions; allowed: 4");
        TensorView view{map.data(), {}};
        for (int i = 0; i < 4; ++i) view.shape[static_cast<std::size_t>(i)] = static_cast<int>(map.shape(i));
        views.push_back(view);
    }
    return views;
}

PoseView view_of(FloatArray& pose) {
    if (pose.ndim() != 3 || pose.shape(2) != 3)
        throw ConfigError("pose has " + std::to_string(pose.ndim()) +
                          " dimensions; allowed: (individuals, bodyparts, 3)");
    return {reinterpret_cast<Keypoint*>(pose.mutable_data()), static_cast<int>(pose.shape(0)),
            static_cast<int>(pose.shape(1))};
}

void apply(Identity& identity, FloatArray& pose, std::int64_t exposure_start_ns) {
    const PoseView view = view_of(pose);
    if (view.size() != identity.size())
        throw ConfigError("pose has " + std::to_string(view.size()) + " keypoints; allowed: the " +
                          std::to_string(identity.size()) + " that the identity was made for");
    identity.apply(view, exposure_start_ns);
}

// Frames come one after the other, `step_ns` apart, over and over.
py::array_t<std::int64_t> time_animals(Decoder& decoder, Identity& identity,
                                       const std::vector<std::shared_ptr<Rule>>& rules,
                                       const std::vector<std::vector<FloatArray>>& frames, Shape shape,
                                       int calls, std::int64_t step_ns) {
    std::vector<std::vector<TensorView>> views;
    for (const auto& maps : frames) views.push_back(views_of(maps));
    if (views.empty()) throw ConfigError("frames is empty; allowed: at least one frame's maps");
    std::vector<Keypoint> keypoints(static_cast<std::size_t>(shape.first) * shape.second);
    const PoseView pose{keypoints.data(), shape.first, shape.second};
    py::array_t<std::int64_t> times({calls, 3});
    auto* stamps = times.mutable_data();
    py::gil_scoped_release release;
    identity.reset();
    for (int i = 0; i < calls; ++i, stamps += 3) {
        const std::int64_t exposure_ns = (i + 1) * step_ns, start = now_ns();
        decoder.run(views[i % views.size()], {}, pose);
        const std::int64_t decoded = now_ns();
        identity.apply(pose, exposure_ns);
        const std::int64_t identified = now_ns();
        for (const auto& rule : rules) static_cast<void>(rule->update({pose, exposure_ns}));
        stamps[0] = decoded - start, stamps[1] = identified - decoded, stamps[2] = now_ns() - identified;
    }
    return times;
}

std::shared_ptr<Identity> motion(Shape shape, double min_likelihood, double max_gap_ms,
                                 double velocity_window_ms, double tolerance, int unique_bodyparts) {
    return make_motion_identity({min_likelihood, max_gap_ms, velocity_window_ms, tolerance, unique_bodyparts},
                                shape.first, shape.second);
}

void bind_paf(py::module_& m) {
    const PafDecoderSpec paf;
    m.def("paf_decode_stage", &paf_stage, py::kw_only(), "shape"_a, "limbs"_a, "map_size"_a, "stride"_a,
          "locref_stdev"_a, "activation"_a = "sigmoid", "smoothing_cells"_a = paf.smoothing_cells,
          "nms_size"_a = paf.nms_size, "min_score"_a = paf.min_score, "min_likelihood"_a = paf.min_likelihood,
          "min_affinity"_a = paf.min_affinity, "points_per_limb"_a = paf.points_per_limb, "isa"_a = "auto");
    const PafTreeSpec tree;
    m.def("paf_tree_decode_stage", &paf_tree_stage, py::kw_only(), "shape"_a, "limbs"_a, "order"_a,
          "map_size"_a, "limb_map_size"_a, "stride"_a, "limb_stride"_a, "window"_a = tree.window,
          "min_score"_a = tree.min_score, "most_peaks"_a = tree.most_peaks,
          "min_affinity"_a = tree.min_affinity, "points_per_limb"_a = tree.points_per_limb,
          "length_ratio"_a = tree.length_ratio, "length_penalty"_a = tree.length_penalty);
    m.def("unique_decode_stage", &unique_stage, "animals"_a, "unique"_a, py::kw_only(), "shape"_a,
          "unique_bodyparts"_a, "animal_outputs"_a);
}

}  // namespace

void bind_animals(py::module_& m) {
    bind_paf(m);
    py::class_<Identity, std::shared_ptr<Identity>>(m, "Identity")
        .def("apply", &apply, "pose"_a.noconvert(), "exposure_start_ns"_a,
             "Permutes the individuals of the pose in place.")
        .def("reset", &Identity::reset);
    const IdentitySpec spec;
    m.def("motion_identity", &motion, "shape"_a, py::kw_only(), "min_likelihood"_a = spec.min_likelihood,
          "max_gap_ms"_a = spec.max_gap_ms, "velocity_window_ms"_a = spec.velocity_window_ms,
          "tolerance"_a = spec.tolerance, "unique_bodyparts"_a = spec.unique_bodyparts);
    m.def("time_animals_ns", &time_animals, "decoder"_a, "identity"_a, "rules"_a, "frames"_a, "shape"_a,
          py::kw_only(), "calls"_a, "step_ns"_a,
          "(calls, 3) wall time of decoder, identity and all rules, ns.");
}

// Decoders of several animals whose peaks and limbs a GPU finds, and whose animals the host puts together.
#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "bindings_cuda.h"
#include "decode/paf_lists.h"
#include "decode/unique_decoder.h"
#include "paf_spec.h"

namespace py = pybind11;
using namespace py::literals;
using namespace fastpose;

namespace {

constexpr int lists = 2;  // that a decoder of lists reads

Decode paf_decode(PoseSize shape, Limbs limbs, MapPair map_size, float stride, float locref_stdev,
                  const std::string& activation, float smoothing_cells, int nms_size, float min_score,
                  float min_likelihood, float min_affinity, int points_per_limb) {
    const PafDecoderSpec spec =
        paf_spec(shape, std::move(limbs), map_size, stride, locref_stdev, activation, smoothing_cells,
                 nms_size, min_score, min_likelihood, min_affinity, points_per_limb);
    return {HostDecodeSpec{make_paf_lists_decoder(spec), spec}};
}

Decode paf_tree_decode(PoseSize shape, Limbs limbs, std::vector<int> order, MapPair map_size,
                       MapPair limb_map_size, float stride, float limb_stride, int window, float min_score,
                       int most_peaks, float min_affinity, int points_per_limb, float length_ratio,
                       float length_penalty) {
    const PafTreeSpec spec = paf_tree_spec(shape, std::move(limbs), std::move(order), map_size, limb_map_size,
                                           stride, limb_stride, window, min_score, most_peaks, min_affinity,
                                           points_per_limb, length_ratio, length_penalty);
    return {HostDecodeSpec{make_paf_tree_lists_decoder(spec), spec}};
}

Decode unique_decode(const Decode& animals, std::shared_ptr<Decoder> unique, PoseSize shape,
                     int unique_bodyparts) {
    const auto* host = std::get_if<HostDecodeSpec>(&animals.spec);
    if (host == nullptr || std::holds_alternative<std::monostate>(host->lists))
        throw ConfigError("animals is not decoded from lists; allowed: paf_decode(), paf_tree_decode()");
    return {HostDecodeSpec{make_unique_decoder(host->decoder, std::move(unique),
                                               {shape.first, shape.second, unique_bodyparts, lists}),
                           host->lists}};
}

}  // namespace

void bind_cuda_lists(py::module_& m) {
    m.def("paf_decode", &paf_decode, py::kw_only(), "shape"_a, "limbs"_a, "map_size"_a, "stride"_a,
          "locref_stdev"_a, "activation"_a, "smoothing_cells"_a, "nms_size"_a, "min_score"_a,
          "min_likelihood"_a, "min_affinity"_a, "points_per_limb"_a);
    m.def("paf_tree_decode", &paf_tree_decode, py::kw_only(), "shape"_a, "limbs"_a, "order"_a, "map_size"_a,
          "limb_map_size"_a, "stride"_a, "limb_stride"_a, "window"_a, "min_score"_a, "most_peaks"_a,
          "min_affinity"_a, "points_per_limb"_a, "length_ratio"_a, "length_penalty"_a);
    m.def("unique_decode", &unique_decode, "animals"_a, "unique"_a, py::kw_only(), "shape"_a,
          "unique_bodyparts"_a);
}

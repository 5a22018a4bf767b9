// Top-down on a GPU: a detector whose boxes are found on the host, and the crops of the animals as one graph.
#include <pybind11/stl.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings_cuda.h"
#include "crop_spec.h"
#include "cuda_making.h"
#include "engine/cuda_top_down.h"

namespace py = pybind11;
using namespace py::literals;
using namespace fastpose;

namespace {

std::shared_ptr<CudaCrops> make_crops(std::shared_ptr<CudaNetwork> frames, const CropSpec& crop,
                                      const DeviceTensor& input, std::vector<DeviceTensor> outputs,
                                      const Decode& decode, int bodyparts, bool high_priority,
                                      bool emulated) {
    return std::make_shared<CudaCrops>(
        calls_of(emulated),
        CudaCropsSpec{crop, input, std::move(outputs), decode.spec, bodyparts, high_priority},
        std::move(frames));
}

}  // namespace

void bind_cuda_crops(py::module_& m) {
    py::class_<CropSpec>(m, "Crop").def(py::init(&crop_spec), py::kw_only(), "pixel_format"_a, "frame_size"_a,
                                        "crop_size"_a, "roi"_a, "colour"_a, "scale"_a, "offset"_a, "mode"_a,
                                        "antialias"_a, "margin_px"_a);
    py::class_<BoxFinder, Decoder, std::shared_ptr<BoxFinder>>(m, "BoxFinder")
        .def(py::init<std::shared_ptr<BoxDecoder>, int>(), "boxes"_a, "most"_a);
    py::class_<CudaCrops, std::shared_ptr<CudaCrops>> crops(m, "CudaCrops");
    crops.def(py::init(&make_crops), py::kw_only(), "frames"_a, "crop"_a, "input"_a, "outputs"_a, "decode"_a,
              "bodyparts"_a, "high_priority"_a = true, "emulated"_a = false);
    bind_making<CudaCrops>(crops);
    crops.def_property_readonly("description", &CudaCrops::description);
    m.def("top_down", &make_cuda_top_down, py::kw_only(), "detector"_a, "boxes"_a, "crops"_a);
}

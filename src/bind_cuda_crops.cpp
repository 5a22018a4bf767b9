// Top-down on a GPU: a detector whose boxes are found on the host, and the crops of the animals as one graph.
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
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

using FloatArray = py::array_t<float, py::array::c_style>;

// boxes: left, top, right, bottom, px. The frame is the one that was uploaded last.
FloatArray estimate(CudaCrops& crops, const std::vector<std::array<float, 4>>& boxes) {
    std::vector<Box> found;
    for (const auto& [left, top, right, bottom] : boxes) found.push_back({left, top, right, bottom, 1});
    FloatArray poses({crops.rows(), crops.bodyparts(), 3});
    const py::gil_scoped_release unlocked;
    if (!crops.run(found)) throw DeviceError(crops.last_error());
    crops.deliver({reinterpret_cast<Keypoint*>(poses.mutable_data()), crops.rows(), crops.bodyparts()});
    return poses;
}

py::array_t<std::uint8_t> input(CudaCrops& crops) {
    DeviceNetwork& network = crops.network();
    py::array_t<std::uint8_t> bytes(static_cast<py::ssize_t>(network.input_tensor().bytes()));
    network.read({bytes.mutable_data(), static_cast<std::size_t>(bytes.size())}, network.input());
    return bytes;
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
    crops.def("estimate", &estimate, "boxes"_a)
        .def("input", &input)
        .def_property_readonly("description", &CudaCrops::description);
    m.def("top_down", &make_cuda_top_down, py::kw_only(), "detector"_a, "boxes"_a, "crops"_a);
}

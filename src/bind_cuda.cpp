// The extension fastpose._cuda: networks on NVIDIA GPUs. Import fastpose._core first.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "bindings_cuda.h"
#include "cuda/status.h"
#include "cuda_making.h"
#include "engine/cuda_backend.h"
#include "engine/cuda_network.h"
#include "engine/kernels_cuda.h"
#include "engine/pinned_ring.h"
#include "frame/ring.h"
#include "frames.h"
#include "preprocess_spec.h"

namespace py = pybind11;
using namespace py::literals;
using namespace fastpose;

namespace {

using FloatArray = py::array_t<float, py::array::c_style>;
using Bytes = py::array_t<std::uint8_t, py::array::c_style>;
using Network = py::class_<CudaNetwork, std::shared_ptr<CudaNetwork>>;

py::dict as_dict(const CudaDeviceStatus& status) {
    const CudaDevice& device = status.device;
    return py::dict(
        "index"_a = status.index, "name"_a = device.name,
        "compute_capability"_a = std::to_string(device.major) + "." + std::to_string(device.minor),
        "memory_bytes"_a = device.memory_bytes, "problem"_a = status.problem);
}

py::dict status() {
    const CudaStatus found = cuda_status(system_cuda_calls());
    py::list devices;
    for (const CudaDeviceStatus& device : found.devices) devices.append(as_dict(device));
    return py::dict("built_for"_a = found.built_for, "runtime"_a = found.runtime, "driver"_a = found.driver,
                    "devices"_a = devices, "problem"_a = found.problem);
}

// ---- Specs ----

DeviceTensor tensor(const std::string& name, const std::vector<int>& shape, const std::string& dtype,
                    const std::string& layout) {
    if (shape.empty() || shape.size() > 4)
        throw ConfigError("tensor " + name + " has " + std::to_string(shape.size()) +
                          " dimensions; allowed: 1 to 4");
    DeviceTensor made{name, {1, 1, 1, 1}, device_element_from(dtype), TensorLayout::nchw};
    made.layout = tensor_format_from("f32", layout).layout;
    std::copy_backward(shape.begin(), shape.end(), made.shape.end());
    if (std::ranges::any_of(shape, [](int size) { return size < 1; }))
        throw ConfigError("tensor " + name + " has a dimension below 1");
    return made;
}

void bind_specs(py::module_& m) {
    py::class_<PreprocessSpec>(m, "Preprocess")
        .def(py::init(&preprocess_spec), py::kw_only(), "pixel_format"_a, "frame_size"_a, "output_size"_a,
             "image_size"_a = Size{0, 0}, "beyond"_a = "mirror", "origin"_a = "centre", "roi"_a, "colour"_a,
             "scale"_a, "offset"_a);
    py::class_<DeviceTensor>(m, "Tensor")
        .def(py::init(&tensor), "name"_a, "shape"_a, "dtype"_a = "f32", "layout"_a = "nchw")
        .def_readonly("name", &DeviceTensor::name)
        .def_readonly("shape", &DeviceTensor::shape)
        .def_property_readonly("dtype", [](const DeviceTensor& t) { return std::string(name_of(t.element)); })
        .def_property_readonly("nbytes", &DeviceTensor::bytes);
    py::class_<Decode>(m, "Decode");
}

void bind_decodes(py::module_& m) {
    m.def(
        "heatmap_decode",
        [](int bodyparts, Size map, float stride, float locref_stdev, const std::string& activation) {
            return Decode{HeatmapDecoderSpec{bodyparts, map.second, map.first, stride, locref_stdev,
                                             activation_from(activation)}};
        },
        py::kw_only(), "bodyparts"_a, "map_size"_a, "stride"_a, "locref_stdev"_a, "activation"_a);
    m.def(
        "simcc_decode",
        [](int bodyparts, Size bins, float split_ratio, float temperature, bool softmax) {
            return Decode{
                SimccDecoderSpec{bodyparts, bins.first, bins.second, split_ratio, temperature, softmax}};
        },
        py::kw_only(), "bodyparts"_a, "bins"_a, "split_ratio"_a, "temperature"_a, "softmax"_a);
    m.def(
        "soft_window_decode",
        [](int bodyparts, Size map, float stride, int size, float min_score) {
            return Decode{SoftWindowSpec{bodyparts, map.second, map.first, stride, size, min_score}};
        },
        py::kw_only(), "bodyparts"_a, "map_size"_a, "stride"_a, "size"_a, "min_score"_a);
    m.def(
        "peaks_decode",
        [](int bodyparts, Size map, float stride, int nms_size, float min_score, float locref_stdev,
           const std::string& activation) {
            return Decode{PeaksDecoderSpec{bodyparts, map.second, map.first, stride, locref_stdev,
                                           activation_from(activation), nms_size, min_score}};
        },
        py::kw_only(), "bodyparts"_a, "map_size"_a, "stride"_a, "nms_size"_a, "min_score"_a,
        "locref_stdev"_a = 0.0F, "activation"_a = "none");
    m.def(
        "host_decode",
        [](std::shared_ptr<Decoder> stage) { return Decode{HostDecodeSpec{std::move(stage)}}; }, "stage"_a);
}

// ---- Networks ----

struct PinnedRing {
    std::shared_ptr<const RegisteredMemory> memory;
};

std::shared_ptr<CudaNetwork> make_network(int device, std::vector<PreprocessSpec> preprocess,
                                          const DeviceTensor& input, std::vector<DeviceTensor> outputs,
                                          const Decode& decode, int individuals, int bodyparts,
                                          bool high_priority, bool stage_times, bool whole_frames,
                                          bool emulated) {
    return std::make_shared<CudaNetwork>(
        calls_of(emulated),
        CudaNetworkSpec{device, std::move(preprocess), input, std::move(outputs), decode.spec, individuals,
                        bodyparts, high_priority, stage_times, whole_frames});
}

FloatArray estimate(CudaNetwork& network, const std::vector<py::array>& frames) {
    const CudaNetworkSpec& spec = network.spec();
    if (frames.size() != spec.rows.size())
        throw ConfigError(std::to_string(frames.size()) + " frames; allowed: one for each of the " +
                          std::to_string(spec.rows.size()) + " rows");
    FloatArray poses({static_cast<int>(frames.size()), spec.individuals, spec.bodyparts, 3});
    auto* keypoints = reinterpret_cast<Keypoint*>(poses.mutable_data());
    std::vector<FrameView> views;
    std::vector<FrameRecord> records(frames.size());
    std::vector<BatchItem> items;
    for (std::size_t i = 0; i < frames.size(); ++i) views.push_back(view_of(frames[i], spec.rows[i]));
    for (std::size_t i = 0; i < frames.size(); ++i)
        items.push_back(
            {&views[i],
             &records[i],
             {keypoints + i * spec.individuals * spec.bodyparts, spec.individuals, spec.bodyparts}});
    py::gil_scoped_release unlocked;
    if (!network.run(items)) throw DeviceError(network.last_error());
    return poses;
}

Bytes read(DeviceNetwork& network, const DeviceTensor& tensor, const void* from) {
    Bytes bytes(static_cast<py::ssize_t>(tensor.bytes()));
    network.read({bytes.mutable_data(), tensor.bytes()}, from);
    return bytes;
}

const DeviceOutput& output_of(CudaNetwork& network, std::size_t index) {
    const auto outputs = network.network().outputs();
    if (index < outputs.size()) return outputs[index];
    throw py::index_error("output " + std::to_string(index) + ": the network has " +
                          std::to_string(outputs.size()));
}

void set_output(CudaNetwork& network, std::size_t index, const Bytes& values) {
    const DeviceOutput& output = output_of(network, index);
    if (static_cast<std::size_t>(values.size()) != output.tensor.bytes())
        throw ConfigError("values has " + std::to_string(values.size()) +
                          " bytes; allowed: " + std::to_string(output.tensor.bytes()));
    network.network().write(output.data, {values.data(), output.tensor.bytes()});
}

py::dict times_of(const CudaNetwork& network) {
    const CudaStageTimes times = network.last_times();
    return py::dict("upload"_a = times.upload, "preprocess"_a = times.preprocess, "network"_a = times.network,
                    "decode"_a = times.decode, "download"_a = times.download, "launch"_a = times.launch,
                    "wait"_a = times.wait);
}

template <class Get>
auto of_each_row(Get get) {
    return [get](const CudaNetwork& network) {
        std::vector<decltype(get(network, 0))> values;
        for (int row = 0; row < network.rows(); ++row) values.push_back(get(network, row));
        return values;
    };
}

void bind_network(py::module_& m) {
    Network network(m, "CudaNetwork");
    network.def(py::init(&make_network), py::kw_only(), "device"_a = 0, "preprocess"_a, "input"_a,
                "outputs"_a, "decode"_a, "individuals"_a = 1, "bodyparts"_a, "high_priority"_a = true,
                "stage_times"_a = true, "whole_frames"_a = false, "emulated"_a = false);
    bind_making<CudaNetwork>(network);
    network
        .def_property_readonly("frame_addresses", of_each_row([](const CudaNetwork& n, int row) {
                                   return address_of(n.device_frame(row));
                               }))
        .def_property_readonly("frame_strides", of_each_row([](const CudaNetwork& n, int row) {
                                   return static_cast<std::int64_t>(n.device_stride(row));
                               }))
        .def(
            "register", [](CudaNetwork& n, const PinnedRing& ring) { n.register_memory(ring.memory); },
            "ring"_a)
        .def("estimate", &estimate, "frames"_a)
        .def(
            "move_roi",
            [](CudaNetwork& n, int row, int x, int y) {
                if (row < 0 || row >= n.rows()) throw py::index_error("row " + std::to_string(row));
                n.move_roi(row, x, y);
            },
            "row"_a, "x"_a, "y"_a)
        .def("input", [](CudaNetwork& n) { return read(n.network(), n.spec().input, n.network().input()); })
        .def(
            "output",
            [](CudaNetwork& n, std::size_t index) {
                const DeviceOutput& output = output_of(n, index);
                return read(n.network(), output.tensor, output.data);
            },
            "index"_a)
        .def("set_output", &set_output, "index"_a, "values"_a)
        .def_property_readonly("last_times", &times_of)
        .def_property_readonly("description", &CudaNetwork::description);
}

void bind_backend(py::module_& m) {
    py::class_<CudaBackend, Backend, std::shared_ptr<CudaBackend>> backend(m, "CudaBackend");
    backend.def(py::init([](int device, const DeviceTensor& input, std::vector<DeviceTensor> outputs,
                            bool high_priority, bool emulated, std::string description) {
                    return std::make_shared<CudaBackend>(
                        calls_of(emulated), CudaBackendSpec{device, input, std::move(outputs), high_priority,
                                                            std::move(description)});
                }),
                py::kw_only(), "device"_a = 0, "input"_a, "outputs"_a, "high_priority"_a = true,
                "emulated"_a = false, "description"_a = "");
    bind_making<CudaBackend>(backend);
}

void bind_estimators(py::module_& m) {
    m.def(
        "estimator",
        [](std::shared_ptr<CudaNetwork> network, int row) -> std::shared_ptr<Estimator> {
            return make_cuda_estimator(std::move(network), row);
        },
        "network"_a, "row"_a = 0);
    m.def(
        "track_roi",
        [](std::shared_ptr<CudaNetwork> wide, std::shared_ptr<CudaNetwork> narrow, int margin_px, int step_px,
           float min_likelihood) {
            return make_track_roi(make_cuda_estimator(std::move(wide)),
                                  make_cuda_estimator(std::move(narrow)),
                                  {margin_px, step_px, min_likelihood});
        },
        py::kw_only(), "wide"_a, "narrow"_a, "margin_px"_a, "step_px"_a, "min_likelihood"_a);
    m.def("batch", &make_cuda_batch, "network"_a);
}

}  // namespace

PYBIND11_MODULE(_cuda, m) {
    m.doc() = "Networks on NVIDIA GPUs, a CUDA graph each.";
    py::module_::import("fastpose._core");  // registers Estimator, Batch, Backend and the errors
    m.def("status", &status);
    m.def("require_device", [](int device) { require_cuda_device(system_cuda_calls(), device); }, "device"_a);
    bind_specs(m);
    bind_decodes(m);
    bind_cuda_lists(m);
    py::class_<PinnedRing>(m, "PinnedRing")
        .def(py::init([](const std::shared_ptr<Ring>& ring, bool emulated) {
                 return PinnedRing{pinned_ring(calls_of(emulated), ring)};
             }),
             "ring"_a, py::kw_only(), "emulated"_a = false);
    bind_network(m);
    bind_backend(m);
    bind_estimators(m);
    bind_cuda_crops(m);
}

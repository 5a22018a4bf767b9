// Estimators: what stands between a frame and its raw pose, and the stages that only they use.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstring>

#include "base/error.h"
#include "bindings.h"
#include "crop_spec.h"
#include "engine/batch.h"
#include "engine/estimator.h"
#include "tensors.h"

namespace py = pybind11;
using namespace py::literals;
using namespace fastpose;

namespace {

using FloatArray = py::array_t<float, py::array::c_style | py::array::forcecast>;
using Affine = std::array<float, 4>;  // scale_x, scale_y, offset_x, offset_y

constexpr Affine kIdentity{1, 1, 0, 0};

DecodeAffine affine_from(const Affine& a) { return {a[0], a[1], a[2], a[3]}; }

std::vector<TensorView> views_of(const std::vector<FloatArray>& arrays) {
    std::vector<TensorView> views;
    for (const FloatArray& array : arrays) {
        if (array.ndim() > 4) throw ConfigError("an output has more than 4 dimensions");
        TensorView view{array.data(), {1, 1, 1, 1}};
        for (py::ssize_t axis = 0; axis < array.ndim(); ++axis)
            view.shape[static_cast<std::size_t>(4 - array.ndim() + axis)] =
                static_cast<int>(array.shape(axis));
        views.push_back(view);
    }
    return views;
}

FloatArray decode(Decoder& decoder, const std::vector<FloatArray>& outputs, Size shape,
                  const Affine& affine) {
    FloatArray pose({shape.first, shape.second, 3});
    const std::vector<TensorView> views = views_of(outputs);
    decoder.run(views, affine_from(affine),
                {reinterpret_cast<Keypoint*>(pose.mutable_data()), shape.first, shape.second});
    return pose;
}

FloatArray find_boxes(BoxDecoder& decoder, const std::vector<FloatArray>& outputs, int room,
                      const Affine& affine) {
    std::vector<Box> boxes(static_cast<std::size_t>(room));
    const std::vector<TensorView> views = views_of(outputs);
    const int count = decoder.run(views, affine_from(affine), boxes);
    FloatArray found({count, 5});
    std::memcpy(found.mutable_data(), boxes.data(), static_cast<std::size_t>(count) * sizeof(Box));
    return found;
}

// A cropper with the shape of what it writes, for calls from Python.
struct CropStage {
    CropSpec spec;
    std::shared_ptr<Cropper> cropper;
};

CropStage crop_stage(const std::string& pixel_format, Size frame_size, Size crop_size, std::array<int, 4> roi,
                     const std::string& colour, PerChannel scale, PerChannel offset, const std::string& mode,
                     bool antialias, float margin_px, const std::string& element, const std::string& layout) {
    CropSpec spec = crop_spec(pixel_format, frame_size, crop_size, roi, colour, scale, offset, mode,
                              antialias, margin_px);
    spec.frame.tensor = tensor_format_from(element, layout);
    return {spec, make_cropper(spec)};
}

// The frame's size was checked by the caller.
py::tuple crop(CropStage& stage, const py::array& frame, std::array<float, 4> box) {
    const PreprocessSpec& spec = stage.spec.frame;
    std::vector<py::ssize_t> shape = shape_in_memory(
        spec.tensor, {1, spec.colour == InputColour::rgb ? 3 : 1, spec.output_height, spec.output_width});
    shape.erase(shape.begin());
    py::array tensor(dtype_of(spec.tensor.element), shape);
    stage.cropper->begin({static_cast<const std::uint8_t*>(frame.data()), spec.frame_width, spec.frame_height,
                          frame.strides(0), spec.format});
    const TensorToSensor map = stage.cropper->run({box[0], box[1], box[2], box[3], 1}, tensor.mutable_data());
    return py::make_tuple(tensor, py::make_tuple(map.scale_x, map.scale_y, map.offset_x, map.offset_y));
}

void bind_decoders(py::module_& m) {
    py::class_<Decoder, std::shared_ptr<Decoder>>(m, "DecodeStage")
        .def("run", &decode, "outputs"_a, "shape"_a, py::kw_only(), "tensor_to_sensor"_a = kIdentity,
             "shape: individuals, bodyparts. Returns (individuals, bodyparts, 3) float32.");
    m.def(
        "heatmap_decode_stage",
        [](int bodyparts, Size map_size, float stride, float locref_stdev, const std::string& activation) {
            return std::shared_ptr<Decoder>(
                make_heatmap_decoder({bodyparts, map_size.second, map_size.first, stride, locref_stdev,
                                      activation_from(activation)}));
        },
        py::kw_only(), "bodyparts"_a, "map_size"_a, "stride"_a, "locref_stdev"_a, "activation"_a);
    m.def(
        "simcc_decode_stage",
        [](int bodyparts, Size bins, float split_ratio, float temperature, bool softmax) {
            return std::shared_ptr<Decoder>(
                make_simcc_decoder({bodyparts, bins.first, bins.second, split_ratio, temperature, softmax}));
        },
        py::kw_only(), "bodyparts"_a, "bins"_a, "split_ratio"_a, "temperature"_a, "softmax"_a);
    m.def(
        "points_decode_stage",
        [](int bodyparts, const std::string& activation) {
            return std::shared_ptr<Decoder>(make_points_decoder({bodyparts, activation_from(activation)}));
        },
        py::kw_only(), "bodyparts"_a, "activation"_a);
}

void bind_soft_decoders(py::module_& m) {
    m.def(
        "soft_window_decode_stage",
        [](int bodyparts, Size map_size, float stride, int size, float min_score) {
            return std::shared_ptr<Decoder>(make_soft_window_decoder(
                {bodyparts, map_size.second, map_size.first, stride, size, min_score}));
        },
        py::kw_only(), "bodyparts"_a, "map_size"_a, "stride"_a, "size"_a, "min_score"_a);
    m.def(
        "softmax_decode_stage",
        [](int bodyparts, Size map_size, float stride, int upsampling, float temperature, int radius,
           float shift) {
            return std::shared_ptr<Decoder>(
                make_softmax_decoder({bodyparts, map_size.second, map_size.first, stride, upsampling,
                                      temperature, radius, shift}));
        },
        py::kw_only(), "bodyparts"_a, "map_size"_a, "stride"_a, "upsampling"_a, "temperature"_a, "radius"_a,
        "shift"_a);
}

void bind_detection(py::module_& m) {
    py::class_<BoxDecoder, std::shared_ptr<BoxDecoder>>(m, "BoxStage")
        .def("run", &find_boxes, "outputs"_a, "room"_a, py::kw_only(), "tensor_to_sensor"_a = kIdentity,
             "The best `room` boxes, (n, 5) float32: left, top, right, bottom, score.");
    m.def(
        "box_stage",
        [](float min_score) { return std::shared_ptr<BoxDecoder>(make_box_decoder({min_score})); },
        py::kw_only(), "min_score"_a);
    m.def(
        "centroid_stage",
        [](Size map_size, float stride, float min_score, int window) {
            return std::shared_ptr<BoxDecoder>(
                make_centroid_decoder({map_size.second, map_size.first, stride, min_score, window}));
        },
        py::kw_only(), "map_size"_a, "stride"_a, "min_score"_a, "window"_a);
    py::class_<CropStage>(m, "CropStage")
        .def("run", &crop, "frame"_a, "box"_a,
             "box: left, top, right, bottom, px. Returns (C, h, w) float32, or what element and layout say, "
             "and "
             "tensor_to_sensor.");
    m.def("crop_stage", &crop_stage, py::kw_only(), "pixel_format"_a, "frame_size"_a, "crop_size"_a, "roi"_a,
          "colour"_a, "scale"_a, "offset"_a, "mode"_a, "antialias"_a, "margin_px"_a, "element"_a = "f32",
          "layout"_a = "nchw");
}

void bind_batch(py::module_& m) {
    py::class_<Batch, std::shared_ptr<Batch>>(m, "Batch", "One network for several cameras, a row each.")
        .def(py::init([](std::vector<std::shared_ptr<Preprocessor>> preprocessors,
                         std::shared_ptr<Backend> backend, std::shared_ptr<Decoder> decoder) {
                 return make_batch({std::move(preprocessors), std::move(backend), std::move(decoder)});
             }),
             py::kw_only(), "preprocessors"_a, "backend"_a, "decoder"_a);
    m.def("batch_row", &make_batch_row, "batch"_a, "row"_a, "An estimator that runs the batch for one row.");
}

}  // namespace

void bind_estimators(py::module_& m) {
    bind_decoders(m);
    bind_soft_decoders(m);
    bind_detection(m);
    py::class_<Estimator, std::shared_ptr<Estimator>>(m, "Estimator", "From a frame to its raw pose.");
    py::class_<StageParts>(m, "StageParts")
        .def(py::init<std::shared_ptr<Preprocessor>, std::shared_ptr<Backend>, std::shared_ptr<Decoder>>(),
             py::kw_only(), "preprocessor"_a, "backend"_a, "decoder"_a);
    m.def("single_stage", &make_single_stage, "parts"_a);
    m.def(
        "track_roi",
        [](const StageParts& wide, const StageParts& narrow, int margin_px, int step_px,
           float min_likelihood) {
            return make_track_roi({wide, narrow, margin_px, step_px, min_likelihood});
        },
        py::kw_only(), "wide"_a, "narrow"_a, "margin_px"_a, "step_px"_a, "min_likelihood"_a);
    m.def(
        "top_down",
        [](std::shared_ptr<Preprocessor> preprocessor, std::shared_ptr<Backend> detector,
           std::shared_ptr<BoxDecoder> boxes, const CropStage& crop, std::shared_ptr<Backend> backend,
           std::shared_ptr<Decoder> decoder) {
            return make_top_down({std::move(preprocessor),
                                  std::move(detector),
                                  std::move(boxes),
                                  crop.cropper,
                                  {nullptr, std::move(backend), std::move(decoder)}});
        },
        py::kw_only(), "preprocessor"_a, "detector"_a, "boxes"_a, "crop"_a, "backend"_a, "decoder"_a);
    bind_batch(m);
}

// Python faces of preprocess and decode: objects that are planned once, and their running times.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/cpu_features.h"
#include "base/error.h"
#include "bindings.h"
#include "decode/heatmap_decoder.h"
#include "frame/frame.h"
#include "frames.h"
#include "preprocess/preprocess_cpu.h"
#include "tensors.h"

namespace py = pybind11;
using namespace py::literals;
using namespace fastpose;

namespace {

using FloatArray = py::array_t<float, py::array::c_style>;
using Size = std::pair<int, int>;      // width, height
using Rectangle = std::array<int, 4>;  // x, y, width, height
using Affine = std::array<float, 4>;   // scale_x, scale_y, offset_x, offset_y

// Each call's wall time in ns; a call is step().
template <class Step>
py::array_t<std::int64_t> times_ns(int calls, Step step) {
    py::array_t<std::int64_t> result(calls);
    auto* stamps = result.mutable_data();
    py::gil_scoped_release release;
    for (int i = 0; i < calls; ++i) {
        const std::int64_t start = now_ns();
        step();
        stamps[i] = now_ns() - start;
    }
    return result;
}

FloatArray output_or_new(const std::optional<FloatArray>& out, const Shape& shape) {
    if (!out) return FloatArray(shape);
    require_shape("out", *out, shape);
    return *out;
}

// ---- Preprocess ----

InputColour colour_from(const std::string& name) {
    if (name == "grey") return InputColour::grey;
    if (name == "rgb") return InputColour::rgb;
    throw ConfigError("colour is '" + name + "'; allowed: grey, rgb");
}

class PyPreprocessor {
  public:
    PyPreprocessor(const std::string& pixel_format, Size frame_size, Size output_size,
                   std::optional<Rectangle> roi, std::optional<Size> image_size, const std::string& colour,
                   std::array<float, 3> scale, std::array<float, 3> offset, const std::string& element,
                   const std::string& layout, const std::string& isa) {
        const Rectangle r = roi.value_or(Rectangle{0, 0, frame_size.first, frame_size.second});
        spec_ = {.format = pixel_format_from(pixel_format),
                 .frame_width = frame_size.first,
                 .frame_height = frame_size.second,
                 .roi = {r[0], r[1], r[2], r[3]},
                 .output_width = output_size.first,
                 .output_height = output_size.second,
                 .image_width = image_size.value_or(output_size).first,
                 .image_height = image_size.value_or(output_size).second,
                 .colour = colour_from(colour),
                 .scale = scale,
                 .offset = offset,
                 .tensor = tensor_format_from(element, layout)};
        preprocessor_ = make_preprocessor(spec_, isa_from(isa));
    }

    [[nodiscard]] Shape output_shape() const {
        return shape_in_memory(spec_.tensor, {1, spec_.colour == InputColour::rgb ? 3 : 1,
                                              spec_.output_height, spec_.output_width});
    }

    py::array run(const py::array& frame, const std::optional<py::array>& out) {
        const FrameView view = view_of(frame, spec_);
        py::array tensor = out ? checked(*out) : new_tensor();
        void* data = tensor.mutable_data();
        py::gil_scoped_release release;
        preprocessor_->run(view, data);
        return tensor;
    }

    py::array_t<std::int64_t> time_ns(const py::array& frame, int calls) {
        const FrameView view = view_of(frame, spec_);
        if (timed_tensor_.size() == 0) timed_tensor_ = new_tensor();  // kept, as the loop keeps its own
        void* data = timed_tensor_.mutable_data();
        return times_ns(calls, [&] { preprocessor_->run(view, data); });
    }

    std::pair<int, int> move_roi(int x, int y) {
        preprocessor_->move_roi(x, y);
        const Roi roi = preprocessor_->roi();
        return {roi.x, roi.y};
    }

    [[nodiscard]] Affine tensor_to_sensor() const {
        const TensorToSensor map = preprocessor_->tensor_to_sensor();
        return {map.scale_x, map.scale_y, map.offset_x, map.offset_y};
    }

  private:
    [[nodiscard]] py::array new_tensor() const { return {dtype_of(spec_.tensor.element), output_shape()}; }

    [[nodiscard]] py::array checked(const py::array& out) const {
        require_format("out", out, spec_.tensor);
        require_shape("out", out, output_shape());
        return out;
    }

    PreprocessSpec spec_;
    std::unique_ptr<Preprocessor> preprocessor_;
    py::array timed_tensor_;
};

// ---- Decode ----

class PyHeatmapDecoder {
  public:
    PyHeatmapDecoder(int bodyparts, Size map_size, float stride, float locref_stdev,
                     const std::string& activation, const std::string& isa)
        : spec_{.bodyparts = bodyparts,
                .map_height = map_size.second,
                .map_width = map_size.first,
                .stride = stride,
                .locref_stdev = locref_stdev,
                .activation = activation_from(activation)},
          decoder_(make_heatmap_decoder(spec_, isa_from(isa))) {}

    FloatArray run(const FloatArray& heatmap, const std::optional<FloatArray>& locref, const Affine& affine,
                   const std::optional<FloatArray>& out) {
        const Maps maps = maps_of(heatmap, locref);
        FloatArray pose = output_or_new(out, {spec_.bodyparts, 3});
        const PoseView view = pose_view(pose);
        py::gil_scoped_release release;
        decoder_->run(maps, {affine[0], affine[1], affine[2], affine[3]}, view);
        return pose;
    }

    py::array_t<std::int64_t> time_ns(const FloatArray& heatmap, const std::optional<FloatArray>& locref,
                                      int calls) {
        const Maps maps = maps_of(heatmap, locref);
        FloatArray pose(Shape{spec_.bodyparts, 3});
        const PoseView view = pose_view(pose);
        return times_ns(calls, [&] { decoder_->run(maps, {}, view); });
    }

  private:
    using Maps = std::array<TensorView, 2>;

    [[nodiscard]] PoseView pose_view(FloatArray& pose) const {
        return {reinterpret_cast<Keypoint*>(pose.mutable_data()), 1, spec_.bodyparts};
    }

    [[nodiscard]] Maps maps_of(const FloatArray& heatmap, const std::optional<FloatArray>& locref) const {
        const int height = spec_.map_height, width = spec_.map_width, count = spec_.bodyparts;
        require_shape("heatmap", heatmap, {1, count, height, width});
        Maps maps{TensorView{heatmap.data(), {1, count, height, width}}, TensorView{}};
        if (spec_.locref_stdev <= 0) return maps;
        if (!locref)
            throw ConfigError("locref is None; allowed: an array, or make the decoder with locref_stdev=0");
        require_shape("locref", *locref, {1, 2 * count, height, width});
        maps[1] = {locref->data(), {1, 2 * count, height, width}};
        return maps;
    }

    HeatmapDecoderSpec spec_;
    std::unique_ptr<Decoder> decoder_;
};

constexpr std::array<float, 3> kUnitScale{1.0F / 255, 1.0F / 255, 1.0F / 255};
constexpr std::array<float, 3> kNoOffset{0, 0, 0};
constexpr Affine kIdentity{1, 1, 0, 0};

py::array preprocess_once(const py::array& frame, const std::string& pixel_format, Size frame_size,
                          Size output_size, std::optional<Rectangle> roi, std::optional<Size> image_size,
                          const std::string& colour, std::array<float, 3> scale, std::array<float, 3> offset,
                          const std::string& element, const std::string& layout, const std::string& isa) {
    PyPreprocessor once(pixel_format, frame_size, output_size, roi, image_size, colour, scale, offset,
                        element, layout, isa);
    return once.run(frame, std::nullopt);
}

FloatArray decode_once(const FloatArray& heatmap, const std::optional<FloatArray>& locref, float stride,
                       float locref_stdev, const std::string& activation, const Affine& affine,
                       const std::string& isa) {
    if (heatmap.ndim() != 4)
        throw ConfigError("heatmap has shape " + shape_text(shape_of(heatmap)) + "; allowed: (1, K, h, w)");
    const Size map_size{static_cast<int>(heatmap.shape(3)), static_cast<int>(heatmap.shape(2))};
    PyHeatmapDecoder once(static_cast<int>(heatmap.shape(1)), map_size, stride, locref ? locref_stdev : 0.0F,
                          activation, isa);
    return once.run(heatmap, locref, affine, std::nullopt);
}

void bind_preprocess(py::module_& m) {
    py::class_<PyPreprocessor>(m, "Preprocessor",
                               "From raw frames of one format and size to the network's input tensor.")
        .def(py::init<const std::string&, Size, Size, std::optional<Rectangle>, std::optional<Size>,
                      const std::string&, std::array<float, 3>, std::array<float, 3>, const std::string&,
                      const std::string&, const std::string&>(),
             "pixel_format"_a, "frame_size"_a, "output_size"_a, py::kw_only(), "roi"_a = py::none(),
             "image_size"_a = py::none(), "colour"_a = "grey", "scale"_a = kUnitScale, "offset"_a = kNoOffset,
             "element"_a = "f32", "layout"_a = "nchw", "isa"_a = "auto",
             "Sizes are (width, height) px, roi is (x, y, width, height) px; tensor = pixel * scale[c] + "
             "offset[c], for element u8 rounded and clamped to 0..255. image_size: the upper left part of "
             "the tensor that holds the roi, the rest mirrors "
             "it.")
        .def("move_roi", &PyPreprocessor::move_roi, "x"_a, "y"_a,
             "Moves the upper left corner of the roi; returns where it lies, inside the frame.")
        .def("run", &PyPreprocessor::run, "frame"_a, "out"_a.noconvert() = py::none(),
             "frame: uint8 (H, W), (H, W, 3), (H, W, 2) for yuyv, (H * 3 / 2, W) for nv12; uint16 (H, W) for "
             "mono10 and mono12. Returns (1, C, h, w) float32, or what element and layout say.")
        .def("time_ns", &PyPreprocessor::time_ns, "frame"_a, "calls"_a,
             "Wall time of each of `calls` runs, ns.")
        .def_property_readonly(
            "output_shape",
            [](const PyPreprocessor& self) { return py::tuple(py::cast(self.output_shape())); })
        .def_property_readonly(
            "tensor_to_sensor",
            [](const PyPreprocessor& self) { return py::tuple(py::cast(self.tensor_to_sensor())); },
            "(scale_x, scale_y, offset_x, offset_y): x_sensor = x_tensor * scale_x + offset_x.");
    m.def("preprocess", &preprocess_once, "frame"_a, py::kw_only(), "pixel_format"_a, "frame_size"_a,
          "output_size"_a, "roi"_a = py::none(), "image_size"_a = py::none(), "colour"_a = "grey",
          "scale"_a = kUnitScale, "offset"_a = kNoOffset, "element"_a = "f32", "layout"_a = "nchw",
          "isa"_a = "auto", "Preprocessor(...).run(frame) for one frame.");
}

void bind_decode(py::module_& m) {
    py::class_<PyHeatmapDecoder>(m, "HeatmapDecoder", "From heatmap and locref to keypoints.")
        .def(py::init<int, Size, float, float, const std::string&, const std::string&>(), "bodyparts"_a,
             "map_size"_a, py::kw_only(), "stride"_a = 8.0F, "locref_stdev"_a = 7.2801F,
             "activation"_a = "sigmoid", "isa"_a = "auto",
             "map_size is (width, height) cells; locref_stdev=0: the network has no locref.")
        .def("run", &PyHeatmapDecoder::run, "heatmap"_a.noconvert(), "locref"_a.noconvert() = py::none(),
             py::kw_only(), "tensor_to_sensor"_a = kIdentity, "out"_a.noconvert() = py::none(),
             "heatmap (1, K, h, w), locref (1, 2K, h, w), float32. Returns (K, 3) float32: x, y in sensor "
             "px, likelihood.")
        .def("time_ns", &PyHeatmapDecoder::time_ns, "heatmap"_a.noconvert(), "locref"_a.noconvert(),
             "calls"_a, "Wall time of each of `calls` runs, ns.");
    m.def("decode", &decode_once, "heatmap"_a.noconvert(), "locref"_a.noconvert() = py::none(), py::kw_only(),
          "stride"_a = 8.0F, "locref_stdev"_a = 7.2801F, "activation"_a = "sigmoid",
          "tensor_to_sensor"_a = kIdentity, "isa"_a = "auto",
          "HeatmapDecoder(...).run(heatmap, locref) for one pair of maps.");
}

}  // namespace

void bind_stages(py::module_& m) {
    m.def(
        "best_isa", [] { return std::string(name_of(best_isa())); },
        "Widest instruction set here: scalar, avx2, avx512.");
    bind_preprocess(m);
    bind_decode(m);
}

// Python face of the resize that agrees with OpenCV's bit for bit.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "bindings.h"
#include "preprocess/fixed_resize.h"

namespace py = pybind11;
using namespace py::literals;
using namespace fastpose;

namespace {

using Bytes = py::array_t<std::uint8_t>;

Bytes resize_like_opencv(const Bytes& frame, std::pair<int, int> size) {
    if (frame.ndim() != 2 && frame.ndim() != 3)
        throw ConfigError("frame has " + std::to_string(frame.ndim()) + " dimensions; allowed: 2 or 3");
    const Bytes dense = py::array_t<std::uint8_t, py::array::c_style>::ensure(frame);
    std::vector<py::ssize_t> shape{size.second, size.first};
    if (dense.ndim() == 3) shape.push_back(dense.shape(2));
    FixedResize resize({.input_width = static_cast<int>(dense.shape(1)),
                        .input_height = static_cast<int>(dense.shape(0)),
                        .output_width = size.first,
                        .output_height = size.second,
                        .channels = dense.ndim() == 3 ? static_cast<int>(dense.shape(2)) : 1});
    Bytes resized(shape);
    const std::uint8_t* from = dense.data();
    std::uint8_t* to = resized.mutable_data();
    const py::ssize_t stride = dense.strides(0);
    py::gil_scoped_release release;
    resize.run(from, stride, to);
    return resized;
}

}  // namespace

void bind_resize(py::module_& m) {
    m.def("resize_like_opencv", &resize_like_opencv, "frame"_a.noconvert(), "size"_a,
          "frame: uint8 (H, W) or (H, W, C); size: (width, height) px. What cv2.resize with INTER_LINEAR "
          "gives, bit for bit.");
}

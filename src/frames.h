// NumPy arrays as frames of a camera.
#pragma once
#include <pybind11/numpy.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "preprocess/preprocess.h"

namespace fastpose {

namespace py = pybind11;
using Shape = std::vector<py::ssize_t>;

inline std::string shape_text(const Shape& shape) {
    return py::str(py::tuple(py::cast(shape))).cast<std::string>();
}

inline Shape shape_of(const py::array& array) { return {array.shape(), array.shape() + array.ndim()}; }

inline void require_shape(const char* name, const py::array& array, const Shape& wanted) {
    if (shape_of(array) == wanted) return;
    throw ConfigError(std::string(name) + " has shape " + shape_text(shape_of(array)) +
                      "; allowed: " + shape_text(wanted));
}

// (H, W), with the pixel's samples behind it where it has several; nv12: (H * 3 / 2, W).
inline Shape frame_shape(const PreprocessSpec& spec) {
    switch (spec.format) {
        case PixelFormat::rgb8:
        case PixelFormat::bgr8:
            return {spec.frame_height, spec.frame_width, 3};
        case PixelFormat::yuyv:
            return {spec.frame_height, spec.frame_width, 2};
        case PixelFormat::nv12:
            return {spec.frame_height + spec.frame_height / 2, spec.frame_width};
        default:
            return {spec.frame_height, spec.frame_width};
    }
}

inline bool rows_are_dense(const py::array& frame) {
    py::ssize_t expected = frame.itemsize();
    for (py::ssize_t axis = frame.ndim() - 1; axis > 0; --axis) {
        if (frame.shape(axis) > 1 && frame.strides(axis) != expected) return false;
        expected *= frame.shape(axis);
    }
    return frame.strides(0) >= expected || frame.shape(0) == 1;
}

inline FrameView view_of(const py::array& frame, const PreprocessSpec& spec) {
    require_shape("frame", frame, frame_shape(spec));
    const bool wide = white_of(spec.format) > 255;
    const py::dtype allowed = wide ? py::dtype::of<std::uint16_t>() : py::dtype::of<std::uint8_t>();
    if (!frame.dtype().is(allowed)) {
        throw ConfigError("frame has dtype " + py::str(frame.dtype()).cast<std::string>() +
                          "; allowed: " + (wide ? "uint16" : "uint8"));
    }
    if (!rows_are_dense(frame))
        throw ConfigError("frame has pixels that are not side by side; use np.ascontiguousarray");
    return {static_cast<const std::uint8_t*>(frame.data()), spec.frame_width, spec.frame_height,
            frame.strides(0), spec.format};
}

}  // namespace fastpose

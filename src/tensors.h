// NumPy arrays in the elements and layout of a tensor.
#pragma once
#include <pybind11/numpy.h>

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/tensor.h"

namespace fastpose {

// Axes in memory of (N, C, H, W).
inline std::vector<pybind11::ssize_t> shape_in_memory(TensorFormat format, const std::array<int, 4>& nchw) {
    if (format.layout == TensorLayout::nhwc) return {nchw[0], nchw[2], nchw[3], nchw[1]};
    return {nchw[0], nchw[1], nchw[2], nchw[3]};
}

inline pybind11::dtype dtype_of(ElementType element) {
    return element == ElementType::u8 ? pybind11::dtype::of<std::uint8_t>() : pybind11::dtype::of<float>();
}

// Throws ConfigError unless the array's elements lie side by side and are what the format says.
inline void require_format(const char* name, const pybind11::array& array, TensorFormat format) {
    const bool dense = (array.flags() & pybind11::array::c_style) != 0;
    if (dense && array.dtype().is(dtype_of(format.element))) return;
    throw ConfigError(std::string(name) + " has dtype " + pybind11::str(array.dtype()).cast<std::string>() +
                      (dense ? "" : ", not contiguous") + "; allowed: contiguous " +
                      (format.element == ElementType::u8 ? "uint8" : "float32"));
}

inline std::pair<std::string, std::string> names_of(TensorFormat format) {
    return {std::string(name_of(format.element)), std::string(name_of(format.layout))};
}

}  // namespace fastpose

"""Replaces a resize inside an ONNX graph by convolutions that compute the same everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose.importing.extra import require

__all__ = ["replace_resize", "triangle"]


def triangle(factor: int) -> npt.NDArray[np.float32]:
    """Weights that shrink a row by an integer factor: a triangle as wide as two cells of the result."""
    distance = np.arange(1 - factor, factor) if factor % 2 else np.arange(0.5 - factor, factor)
    weights = 1 - np.abs(distance) / factor
    return np.asarray(weights / weights.sum(), np.float32)


def replace_resize(model: Any, resize: Any, *, channels: int, factor: int) -> None:
    """Shrink with antialias, as PIL and torch do; runtimes differ in what ONNX's own Resize means.

    Near the border the weights beyond it are left out and the rest sums to 1: one convolution of the values,
    divided by the same one of ones.

    Parameters
    ----------
    model : onnx.ModelProto
        Changed in place.
    resize : onnx.NodeProto
        The node to replace; its first input is (N, channels, H, W) with H and W multiples of factor.
    channels : int
    factor : int
        Size of the input over size of the output.
    """
    onnx = require("onnx")
    values, result = resize.input[0], resize.output[0]
    weights = np.outer(triangle(factor), triangle(factor))
    kernel = np.tile(weights, (channels, 1, 1, 1)).astype(np.float32)
    constants = {"kernel": kernel, "zero": np.float32(0), "one": np.float32(1)}
    names = {key: f"{result}_{key}" for key in (*constants, "zeros", "ones", "sum", "mass")}
    model.graph.initializer.extend(
        onnx.numpy_helper.from_array(np.asarray(value), names[key]) for key, value in constants.items()
    )
    make = onnx.helper.make_node
    options = {"group": channels, "strides": [factor] * 2, "pads": [factor // 2] * 4}
    nodes = [
        make("Mul", [values, names["zero"]], [names["zeros"]]),
        make("Add", [names["zeros"], names["one"]], [names["ones"]]),
        make("Conv", [values, names["kernel"]], [names["sum"]], **options),
        make("Conv", [names["ones"], names["kernel"]], [names["mass"]], **options),
        make("Div", [names["sum"], names["mass"]], [result]),
    ]
    place = next(index for index, node in enumerate(model.graph.node) if node.output[0] == result)
    model.graph.node.remove(model.graph.node[place])
    for offset, node in enumerate(nodes):
        model.graph.node.insert(place + offset, node)

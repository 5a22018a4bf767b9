"""Puts pixels of 0..255 in front of an ONNX graph that takes 0..1, shrunk where it resizes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose.importing.extra import require

__all__ = ["make_from_pixels", "triangle"]

AXES = {"rows": 2, "columns": 3}


def triangle(factor: int) -> npt.NDArray[np.float32]:
    """Weights that shrink a row by an integer factor: a triangle as wide as two cells of the result."""
    distance = np.arange(1 - factor, factor) if factor % 2 else np.arange(0.5 - factor, factor)
    weights = 1 - np.abs(distance) / factor
    return np.asarray(weights / weights.sum(), np.float32)


def make_from_pixels(model: Any, pixels: str, result: str, *, channels: int, factor: int = 1) -> None:
    """Compute a tensor of 0..1 from pixels; what made it before is removed.

    Shrinking is with antialias, as PIL and torch do on whole grey levels: columns first, then rows, each
    rounded (half up). Near the border the weights beyond it are left out and the rest sums to 1: one
    convolution of the values, divided by the same one of ones.

    Parameters
    ----------
    model : onnx.ModelProto
        Changed in place.
    pixels, result : str
        Tensors (N, channels, H, W), 0..255, and (N, channels, H / factor, W / factor), 0..1.
    channels : int
    factor : int
        H and W are multiples of it; 1: not shrunk.
    """
    onnx = require("onnx")
    nodes, small = [], pixels
    for axis in ("columns", "rows") if factor > 1 else ():
        nodes += list(_shrunk(model, small, f"{result}_{axis}", axis, channels, factor))
        small = f"{result}_{axis}"
    nodes.append(onnx.helper.make_node("Div", [small, _constant(model, f"{result}_white", 255)], [result]))
    before = [index for index, node in enumerate(model.graph.node) if node.output[0] == result]
    for index in before:
        model.graph.node.remove(model.graph.node[index])
    for offset, node in enumerate(nodes):
        model.graph.node.insert((before or [0])[0] + offset, node)


def _shrunk(model: Any, values: str, result: str, axis: str, channels: int, factor: int) -> Iterator[Any]:
    """The nodes that shrink along one axis and round."""
    make, name = require("onnx").helper.make_node, f"{result}_{{}}".format
    shape, strides, pads = [channels, 1, 1, 1], [1, 1], [0, 0, 0, 0]
    weights, along = triangle(factor), AXES[axis] - 2
    shape[along + 2], strides[along] = len(weights), factor
    pads[along] = pads[along + 2] = factor // 2
    kernel = _constant(model, name("kernel"), np.tile(weights, channels).reshape(shape))
    options = {"group": channels, "strides": strides, "pads": pads}
    zero, one, half = (_constant(model, name(each), each) for each in (0, 1, 0.5))
    yield make("Mul", [values, zero], [name("zeros")])
    yield make("Add", [name("zeros"), one], [name("ones")])
    yield make("Conv", [values, kernel], [name("sum")], **options)
    yield make("Conv", [name("ones"), kernel], [name("mass")], **options)
    yield make("Div", [name("sum"), name("mass")], [name("mean")])
    yield make("Add", [name("mean"), half], [name("up")])
    yield make("Floor", [name("up")], [result])


def _constant(model: Any, name: str, value: npt.ArrayLike) -> str:
    onnx = require("onnx")
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(value, np.float32), name))
    return name

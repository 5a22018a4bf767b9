"""How many multiply-adds a network needs at one size of its input, from the shapes in its graph."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

__all__ = ["graph_macs", "multiply_adds", "network_shape"]

Shape = tuple[int, ...]


def network_shape(size: tuple[int, int], channels: int, multiple: int) -> Shape:
    """(1, C, H, W) of a frame of width and height, rounded up to multiples."""
    width, height = (-(-side // multiple) * multiple for side in size)
    return (1, channels, height, width)


def graph_macs(path: Path, shape: Shape) -> int:
    """Multiply-adds of an ONNX file or an OpenVINO IR for one input of a shape (1, C, H, W)."""
    import openvino

    model = openvino.Core().read_model(str(path))
    model.reshape(list(shape))
    return multiply_adds(model)


def multiply_adds(model: Any) -> int:
    """Multiply-adds of the convolutions and matrix products of an OpenVINO model whose shapes are fixed.

    Everything else (norms, activations, additions, resizing) counts as nothing, so that the least time that
    follows from it is one that nothing can beat.
    """
    return sum(
        _COUNTS[node.get_type_name()](node) for node in model.get_ops() if node.get_type_name() in _COUNTS
    )


def _cells(shape: Iterable[int]) -> int:
    return math.prod(int(side) for side in shape)


def _convolution(node: Any) -> int:
    """Each output cell sums over the weights of one filter: (out, in, kh, kw)."""
    return _cells(node.get_output_shape(0)) * _cells(list(node.get_input_shape(1))[1:])


def _grouped(node: Any) -> int:
    """The same with weights (groups, out / groups, in / groups, kh, kw)."""
    return _cells(node.get_output_shape(0)) * _cells(list(node.get_input_shape(1))[2:])


def _transposed(node: Any) -> int:
    """Each input cell spreads over the weights (in, out, kh, kw) of its channel."""
    return _cells(node.get_input_shape(0)) * _cells(list(node.get_input_shape(1))[1:])


def _grouped_transposed(node: Any) -> int:
    """The same with weights (groups, in / groups, out / groups, kh, kw)."""
    return _cells(node.get_input_shape(0)) * _cells(list(node.get_input_shape(1))[2:])


def _product(node: Any) -> int:
    """Each output value sums over the inner side."""
    inner = node.get_input_shape(0)[-2 if node.get_attributes()["transpose_a"] else -1]
    return _cells(node.get_output_shape(0)) * int(inner)


_COUNTS: dict[str, Callable[[Any], int]] = {
    "Convolution": _convolution,
    "GroupConvolution": _grouped,
    "ConvolutionBackpropData": _transposed,
    "GroupConvolutionBackpropData": _grouped_transposed,
    "MatMul": _product,
}

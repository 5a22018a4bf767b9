"""Keeps a sign of int8 in graphs that would have none.

OpenVINO looks for integer convolutions in graphs that hold a FakeQuantize, and in those alone. Where every
activation is rounded by an operation of ours, and the weights are bytes already, none is left; the graph
would run in float32, from bytes that are converted over and over.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from openvino import opset13 as ops

from fastpose.optimizing.graph import constant, convolutions, kind, source

__all__ = ["mark_as_quantised"]

LEVELS = 255


def mark_as_quantised(model: Any) -> None:
    """Write the bytes of the smallest layer's weights as a FakeQuantize of the same values, in place."""
    if any(kind(node) == "FakeQuantize" for node in model.get_ordered_ops()):
        return
    layers = [(node, counts) for node in convolutions(model) if (counts := _counts(node)) is not None]
    if not layers:
        return
    node, (whole, scale) = min(layers, key=lambda layer: layer[1][0].size)
    limit = (scale * (LEVELS // 2)).astype(np.float32)
    limits = (ops.constant(edge) for edge in (-limit, limit, -limit, limit))
    rounded = ops.fake_quantize(ops.constant((whole * scale).astype(np.float32)), *limits, LEVELS)
    node.input(1).replace_source_output(rounded.output(0))


def _counts(node: Any) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]] | None:
    """Whole numbers and scale of weights that are bytes, multiplied; None for others."""
    multiply = source(node, 1)
    if kind(multiply) != "Multiply" or kind(source(multiply)) != "Convert":
        return None
    whole, scale = constant(source(multiply)), constant(source(multiply, 1))
    if whole is None or scale is None or whole.dtype != np.int8:
        return None
    return whole.astype(np.float32), scale.astype(np.float32)

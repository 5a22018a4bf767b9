"""Lets an int8 network take bytes: the rounding of its input moves from the graph into preprocess.

The tensor is a quarter of the size, channels last as the first convolution reads it, and a pass is saved.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import openvino
from openvino import opset13 as ops

from fastpose.optimizing.graph import constant, consumers, kind, source

__all__ = ["with_byte_input"]

LEVELS = 256
_NEARLY_WHOLE = 1e-3  # steps; the place of zero among the counts


def with_byte_input(model: Any) -> Any:
    """Return a graph that takes (N, H, W, C) uint8; the graph itself where its input is not rounded at once.

    What a count means is written into the graph for the engine: value = (count - input_zero) * input_step.
    """
    parameter = model.get_parameters()[0]
    readers = consumers(parameter.output(0))
    if [kind(reader) for reader in readers] != ["FakeQuantize"]:
        return model
    counts = _counts_of(readers[0])
    if counts is None:
        return model
    step, zero = counts
    n, c, h, w = parameter.get_partial_shape()
    taken = ops.parameter(openvino.PartialShape([n, h, w, c]), openvino.Type.u8)
    taken.set_friendly_name(parameter.get_friendly_name())
    taken.output(0).set_names(parameter.output(0).get_names())
    taken.set_layout(openvino.Layout("NHWC"))
    values = ops.multiply(
        ops.subtract(ops.convert(taken, "f32"), ops.constant(np.float32(zero))),
        ops.constant(np.float32(step)),
    )
    first = ops.transpose(values, ops.constant(np.array([0, 3, 1, 2])))
    for target in list(readers[0].output(0).get_target_inputs()):
        target.replace_source_output(first.output(0))
    taking = openvino.Model(model.get_results(), [taken], model.get_friendly_name())
    taking.set_rt_info(repr(step), ["fastpose", "input_step"])
    taking.set_rt_info(repr(zero), ["fastpose", "input_zero"])
    taking.validate_nodes_and_infer_types()
    return taking


def _counts_of(rounding: Any) -> tuple[float, float] | None:
    """Step and place of zero of a FakeQuantize with one range for all channels; None for others."""
    limits = [constant(source(rounding, port)) for port in range(1, 5)]
    if any(limit is None or limit.size != 1 for limit in limits):
        return None
    low, high, out_low, out_high = (float(limit.reshape(-1)[0]) for limit in limits if limit is not None)
    if (low, high) != (out_low, out_high) or rounding.get_attributes()["levels"] != LEVELS or not low < high:
        return None
    step = (high - low) / (LEVELS - 1)
    zero = round(-low / step)
    near = abs(zero + low / step) < _NEARLY_WHOLE and 0 <= zero < LEVELS
    return (step, float(zero)) if near else None

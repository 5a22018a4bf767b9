"""Makes the weights of grouped convolutions plain constants, as the quantiser wants them.

The reader of ONNX leaves a Reshape between constant and layer; NNCF 3.4 then takes the last axis of the
kernel for the channels, and OpenVINO runs such layers in float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from openvino import opset13 as ops

from fastpose.optimizing.graph import constant, kind, source

__all__ = ["make_weights_plain"]


def make_weights_plain(model: Any) -> None:
    """Replace Reshape(constant) by a constant of that shape, in place."""
    for node in model.get_ordered_ops():
        if kind(node) != "GroupConvolution" or kind(source(node, 1)) != "Reshape":
            continue
        weights = constant(source(source(node, 1)))
        if weights is None:
            continue
        shaped = np.asarray(weights).reshape(list(node.input_value(1).get_shape()))
        node.input(1).replace_source_output(ops.constant(shaped).output(0))

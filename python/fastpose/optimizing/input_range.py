"""The rounding of an int8 network's input spans every value that a pixel can have.

Ranges are measured on a few frames; a brighter pixel than theirs would be cut off. And where all channels
have one normalisation, a count then is a grey level: nothing is rounded.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from openvino import opset13 as ops

from fastpose.model_package import Normalisation
from fastpose.optimizing.graph import consumers, kind

__all__ = ["span_all_pixels"]

STEPS = 255


def span_all_pixels(model: Any, normalisation: Normalisation) -> None:
    """Set the range of the input's FakeQuantize, in place; nothing where the input is not rounded at once."""
    readers = consumers(model.get_parameters()[0].output(0))
    if [kind(reader) for reader in readers] != ["FakeQuantize"]:
        return
    low, high = _range(normalisation)
    for port, limit in enumerate((low, high, low, high), start=1):
        readers[0].input(port).replace_source_output(ops.constant(np.float32(limit)).output(0))
    model.validate_nodes_and_infer_types()


def _range(normalisation: Normalisation) -> tuple[float, float]:
    """Value of the lowest and the highest count; 0 is the value of a count."""
    ends = [
        grey * scale + offset
        for scale, offset in zip(normalisation.scale, normalisation.offset, strict=True)
        for grey in (0.0, 255.0)
    ]
    low, high = min(*ends, 0.0), max(*ends, 0.0)
    step = (high - low) / STEPS
    if abs(-low / step - round(-low / step)) > 1e-6:
        step = (high - low) / (STEPS - 1)  # room to move zero onto a count
    zero = math.ceil(-low / step - 1e-6)
    return -zero * step, (STEPS - zero) * step

"""Which int8 layers cost the most, by giving them back their float32 one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino
from openvino import opset13 as ops

from fastpose.optimizing.graph import constant, convolutions, kind, source

__all__ = ["costly_layers"]

Tensor = npt.NDArray[np.float32]


def costly_layers(single: Any, quantised: Any, tensors: Sequence[Tensor]) -> list[str]:
    """Names of the quantised layers, the costliest first.

    The cost of a layer is how much nearer the network's outputs come to those in float32 (mean of squares,
    each output relative to its own) when it alone is computed in float32.

    Parameters
    ----------
    single, quantised : openvino.Model
        The graph in float32, and in int8.
    tensors : sequence of ndarray
        (1, C, H, W) float32.
    """
    truth = _outputs(single, tensors)
    weights = {node.get_friendly_name(): constant(source(node, 1)) for node in convolutions(single)}
    rounded = [node.get_friendly_name() for node in convolutions(quantised) if _is_rounded(node)]
    names = [name for name in rounded if weights.get(name) is not None]
    left = {name: _error(_outputs(_given_back(quantised, name, weights), tensors), truth) for name in names}
    return sorted(names, key=lambda name: left[name])


def _is_rounded(node: Any) -> bool:
    return kind(source(node, 1)) != "Constant"


def _given_back(quantised: Any, name: str, weights: dict[str, Any]) -> Any:
    model = quantised.clone()
    node = next(n for n in convolutions(model) if n.get_friendly_name() == name)
    if kind(source(node)) == "FakeQuantize":  # a rounding before a pooling stays, others read it, too
        node.input(0).replace_source_output(source(node).input_value(0))
    node.input(1).replace_source_output(ops.constant(np.array(weights[name])).output(0))
    return model


def _outputs(model: Any, tensors: Sequence[Tensor]) -> list[Tensor]:
    """Each output of the network, all tensors in one vector."""
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    results = [compiled(tensor) for tensor in tensors]
    ports = range(len(compiled.outputs))
    return [np.concatenate([np.array(result[port]).ravel() for result in results]) for port in ports]


def _error(found: list[Tensor], truth: list[Tensor]) -> float:
    pairs = zip(found, truth, strict=True)
    return sum(float(np.square(f - t).mean() / (np.square(t).mean() + 1e-12)) for f, t in pairs)

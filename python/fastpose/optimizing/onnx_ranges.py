"""How large the values of an ONNX graph's tensors get on frames, measured with OpenVINO."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["measured_ranges"]

Tensor = npt.NDArray[np.float32]


def measured_ranges(
    model: Any, tensors: Sequence[Tensor], names: Collection[str]
) -> dict[str, npt.NDArray[np.float32]]:
    """Largest magnitude of tensors inside a graph, for each input.

    Parameters
    ----------
    model : onnx.ModelProto
    tensors : sequence of ndarray
        (1, C, H, W) float32 each.
    names : collection of str
        Of the tensors.

    Returns
    -------
    dict
        Name: (inputs,) float32.
    """
    import onnx
    import openvino

    exposed = onnx.ModelProto()
    exposed.CopyFrom(model)
    known = {output.name for output in exposed.graph.output}
    wanted = [name for name in names if name not in {value.name for value in exposed.graph.input}]
    for name in wanted:
        if name not in known:
            exposed.graph.output.add().name = name
    core = openvino.Core()
    network = core.read_model(exposed.SerializeToString())
    network.reshape(list(tensors[0].shape))
    compiled = core.compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found: dict[str, list[float]] = {name: [] for name in wanted}
    for tensor in tensors:
        results = compiled(tensor)
        for name in wanted:
            found[name].append(float(np.abs(results[name]).max(initial=0)))
    ranges = {name: np.array(values, np.float32) for name, values in found.items()}
    inputs = [float(np.abs(tensor).max()) for tensor in tensors]
    return ranges | {
        value.name: np.array(inputs, np.float32) for value in exposed.graph.input if value.name in names
    }

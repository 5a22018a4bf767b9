"""Runs a network under OpenVINO in float32, for references."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose.errors import ModelError

__all__ = ["run_network"]

Tensor = npt.NDArray[np.float32]


def run_network(network: Any, tensor: npt.NDArray[np.generic]) -> dict[str, Tensor]:
    """Outputs by name (an output may have several).

    Parameters
    ----------
    network : bytes, Path or openvino.Model
        An ONNX file's content, a file that OpenVINO reads, or what it has read.
    tensor : ndarray
        The input, of the type that the network takes.

    Raises
    ------
    ModelError
        OpenVINO cannot read or run it.
    """
    import openvino

    core = openvino.Core()
    try:
        model = _read(core, network)
        model.reshape(list(tensor.shape))
        compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        results = compiled(tensor)
    except RuntimeError as error:
        raise ModelError(f"OpenVINO cannot run the network ({' '.join(str(error).split())[:300]})") from None
    return {name: np.array(results[output]) for output in compiled.outputs for name in output.get_names()}


def _read(core: Any, network: Any) -> Any:
    if isinstance(network, bytes):
        return core.read_model(network)
    return core.read_model(str(network)) if isinstance(network, Path) else network.clone()

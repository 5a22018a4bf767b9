"""Runs a network under OpenVINO in float32, for references."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from fastpose.errors import ModelError

__all__ = ["run_network"]

Tensor = npt.NDArray[np.float32]


def run_network(network: bytes | Path, tensor: npt.NDArray[np.generic]) -> dict[str, Tensor]:
    """Outputs by name (an output may have several).

    Parameters
    ----------
    network : bytes or Path
        An ONNX file's content, or a file that OpenVINO reads.
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
        model = core.read_model(network if isinstance(network, bytes) else str(network))
        model.reshape(list(tensor.shape))
        compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        results = compiled(tensor)
    except RuntimeError as error:
        raise ModelError(f"OpenVINO cannot run the network ({' '.join(str(error).split())[:300]})") from None
    return {name: np.array(results[output]) for output in compiled.outputs for name in output.get_names()}

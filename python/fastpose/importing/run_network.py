"""Runs a network under OpenVINO in float32, for references."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose.errors import ModelError

__all__ = ["Network", "run_network"]

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
    return Network(network).run(tensor)


class Network:
    """A network that runs on tensors of one shape or another, one after the other.

    Parameters
    ----------
    network : bytes, Path or openvino.Model
        See `run_network`.

    Raises
    ------
    ModelError
        OpenVINO cannot read it.
    """

    def __init__(self, network: Any) -> None:
        import openvino

        self._core = openvino.Core()
        try:
            self._model = _read(self._core, network)
        except RuntimeError as error:
            raise _cannot_run(error) from None
        self._compiled: dict[tuple[int, ...], Any] = {}

    def run(self, tensor: npt.NDArray[np.generic]) -> dict[str, Tensor]:
        """Outputs by name; raises ModelError where OpenVINO cannot run it."""
        try:
            compiled = self._compiled.get(tensor.shape) or self._compile(tensor.shape)
            results = compiled(tensor)
        except RuntimeError as error:
            raise _cannot_run(error) from None
        return {name: np.array(results[output]) for output in compiled.outputs for name in output.get_names()}

    def _compile(self, shape: tuple[int, ...]) -> Any:
        self._model.reshape(list(shape))
        compiled = self._core.compile_model(self._model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        self._compiled[shape] = compiled
        return compiled


def _cannot_run(error: RuntimeError) -> ModelError:
    return ModelError(f"OpenVINO cannot run the network ({' '.join(str(error).split())[:300]})")


def _read(core: Any, network: Any) -> Any:
    if isinstance(network, bytes):
        return core.read_model(network)
    return core.read_model(str(network)) if isinstance(network, Path) else network.clone()

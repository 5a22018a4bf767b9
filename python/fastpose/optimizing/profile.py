"""Where the time of a network goes, layer by layer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino

__all__ = ["LayerTime", "by_kind", "layer_times"]

_WARM_UP = 3


@dataclass(frozen=True)
class LayerTime:
    """Median time of one layer.

    Attributes
    ----------
    name : str
    kind : str
        Operation, and the kernel that runs it.
    ms : float
    """

    name: str
    kind: str
    ms: float


def layer_times(
    network: Path, shape: Sequence[int], *, precision: str = "fp32", threads: int = 0, runs: int = 15
) -> list[LayerTime]:
    """Median times of the layers that run, the longest first.

    Parameters
    ----------
    network : Path
        ONNX or OpenVINO IR, also with the engine's own operations.
    shape : sequence of int
        (N, C, H, W) of the input.
    precision : {"fp32", "bf16"}
        Of what is not int8.
    threads : int
        0: the runtime's choice.
    runs : int

    Notes
    -----
    Measuring costs time itself; the sum is more than an inference without it.
    """
    request = _compiled(network, shape, precision, threads).create_infer_request()
    _fill(request.get_input_tensor().data)
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    for run in range(_WARM_UP + runs):
        request.infer()
        if run < _WARM_UP:
            continue
        for layer in request.get_profiling_info():
            if layer.status.name == "EXECUTED":
                kind = f"{layer.node_type} ({layer.exec_type})"
                times[layer.node_name, kind].append(layer.real_time.total_seconds() * 1e3)
    layers = [LayerTime(name, kind, median(found)) for (name, kind), found in times.items()]
    return sorted(layers, key=lambda layer: -layer.ms)


def by_kind(layers: Sequence[LayerTime]) -> list[tuple[str, int, float]]:
    """Kind, number of layers and their time together in ms, the longest first."""
    groups: dict[str, list[float]] = defaultdict(list)
    for layer in layers:
        groups[layer.kind].append(layer.ms)
    return sorted(((kind, len(ms), sum(ms)) for kind, ms in groups.items()), key=lambda row: -row[2])


def _fill(tensor: npt.NDArray[Any]) -> None:
    random = np.random.default_rng(0)
    bytes_ = tensor.dtype == np.uint8
    tensor[:] = random.integers(0, 256, tensor.shape) if bytes_ else random.standard_normal(tensor.shape)


def _in_layout_of(model: Any, shape: Sequence[int]) -> list[int]:
    n, c, h, w = shape
    return [n, h, w, c] if str(model.get_parameters()[0].get_layout()) == "[N,H,W,C]" else [n, c, h, w]


def _compiled(network: Path, shape: Sequence[int], precision: str, threads: int) -> Any:
    from fastpose import _openvino

    core = openvino.Core()
    core.add_extension(_openvino.__file__)
    model = core.read_model(str(network))
    model.reshape(_in_layout_of(model, shape))
    settings: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        "PERF_COUNT": True,
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
    }
    if threads:
        settings["INFERENCE_NUM_THREADS"] = threads
    return core.compile_model(model, "CPU", settings)

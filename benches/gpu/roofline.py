"""What this GPU could do at best: its measured peaks, hence the least time for a network."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod
from pathlib import Path

__all__ = ["least_ms", "measured_peaks", "operations_of"]

SIDE, BYTES, TIMES = 8192, 1 << 30, 20


def measured_peaks(device: str) -> dict[str, float]:
    """Tera-operations a second of a matrix product (a multiply-add is two) by precision, GB/s of a copy."""
    import torch

    peaks = {}
    for name, dtype in (("fp16", torch.float16), ("fp32", torch.float32)):
        left = torch.randn(SIDE, SIDE, device=device, dtype=dtype)
        seconds = _seconds(partial(torch.matmul, left, left))
        peaks[f"{name}_tops"] = round(2 * SIDE**3 / seconds / 1e12, 1)
    source = torch.empty(BYTES, device=device, dtype=torch.uint8)
    target = torch.empty_like(source)
    peaks["copy_gb_s"] = round(2 * BYTES / _seconds(partial(target.copy_, source)) / 1e9, 1)
    return peaks


def _seconds(call: Callable[[], object]) -> float:
    """Shortest of some runs, by the GPU's own clock."""
    import torch

    found: list[float] = []
    for _ in range(TIMES):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        call()
        end.record()
        torch.cuda.synchronize()
        found.append(float(begin.elapsed_time(end)) / 1e3)
    return min(found)


def operations_of(file: Path, shape: tuple[int, ...]) -> dict[str, float]:
    """Operations of the convolutions of an ONNX file at an input shape, and bytes of its weights."""
    import onnx

    model = onnx.load(str(file))
    dims = model.graph.input[0].type.tensor_type.shape.dim
    for dim, size in zip(dims, shape, strict=True):
        dim.dim_value = size
    graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*graph.value_info, *graph.output, *graph.input)
    }
    weights = {weight.name: list(weight.dims) for weight in graph.initializer}
    operations = 0
    for node in graph.node:
        if node.op_type in ("Conv", "ConvTranspose") and node.input[1] in weights:
            kernel = weights[node.input[1]]
            cells = shapes[node.output[0] if node.op_type == "Conv" else node.input[0]]
            operations += 2 * prod(kernel) * prod(cells[2:]) * cells[0]
    return {"operations": float(operations), "weights": float(sum(map(prod, weights.values())))}


def least_ms(cost: dict[str, float], peaks: dict[str, float], precision: str) -> float:
    """The longer of: all operations at the measured peak, all weights read once."""
    size = 2 if precision == "fp16" else 4
    compute_s = cost["operations"] / (peaks[f"{precision}_tops"] * 1e12)
    memory_s = cost["weights"] * size / (peaks["copy_gb_s"] * 1e9)
    return round(1e3 * max(compute_s, memory_s), 4)

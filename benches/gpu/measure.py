"""What is measured: parity with the CPU, latency stage by stage, both tools in turns, batches."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from benches.gpu.networks import Case, frames_of, torch_network
from benches.gpu.plain_torch import PlainTorch

from fastpose import _core
from fastpose.cuda.onnx_torch import OnnxModule, read_network
from fastpose.input_sizes import tensor_sizes
from fastpose.model import Model, load_model
from fastpose.model_forms import Precision
from fastpose.model_package import ModelPackage

__all__ = ["batches", "cpu_poses", "in_turns", "latency", "parity", "percentiles"]

Poses = npt.NDArray[np.float32]
BATCH = 32


def percentiles(durations_s: Sequence[float]) -> dict[str, float]:
    """n and percentiles, ms."""
    values = 1e3 * np.asarray(durations_s)
    names = {"p50": 50, "p90": 90, "p99": 99, "p99.9": 99.9, "max": 100}
    found = {f"{name}_ms": round(float(np.percentile(values, q)), 4) for name, q in names.items()}
    return {"n": len(values)} | found


def cpu_poses(package: ModelPackage, case: Case, count: int) -> Poses:
    """The engine's own CPU stages around the network in torch on the CPU, fp32: (n, K, 3)."""
    import torch

    frames = frames_of(case)[:count]
    image, tensor = tensor_sizes(package, case.input_size, case.size)
    scale, offset = package.normalisation.factors
    preprocessor = _core.Preprocessor(
        case.pixel_format,
        case.size,
        tensor,
        image_size=image,
        colour=package.colour,
        scale=scale,
        offset=offset,
    )
    module = OnnxModule(read_network(package.network), package.outputs, torch.device("cpu"), torch.float32)
    found = []
    for frame in frames:
        with torch.no_grad():
            maps = [made.numpy() for made in module(torch.from_numpy(preprocessor.run(frame).copy()))]
        decode = _core.heatmap_decode_stage(
            bodyparts=len(package.bodyparts),
            map_size=(maps[0].shape[3], maps[0].shape[2]),
            stride=package.stride,
            locref_stdev=package.locref_stdev,
            activation=package.activation,
        )
        to_sensor = (case.size[0] / image[0], case.size[1] / image[1])
        affine = (*to_sensor, (to_sensor[0] - 1) / 2, (to_sensor[1] - 1) / 2)
        shape = (1, len(package.bodyparts))
        found.append(decode.run(maps, shape, tensor_to_sensor=affine)[0])
    return np.stack(found)


def parity(model: Model, reference: Poses, case: Case) -> dict[str, float]:
    """Distance of a model's poses from the reference, px."""
    frames = frames_of(case)[: len(reference)]
    poses = np.stack([model.estimate(frame, pixel_format=case.pixel_format).keypoints[0] for frame in frames])
    clear = reference[..., 2] > 0.1
    distance = np.linalg.norm(poses[..., :2] - reference[..., :2], axis=-1)[clear]
    return {
        "mean_px": round(float(distance.mean()), 5),
        "max_px": round(float(distance.max()), 5),
        "keypoints": int(distance.size),
    }


def latency(model: Model, case: Case, seconds: float) -> dict[str, Any]:
    """One frame after the other, host memory to keypoints on the host; the stages by the GPU's own stamps."""
    frames = frames_of(case)
    graph = graph_of(model, case)
    stages: dict[str, list[int]] = {}

    def one(index: int) -> None:
        graph.estimate([frames[index % len(frames)]])
        for name, value in graph.last_times.items():
            stages.setdefault(name, []).append(value)

    durations = _timed(one, seconds)
    medians = {f"{name}_us": round(float(np.median(values)) / 1e3, 1) for name, values in stages.items()}
    around = sum(value for name, value in medians.items() if name not in ("network_us", "wait_us"))
    return percentiles(durations) | {"stages": medians, "all_but_the_network_us": round(around, 1)}


def graph_of(model: Model, case: Case) -> Any:
    """The graph for one frame of a case."""
    return model.open_batch(case.size, case.pixel_format, 1).__self__  # type: ignore[attr-defined]


def _timed(call: Callable[[int], object], seconds: float) -> list[float]:
    for index in range(20):
        call(index)
    durations, end_s, index = [], time.perf_counter() + seconds, 0
    while time.perf_counter() < end_s:
        begin_s = time.perf_counter()
        call(index)
        durations.append(time.perf_counter() - begin_s)
        index += 1
    return durations


def in_turns(model: Model, case: Case, device: str, seconds: float) -> dict[str, Any]:
    """Ours and plain PyTorch on the same frames and weights, a second each in turns."""
    frames = frames_of(case)
    graph = graph_of(model, case)
    plain = {name: PlainTorch(torch_network(), device, name) for name in ("fp32", "fp16")}
    sides: dict[str, Callable[[int], object]] = {
        "ours": lambda index: graph.estimate([frames[index % len(frames)]]),
        "torch_fp32": lambda index: plain["fp32"].poses(frames[index % len(frames)][None]),
        "torch_fp16": lambda index: plain["fp16"].poses(frames[index % len(frames)][None]),
    }
    found: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(3):
        for name, call in sides.items():
            found[name] += _timed(call, seconds / 3)
    result: dict[str, Any] = {name: percentiles(values) for name, values in found.items()}
    for name in ("torch_fp32", "torch_fp16"):
        result[f"{name}_ratio"] = round(result[name]["p50_ms"] / result["ours"]["p50_ms"], 2)
    return result


def batches(model: Model, case: Case, device: str, seconds: float) -> dict[str, float]:
    """Frames a second in batches of `BATCH`, decoded already: ours, and eager PyTorch in fp32."""
    frames = list(frames_of(case, BATCH))
    estimate = model.open_batch(case.size, case.pixel_format, BATCH)
    plain, stacked = PlainTorch(torch_network(), device), frames_of(case, BATCH)
    ours = np.median(_timed(lambda _: estimate(frames), seconds))
    theirs = np.median(_timed(lambda _: plain.poses(stacked), seconds))
    return {
        "batch": BATCH,
        "ours_fps": round(BATCH / float(ours), 1),
        "torch_fp32_fps": round(BATCH / float(theirs), 1),
        "ratio": round(float(theirs / ours), 2),
    }


def opened(package: ModelPackage, case: Case, device: str, precision: str, runtime: str) -> Model:
    """The model of a case."""
    return load_model(
        package.folder,
        device=device,
        precision=cast(Precision, precision),
        input_size=case.input_size,
        runtime=runtime,
    )

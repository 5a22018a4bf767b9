"""Trajectories as a video whose first pixels are the numbers, and a network that reads them off.

So recorded poses go through the whole system, from the camera to events.csv, and come out as they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

import tiny_package as tiny

WIDTH, HEIGHT, RATE_HZ = 640, 480, 30
STEPS_PER_PX, STEPS = 64, 65535
Poses = npt.NDArray[np.float32]


def write_video(path: Path, poses: Poses) -> Path:
    """Write (n, individuals, bodyparts, 3) without loss; what is NaN gets likelihood 0."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=RATE_HZ)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "gray"
        for index, pose in enumerate(poses):
            picture = av.VideoFrame.from_ndarray(_frame(pose), format="gray")
            picture.pts = index
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def _frame(pose: Poses) -> npt.NDArray[np.uint8]:
    missing = np.isnan(pose).any(axis=-1, keepdims=True)
    numbers = np.where(missing, 0, pose) * [STEPS_PER_PX, STEPS_PER_PX, STEPS]
    codes = np.rint(np.clip(numbers, 0, STEPS)).astype(">u2").tobytes()
    frame = np.zeros((HEIGHT, WIDTH), np.uint8)
    frame.reshape(-1)[: len(codes)] = np.frombuffer(codes, np.uint8)
    return frame


def write_package(folder: Path, individuals: tuple[str, ...], bodyparts: tuple[str, ...]) -> Path:
    """A package of any animals and body parts."""
    shape = (len(individuals), len(bodyparts))
    return tiny.write_package(
        folder,
        {"model.onnx": lambda path: _save_network(path, shape)},
        name="poses",
        individuals=list(individuals),
        bodyparts=list(bodyparts),
        normalisation={"scale": [1.0], "offset": [0.0]},
        decoder="points",
        activation="none",
        locref_stdev=0.0,
        outputs=["points"],
    )


def _save_network(path: Path, shape: tuple[int, int]) -> None:
    from onnx import helper

    count = shape[0] * shape[1] * 3
    constants: dict[str, npt.NDArray[Any]] = {
        "flat": np.array([-1], np.int64),
        "first": np.arange(2 * count, dtype=np.int64),
        "pairs": np.array([count, 2], np.int64),
        "bytes": np.array([[256], [1]], np.float32),
        "shape": np.array([*shape, 3], np.int64),
        "unit": np.array([1 / STEPS_PER_PX, 1 / STEPS_PER_PX, 1 / STEPS], np.float32),
    }
    nodes = [
        helper.make_node("Reshape", ["input", "flat"], ["pixels"]),
        helper.make_node("Gather", ["pixels", "first"], ["codes"]),
        helper.make_node("Reshape", ["codes", "pairs"], ["both"]),
        helper.make_node("MatMul", ["both", "bytes"], ["steps"]),
        helper.make_node("Reshape", ["steps", "shape"], ["numbers"]),
        helper.make_node("Mul", ["numbers", "unit"], ["points"]),
    ]
    tiny.save(path, nodes, constants, 1, {"points": [*shape, 3]})

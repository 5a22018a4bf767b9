"""Small networks and the fixed frames of the oracle jobs, for the tests of the importers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tools.oracles.frames import oracle_frames

GOLDEN = Path(__file__).parent / "golden"
PARTS = ["snout", "ear_left", "ear_right", "tailbase"]


def save_frames(folder: Path, size: tuple[int, int], channels: int) -> Path:
    """Write the oracle's frames as images."""
    folder.mkdir()
    for index, frame in enumerate(oracle_frames(size, channels)):
        Image.fromarray(frame).save(folder / f"{index}.png")
    return folder


def conv_onnx(
    path: Path,
    channels: int = 3,
    parts: int = 4,
    stride: int = 4,
    *,
    shape: list[Any] | None = None,
    names: tuple[str, str] = ("images", "heatmaps"),
    half: bool = False,
) -> np.ndarray:
    """Write a network of one convolution with seeded weights; returns the weights (parts, channels, s, s)."""
    import onnx
    from onnx import TensorProto, helper

    kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    random = np.random.default_rng(1)
    weights = random.normal(0, 0.1, (parts, channels, stride, stride)).astype("f2" if half else "f4")
    node = helper.make_node("Conv", [names[0], "weights"], [names[1]], strides=[stride, stride])
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [node],
        "network",
        [value(names[0], kind, ["batch", channels, "height", "width"] if shape is None else shape)],
        [value(names[1], kind, ["batch", parts, "rows", "columns"])],
        [onnx.numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(path))
    return np.asarray(weights, np.float32)


def conv(tensor: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """What that network gives: maps (parts, h, w) of a tensor (C, H, W)."""
    stride = weights.shape[-1]
    rows, columns = (size // stride for size in tensor.shape[1:])
    cells = tensor[:, : rows * stride, : columns * stride].reshape(-1, rows, stride, columns, stride)
    return np.einsum("cricj,kcij->krc".replace("rc", "rn").replace("cricj", "crinj"), cells, weights)

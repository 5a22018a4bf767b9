"""Model packages with random networks of one layer: every decoder, with and without a detector."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

BODYPARTS = ("snout", "center", "tailbase")
STRIDE = 8
ONE = {"scale": [1 / 255], "offset": [0.0]}
THREE = {"scale": [0.0171, 0.0175, 0.0174], "offset": [-2.1, -2.0, -1.8]}
BOXES = np.array([[10, 12, 60, 50], [30, 40, 110, 95], [5, 60, 40, 110], [0, 0, 4, 4]], np.float32)

Array = npt.NDArray[np.float32]


def save(
    path: Path,
    nodes: list[Any],
    constants: dict[str, npt.NDArray[Any]],
    channels: int,
    outputs: dict[str, Any],
) -> None:
    from onnx import TensorProto, helper, numpy_helper, save

    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", channels, "h", "w"])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))


def _weights(channels: int, outputs: int, seed: int) -> Array:
    return np.random.default_rng(seed).normal(0, 0.2, (outputs, channels, STRIDE, STRIDE)).astype(np.float32)


def save_heatmap(path: Path, channels: int) -> None:
    """Heatmap and locref by one convolution each."""
    from onnx import helper

    parts, strides = len(BODYPARTS), [STRIDE, STRIDE]
    nodes = [
        helper.make_node("Conv", ["input", f"{name}_w"], [name], strides=strides)
        for name in ("heatmap", "locref")
    ]
    constants = {"heatmap_w": _weights(channels, parts, 1), "locref_w": _weights(channels, 2 * parts, 2) / 50}
    shapes = {"heatmap": ["n", parts, "a", "b"], "locref": ["n", 2 * parts, "a", "b"]}
    save(path, nodes, constants, channels, shapes)


def take_bytes(path: Path, layout: str, normalisation: dict[str, list[float]]) -> None:
    """Give a saved network an input of bytes, in grey levels, that it normalises itself."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(str(path))
    graph, channels = model.graph, len(normalisation["scale"])
    axes = [0, 3, 1, 2] if layout == "nhwc" else [0, 1, 2, 3]
    shape = ["n", "h", "w", channels] if layout == "nhwc" else ["n", channels, "h", "w"]
    nodes = [
        helper.make_node("Cast", ["bytes"], ["levels"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["levels"], ["planes"], perm=axes),
        helper.make_node("Mul", ["planes", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "offset"], ["input"]),
        *graph.node,
    ]
    del graph.node[:], graph.input[:]
    graph.node.extend(nodes)
    graph.input.append(helper.make_tensor_value_info("bytes", TensorProto.UINT8, shape))
    for name in ("scale", "offset"):
        value = np.array(normalisation[name], np.float32).reshape(1, channels, 1, 1)
        graph.initializer.append(numpy_helper.from_array(value, name))
    onnx.save(model, str(path))


def save_simcc(path: Path, channels: int, size: tuple[int, int]) -> None:
    """The mean of a convolution over one axis, spread to two bins a pixel; for one input size."""
    from onnx import helper

    parts, (width, height) = len(BODYPARTS), size
    rng = np.random.default_rng(3)
    constants: dict[str, npt.NDArray[Any]] = {
        "w": _weights(channels, parts, 1),
        "to_x": rng.normal(0, 1, (width // STRIDE, 2 * width)).astype(np.float32),
        "to_y": rng.normal(0, 1, (height // STRIDE, 2 * height)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["input", "w"], ["maps"], strides=[STRIDE, STRIDE]),
        helper.make_node("ReduceMean", ["maps"], ["columns"], axes=[2], keepdims=0),
        helper.make_node("ReduceMean", ["maps"], ["rows"], axes=[3], keepdims=0),
        helper.make_node("MatMul", ["columns", "to_x"], ["x"]),
        helper.make_node("MatMul", ["rows", "to_y"], ["y"]),
    ]
    save(path, nodes, constants, channels, {"x": ["n", parts, 2 * width], "y": ["n", parts, 2 * height]})


def save_points(path: Path, channels: int, individuals: int) -> None:
    """Points that depend on the frame's mean."""
    from onnx import helper

    parts = len(BODYPARTS)
    points = np.random.default_rng(4).uniform(0, 60, (1, individuals * parts, 3)).astype(np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["input"], ["mean"], axes=[0, 1, 2, 3], keepdims=0),
        helper.make_node("Mul", ["mean", "base"], ["all"]),
        helper.make_node("Reshape", ["all", "shape"], ["points"]),
    ]
    constants: dict[str, npt.NDArray[Any]] = {
        "base": points,
        "shape": np.array([individuals, parts, 3], np.int64),
    }
    save(path, nodes, constants, channels, {"points": [individuals, parts, 3]})


def save_detector(path: Path) -> None:
    """Finds box i of BOXES where pixel (i, 0) of the tensor is above 0.1; that pixel is its score."""
    from onnx import helper

    constants: dict[str, npt.NDArray[Any]] = {
        "all": BOXES,
        "begin": np.array([0, 0, 0, 0], np.int64),
        "end": np.array([1, 1, 1, len(BOXES)], np.int64),
        "flat": np.array([-1], np.int64),
        "low": np.array(0.1, np.float32),
    }
    nodes = [
        helper.make_node("Slice", ["input", "begin", "end"], ["corner"]),
        helper.make_node("Reshape", ["corner", "flat"], ["pixels"]),
        helper.make_node("Greater", ["pixels", "low"], ["seen"]),
        helper.make_node("NonZero", ["seen"], ["indices2"]),
        helper.make_node("Reshape", ["indices2", "flat"], ["indices"]),
        helper.make_node("Gather", ["all", "indices"], ["boxes"], axis=0),
        helper.make_node("Gather", ["pixels", "indices"], ["scores"], axis=0),
    ]
    save(path, nodes, constants, 1, {"boxes": ["m", 4], "scores": ["m"]})


def write_package(folder: Path, files: dict[str, Any], **fields: Any) -> Path:
    """Write model.yaml over the network files that `files` (name: function of the path) makes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, save in files.items():
        save(folder / name)
    description = {
        "name": "tiny",
        "bodyparts": list(BODYPARTS),
        "colour": "grey",
        "normalisation": ONE,
        "padding": {"multiple": STRIDE},
        "stride": float(STRIDE),
        "locref_stdev": 7.2801,
        "decoder": "heatmap",
        "activation": "sigmoid",
        "outputs": ["heatmap", "locref"],
        "sha256": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files},
        **fields,
    }
    (folder / "model.yaml").write_text(yaml.safe_dump(description))
    return folder


def run_onnx(file: Path, tensor: npt.NDArray[Any], names: tuple[str, ...]) -> list[Array]:
    """The network's outputs by OpenVINO's own Python API."""
    import openvino

    core = openvino.Core()
    network = core.read_model(str(file))
    network.reshape(tensor.shape)
    compiled = core.compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    result = compiled(tensor.astype(np.float32))
    return [result[name] for name in names]

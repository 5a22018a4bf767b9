"""The simulated mouse's package with an int8 form, as ``fastpose optimize`` would leave it."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from fastpose.config.model import package_folder
from fastpose.model_package import read_model_package

SOURCE = "builtin:simulated_mouse"


def copy_of_mouse(folder: Path) -> Path:
    """Its package, writable."""
    shutil.copytree(package_folder(SOURCE), folder)
    return folder


def quantise(source: Path, target: Path, frames: np.ndarray) -> None:
    """Write an IR whose convolutions are in int8: ranges of the activations from (n, C, H, W) frames."""
    import openvino as ov
    from openvino import opset13 as ops

    model = ov.Core().read_model(str(source))
    convolutions = [node for node in model.get_ordered_ops() if node.get_type_name() == "Convolution"]
    ranges = _ranges(source, frames)
    for node in convolutions:
        low, high = ranges[node.get_friendly_name()]
        seen = _fake_quantise(ops, node.input_value(0), low, high, 256)
        weights = node.input_value(1)
        most = float(np.abs(weights.get_node().get_data()).max())
        node.input(0).replace_source_output(seen)
        node.input(1).replace_source_output(_fake_quantise(ops, weights, -most, most, 255))
    ov.save_model(model, str(target), compress_to_fp16=False)


def _fake_quantise(ops: Any, value: Any, low: float, high: float, levels: int) -> Any:
    bounds = [ops.constant(np.array(bound, np.float32)) for bound in (low, high, low, high)]
    return ops.fake_quantize(value, *bounds, levels).output(0)


def _ranges(source: Path, frames: np.ndarray) -> dict[str, tuple[float, float]]:
    """Least and greatest value in front of each convolution; 0 lies within."""
    import openvino as ov

    model = ov.Core().read_model(str(source))
    convolutions = [node for node in model.get_ordered_ops() if node.get_type_name() == "Convolution"]
    before = {node.get_friendly_name(): node.input_value(0).get_any_name() for node in convolutions}
    inputs = {name.get_any_name() for name in model.inputs}
    model.add_outputs(sorted(set(before.values()) - inputs))
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = {name: (0.0, 0.0) for name in before}
    for frame in frames:
        result = compiled(frame[None])
        for name, tensor in before.items():
            value = frame if tensor in inputs else result[tensor]
            low, high = found[name]
            found[name] = (min(low, float(value.min())), max(high, float(value.max())))
    return found


def frames_of(package: Path, count: int = 2) -> np.ndarray:
    """(n, C, H, W) float32 of its reference, normalised."""
    read = read_model_package(package)
    with np.load(package / "reference.npz") as arrays:
        frames = arrays["frames"][:count]
    scale, offset = (np.array(values, np.float32) for values in vars(read.normalisation).values())
    pixels = (frames if frames.ndim == 4 else frames[..., None]) * scale + offset
    return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2), np.float32)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def add_int8(package: Path, **changes: Any) -> Path:
    """Quantise its network and write optimized.json; `changes` replace keys of the form."""
    if not (package / "model_int8.xml").exists():
        quantise(package / "model.onnx", package / "model_int8.xml", frames_of(package))
    describe(package, "int8", "model_int8", **changes)
    return package


def describe(package: Path, name: str, stem: str, **changes: Any) -> None:
    """Add a form to optimized.json."""
    path = package / "optimized.json"
    content = json.loads(path.read_text()) if path.exists() else {"schema": 1, "forms": {}}
    files = [f"{stem}.xml", f"{stem}.bin"]
    content["forms"][name] = {
        "file": files[0],
        "weights": files[1],
        "source_sha256": digest(package / "model.onnx"),
        "sha256": {file: digest(package / file) for file in files},
        "budget_px": 0.5,
        "mean_px": 0.21,
        "p95_px": 0.5,
        "max_px": 1.5,
        "keypoints": 100,
        **changes,
    }
    path.write_text(json.dumps(content))

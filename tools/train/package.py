"""Writes a model package (ONNX, YAML with hashes, reference frames, parity) from a trained network."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import torch
import yaml
from numpy.typing import NDArray

from .augment import Frame, Points
from .fit import predict
from .network import LOCREF_STDEV, OFFSET, SCALE, STRIDE, PoseNet, export_onnx, folded
from .targets import decode


@dataclasses.dataclass(frozen=True)
class Description:
    """What model.yaml says beyond the conventions that all networks of this tool share."""

    name: str
    bodyparts: tuple[str, ...]
    skeleton: tuple[tuple[str, str], ...]
    training_size: tuple[int, int]  # width, height of the frames trained on, px
    source: dict[str, Any]


class OnnxPose:
    """A package's ONNX under OpenVINO on the CPU, for whole grey frames of one size."""

    def __init__(
        self, path: Path, height: int, width: int, *, precision: str = "f32", threads: int = 1
    ) -> None:
        core = openvino.Core()
        model = core.read_model(str(path))
        model.reshape([1, 1, height, width])
        settings = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads}
        self.compiled = core.compile_model(model, "CPU", settings)

    @property
    def precision(self) -> str:
        """The precision that OpenVINO says it runs in."""
        return str(self.compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name())

    def estimate(self, frame: Frame) -> Points:
        """Keypoints (K, 3) x, y, likelihood of a frame (H, W) uint8."""
        tensor = frame.astype(np.float32)[None, None] * np.float32(SCALE) + np.float32(OFFSET)
        maps = self.compiled(tensor)
        return decode(maps["heatmap"][0], maps["locref"][0])


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def model_yaml(description: Description, onnx: Path) -> dict[str, Any]:
    """The content of model.yaml for an ONNX file of this tool."""
    return {
        "name": description.name,
        "bodyparts": list(description.bodyparts),
        "skeleton": [list(edge) for edge in description.skeleton],
        "individuals": [],
        "colour": "grey",
        "normalisation": {"scale": [SCALE], "offset": [OFFSET]},
        "padding": {"multiple": STRIDE},
        "stride": STRIDE,
        "locref_stdev": LOCREF_STDEV,
        "decoder": "heatmap",
        "activation": "sigmoid",
        "outputs": ["heatmap", "locref"],
        "training_size": list(description.training_size),
        "source": description.source,
        "sha256": {onnx.name: sha256(onnx)},
    }


def parity(onnx: Path, frames: NDArray[np.uint8], keypoints: Points) -> dict[str, Any]:
    """Largest and mean distance in px between OpenVINO and torch, for each precision of the CPU."""
    result: dict[str, Any] = {}
    for name, hint in (("fp32", "f32"), ("bf16", "bf16")):
        model = OnnxPose(onnx, *frames.shape[1:], precision=hint)
        found = np.stack([model.estimate(frame) for frame in frames])
        distance = np.linalg.norm(found[..., :2] - keypoints[..., :2], axis=-1)
        result[name] = {
            "max_px": round(float(distance.max()), 5),
            "mean_px": round(float(distance.mean()), 5),
            "frames": len(frames),
            "executed_as": model.precision,
        }
    return {"reference": f"torch {torch.__version__.partition('+')[0]}, fp32", "cpu": result}


def write_package(
    folder: Path, network: PoseNet, description: Description, frames: NDArray[np.uint8]
) -> None:
    """Write a package but for its note; `frames` (N, H, W) become the reference frames."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx = folder / "model.onnx"
    export_onnx(network, onnx)
    rewrite_yaml(folder, description)
    ready = folded(network)
    keypoints = np.stack([predict(ready, frame) for frame in frames])
    np.savez_compressed(folder / "reference.npz", frames=frames, keypoints=keypoints)
    (folder / "parity.json").write_text(json.dumps(parity(onnx, frames, keypoints), indent=1) + "\n")


def rewrite_yaml(folder: Path, description: Description) -> None:
    """Write model.yaml with the hash of the ONNX file that lies beside it."""
    content = model_yaml(description, folder / "model.onnx")
    (folder / "model.yaml").write_text(
        yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)
    )

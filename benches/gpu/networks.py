"""The networks of the bench: DeepLabCut's ResNet-50 with weights from a seed, and the shipped small one."""

from __future__ import annotations

import hashlib
import json
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from fastpose.config import PixelFormat
from fastpose.cuda.onnx_types import with_half_types
from fastpose.importing.seeded import seed_pose_model, seeded_frames
from fastpose.model_package import ModelPackage, read_model_package

__all__ = ["CASES", "Case", "frames_of", "prepared", "torch_network"]

SEED = 7
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
PARTS = tuple(f"part{index}" for index in range(20))


@dataclass(frozen=True)
class Case:
    """A network on frames of one size.

    Attributes
    ----------
    name : str
    network : {"resnet_50", "small"}
    size : tuple of int
        Width and height of the frame, px.
    input_size : tuple of int or None
        Of the network's input; None: that of the frame.
    pixel_format : str
    goal_p50_ms : float or None
        What is to be reached on an H200 at fp16.
    """

    name: str
    network: str
    size: tuple[int, int]
    input_size: tuple[int, int] | None = None
    pixel_format: PixelFormat = "rgb8"
    goal_p50_ms: float | None = None


CASES = (
    Case("resnet50_658x302", "resnet_50", (658, 302), goal_p50_ms=1.0),
    Case("small_256x256", "small", (256, 256), pixel_format="mono8", goal_p50_ms=0.15),
    Case("small_of_1280x1024", "small", (1280, 1024), (256, 256), "mono8"),
)


def torch_network() -> Any:
    """ResNet-50 with heatmap and locref of 20 body parts as a torch module, with the weights of the seed."""
    import torch

    from fastpose.importing.networks.heatmap_head import build_heatmap_head
    from fastpose.importing.networks.resnet import build_resnet

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = build_resnet({"model_name": "resnet50_gn", "output_stride": 16})
            self.heads = torch.nn.ModuleDict({"bodypart": build_heatmap_head(_head(len(PARTS)))})

        def forward(self, frames: Any) -> Any:
            return self.heads["bodypart"](self.backbone(frames))

    network = Network().eval()
    seed_pose_model(network, seeded_frames(2, 160, 192, SEED), SEED)
    return network


def _head(parts: int) -> dict[str, Any]:
    """DeepLabCut's own head of a ResNet: one deconvolution for each kind of map."""
    maps = {"kernel_size": [3], "strides": [2]}
    return {
        "type": "HeatmapHead",
        "predictor": {
            "type": "HeatmapPredictor",
            "apply_sigmoid": False,
            "clip_scores": True,
            "location_refinement": True,
            "locref_std": 7.2801,
        },
        "heatmap_config": {"channels": [2048, parts], **maps},
        "locref_config": {"channels": [2048, 2 * parts], **maps},
    }


def prepared(case: Case, folder: Path) -> ModelPackage:
    """A package with fp32 and fp16, written into a folder."""
    target = folder / case.network
    if not target.exists():
        (_resnet if case.network == "resnet_50" else _small)(target)
        _add_half(target)
    return read_model_package(target)


def frames_of(case: Case, count: int = 16) -> npt.NDArray[np.uint8]:
    """Seeded frames in the case's pixel format: (count, H, W[, 3]); another count gives other frames."""
    colour = seeded_frames(count, case.size[1], case.size[0], SEED)
    return np.ascontiguousarray(colour[..., 1] if case.pixel_format == "mono8" else colour)


def _small(target: Path) -> None:
    shutil.copytree(Path(__file__).parents[2] / "python/fastpose/models/simulated_mouse", target)
    (target / "optimized.json").unlink(missing_ok=True)


def _resnet(target: Path) -> None:
    import torch

    target.mkdir(parents=True)
    free = {name: {0: f"{name}_n", 2: f"{name}_h", 3: f"{name}_w"} for name in ("frame", "heatmap", "locref")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            torch_network(),
            (torch.zeros(1, 3, 64, 96),),
            str(target / "model.onnx"),
            dynamo=False,
            opset_version=17,
            input_names=["frame"],
            output_names=["heatmap", "locref"],
            dynamic_axes=free,
        )
    scale = [1 / (255 * deviation) for deviation in DEVIATION]
    offset = [-mean / deviation for mean, deviation in zip(MEAN, DEVIATION, strict=True)]
    description = {
        "name": "resnet_50",
        "bodyparts": list(PARTS),
        "colour": "rgb",
        "normalisation": {"scale": scale, "offset": offset},
        "padding": {"multiple": 1},
        "stride": 8.0,
        "locref_stdev": 7.2801,
        "decoder": "heatmap",
        "activation": "clip",
        "outputs": ["heatmap", "locref"],
        "sha256": {"model.onnx": _digest(target / "model.onnx")},
    }
    (target / "model.yaml").write_text(yaml.safe_dump(description), encoding="utf-8")


def _add_half(target: Path) -> None:
    import onnx

    half = with_half_types(onnx.load(str(target / "model.onnx")), "fp16")
    (target / "model_fp16.onnx").write_bytes(half.SerializeToString())
    form = {
        "file": "model_fp16.onnx",
        "source_sha256": _digest(target / "model.onnx"),
        "sha256": {"model_fp16.onnx": _digest(target / "model_fp16.onnx")},
        "budget_px": 0.5,
    }
    content = {"schema": 1, "forms": {"gpu_fp16": form}}
    (target / "optimized.json").write_text(json.dumps(content), encoding="utf-8")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

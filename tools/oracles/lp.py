"""Builds a Lightning Pose model from a seed, exports it with its own exporter and runs its own inference.

Runs in an environment of its own (`nox -s oracle_lp` makes one): ``python tools/oracles/lp.py FOLDER``.
FOLDER/<kind>/model is what `fastpose import` reads (config.yaml, exports_onnx), FOLDER/<kind>/tool.npz what
Lightning Pose says on the frames: ``keypoints`` (n, K, 3) x, y, confidence by its PyTorch model, and the
``heatmaps`` that they were decoded from.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from frames import oracle_frames
from lightning_pose.api import Model
from lightning_pose.models import get_model_class
from omegaconf import OmegaConf

PARTS = ("snout", "ear_left", "ear_right", "tailbase")
SIZE = (128, 128)  # width, height of the network's input, px


def config(kind: str, downsample: int) -> Any:
    """What config.yaml of a trained model says, as far as inference reads it."""
    return OmegaConf.create(
        {
            "data": {
                "image_resize_dims": {"width": SIZE[0], "height": SIZE[1]},
                "num_keypoints": len(PARTS),
                "keypoint_names": list(PARTS),
                "downsample_factor": downsample,
                "data_dir": ".",
                "video_dir": ".",
            },
            "model": {
                "model_type": kind,
                "backbone": "resnet18",
                "losses_to_use": [],
                "model_name": "seeded",
                "backbone_pretrained": False,
            },
            "training": {"rng_seed_model_pt": 0},
        }
    )


def settle(module: torch.nn.Module) -> None:
    """Batch-norm statistics from one pass over the frames; then a head whose maps have clear peaks."""
    tensors = torch.tensor(oracle_frames(SIZE, 3)).float().permute(0, 3, 1, 2) / 255
    norms = [layer for layer in module.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
    module.train()
    with torch.no_grad():
        features = module.backbone(tensors)
        module.eval()
        features = module.backbone(tensors)
    for head in (layer for layer in module.modules() if hasattr(layer, "upsampling_layers")):
        sharpen(head.upsampling_layers, features)


def sharpen(layers: torch.nn.Sequential, features: torch.Tensor) -> None:
    """Scale the last layer so that each map's highest cell is 5 above the mean, before the softmax."""
    for layer in layers:
        if isinstance(layer, torch.nn.ConvTranspose2d):
            torch.nn.init.normal_(layer.weight, std=0.1)
    with torch.no_grad():
        maps = layers(features)
        top = maps.amax(dim=(0, 2, 3)) - maps.mean(dim=(0, 2, 3))
        layers[-1].weight.mul_((5 / top)[None, :, None, None])


def trained(folder: Path, kind: str, downsample: int) -> Path:
    """Write what a training leaves: config.yaml and a checkpoint, with weights from a seed."""
    made = config(kind, downsample)
    checkpoints = folder / "tb_logs" / "seeded" / "version_0" / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    OmegaConf.save(made, folder / "config.yaml")
    module = get_model_class(kind, False)(
        num_keypoints=len(PARTS),
        backbone="resnet18",
        pretrained=False,
        downsample_factor=downsample,
        torch_seed=0,
    )
    settle(module)
    torch.save(
        {
            "state_dict": module.state_dict(),
            "pytorch-lightning_version": "2.5.0",
            "hyper_parameters": dict(module.hparams),
        },
        checkpoints / "epoch=1-step=1-best.ckpt",
    )
    return folder


def answers(model: Any, frames: np.ndarray) -> np.ndarray:
    """Keypoints (n, K, 3) of frames (n, H, W, 3)."""
    found = [model.predict_frame(frame) for frame in frames]
    return np.stack([np.column_stack([each["keypoints"], each["confidence"]]) for each in found])


def make(folder: Path, kind: str, downsample: int = 2) -> None:
    """Model folder, export and answers of one kind."""
    model = Model.from_dir(trained(folder / "model", kind, downsample))
    model.export("onnx", onnx_precision="fp32")
    frames = oracle_frames(SIZE, 3)
    if kind == "heatmap":
        arrays = {"keypoints": answers(model, frames), "heatmaps": heatmaps(model, frames)}
    else:
        arrays = context_answers(model, frames)
    np.savez_compressed(folder / "tool.npz", **arrays)


def context_answers(model: Any, frames: np.ndarray) -> dict[str, np.ndarray]:
    """Of each frame amid its neighbours: poses and maps of the head that sees it alone.

    By the network itself: 2.4.3's predict_frame writes into an inference tensor and fails for context models.
    """
    model._load()
    clips = torch.tensor(np.stack([normalised(clip) for clip in neighbours(frames)]))
    with torch.inference_mode():
        maps = torch.cat([model.model(clip[None])[0] for clip in clips])
        keypoints, confidences = model.model.head.run_subpixelmaxima(maps)
    points = torch.cat([keypoints.reshape(*confidences.shape, 2), confidences[..., None]], dim=-1)
    return {"keypoints": points.numpy(), "heatmaps": maps.numpy()}


def neighbours(frames: np.ndarray) -> np.ndarray:
    """Clips (n, 5, H, W, 3) with each frame in the middle; the last frame stands before the first."""
    around = np.arange(-2, 3)
    return np.stack([frames[(index + around) % len(frames)] for index in range(len(frames))])


def normalised(frames: np.ndarray) -> np.ndarray:
    """(n, H, W, 3) uint8 to (n, 3, H, W) float32, as Lightning Pose does."""
    mean, deviation = np.float32((0.485, 0.456, 0.406)), np.float32((0.229, 0.224, 0.225))
    return ((frames.astype(np.float32) / 255 - mean) / deviation).transpose(0, 3, 1, 2)


def heatmaps(model: Any, frames: np.ndarray) -> np.ndarray:
    """Maps (n, K, h, w) of frames (n, H, W, 3)."""
    with torch.inference_mode():
        return np.concatenate([model.model(torch.tensor(each[None])).numpy() for each in normalised(frames)])


def main() -> None:
    """Make every kind in the folder that the command line names."""
    folder = Path(sys.argv[1])
    make(folder / "heatmap", "heatmap")
    make(folder / "heatmap_3", "heatmap", downsample=3)
    make(folder / "context", "heatmap_mhcrnn")


if __name__ == "__main__":
    main()

"""Lightning Pose: makes a ResNet-50 from a seed, exports it, and runs its own inference."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools" / "oracles"))
import lp as oracle  # type: ignore[import-not-found]  # tools/oracles/lp.py
from lightning_pose.api import Model
from lightning_pose.models import get_model_class
from omegaconf import OmegaConf

BACKBONE, DOWNSAMPLE = "resnet50", 2


def make(folder: str, frames: str) -> dict[str, Any]:
    """Write FOLDER/model, a training with its export, for frames (n, H, W, 3) of a file."""
    height, width = np.load(frames).shape[1:3]
    oracle.SIZE = (width, height)
    model = Path(folder) / "model"
    checkpoints = model / "tb_logs" / "seeded" / "version_0" / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    config = oracle.config("heatmap", DOWNSAMPLE)
    config.model.backbone = BACKBONE
    OmegaConf.save(config, model / "config.yaml")
    torch.save(_checkpoint(), checkpoints / "epoch=1-step=1-best.ckpt")
    Model.from_dir(model).export("onnx", onnx_precision="fp32")
    return {"source": str(model)}


def _checkpoint() -> dict[str, Any]:
    module = get_model_class("heatmap", False)(
        num_keypoints=len(oracle.PARTS),
        backbone=BACKBONE,
        pretrained=False,
        downsample_factor=DOWNSAMPLE,
        torch_seed=0,
    )
    oracle.settle(module)
    return {
        "state_dict": module.state_dict(),
        "pytorch-lightning_version": "2.5.0",
        "hyper_parameters": dict(module.hparams),
    }


class Tool:
    """Its model on single frames; see `sleap.Tool`."""

    def __init__(self, frame: Any, made: str, threads: int, **_: Any) -> None:
        torch.set_num_threads(threads)
        self._model, self._threads = Model.from_dir(Path(made) / "model"), threads
        self.pose(frame)
        height, width = frame.shape[:2]
        self._tensor = torch.zeros(1, 3, height, width)

    def about(self) -> dict[str, Any]:
        """Threads."""
        return {"threads": self._threads, "precision": "fp32"}

    def pose(self, frame: Any) -> Any:
        """(K, 3); it takes rgb."""
        found = self._model.predict_frame(np.ascontiguousarray(frame[..., ::-1]))
        return np.column_stack([found["keypoints"], found["confidence"]])

    def network(self) -> Any:
        """Maps of an empty frame."""
        with torch.inference_mode():
            return self._model.model(self._tensor)

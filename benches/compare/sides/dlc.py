"""DeepLabCut 3's own inference runner, one frame a call."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from deeplabcut.pose_estimation_pytorch.apis.utils import get_inference_runners
from deeplabcut.pose_estimation_pytorch.config import PoseConfig
from deeplabcut.pose_estimation_pytorch.models.backbones import BACKBONES

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from networks import BACKBONES as EXTRA  # type: ignore[import-not-found]  # in this folder's parent

for extra in EXTRA.values():
    BACKBONES.register_module(module=extra)
PROJECT = {
    **{"Task": "compare", "scorer": "seed", "date": "Nov21", "skeleton": [], "project_path": "/project"},
    "multianimalproject": False,
}


class Tool:
    """A runner with the weights of an export; see `dlc_live.Tool`."""

    def __init__(self, frame: Any, export: str, threads: int, **_: Any) -> None:
        torch.set_num_threads(threads)
        content = torch.load(export, map_location="cpu", weights_only=True)
        with tempfile.TemporaryDirectory() as folder:
            snapshot = Path(folder) / "snapshot-200.pt"
            torch.save({"metadata": {"epoch": 200}, "model": content["pose"]}, snapshot)
            config = _config(content["config"])
            self._runner, _ = get_inference_runners(config, str(snapshot), device="cpu", max_individuals=1)
        self._runner.inference_cfg.multithreading.enabled = False
        self.pose(frame)

    def about(self) -> dict[str, Any]:
        """Threads."""
        return {"threads": torch.get_num_threads(), "precision": "fp32"}

    def pose(self, frame: Any) -> Any:
        """(K, 3); it takes rgb."""
        rgb = np.repeat(frame[..., None], 3, 2) if frame.ndim == 2 else np.ascontiguousarray(frame[..., ::-1])
        answer = self._runner.inference([rgb])
        return answer[0]["bodyparts"][0, :, :3]


def _config(export: dict[str, Any]) -> Any:
    """DeepLabCut's config of a ResNet, with the network and the padding of the export."""
    project = PROJECT | {"bodyparts": export["metadata"]["bodyparts"]}
    config = PoseConfig.build(project, "/project/pytorch_config.yaml", net_type="resnet_50", top_down=False)
    config["model"]["backbone"] = export["model"]["backbone"] | {"pretrained": False}
    head = config["model"]["heads"]["bodypart"]
    for key in ("predictor", "heatmap_config", "locref_config"):
        head[key] = export["model"]["heads"]["bodypart"][key]
    inference = export["data"]["inference"]
    for key in ("normalize_images", "scale_to_unit_range", "auto_padding"):
        if key in inference:
            config["data"]["inference"][key] = inference[key]
    return config

"""sleap-nn: makes a U-Net from a seed, exports it with its own exporter, and runs its own inference."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools" / "oracles"))
import sleap as oracle  # type: ignore[import-not-found]  # tools/oracles/sleap.py
from sleap_nn.config.model_config import UNetConfig
from sleap_nn.export.cli import export
from sleap_nn.inference.predictor import Predictor

KIND = "single_instance"


def make(folder: str, frames: str) -> dict[str, Any]:
    """Write FOLDER/single_instance (a training) and FOLDER/export for frames (n, H, W) of a file."""
    height, width = np.load(frames).shape[1:3]
    oracle.UNetConfig = _wider
    trained = oracle.train_folder(Path(folder) / KIND, KIND)
    arguments = [str(trained), "-o", str(Path(folder) / "export")]
    export.main(
        args=[*arguments, "--input-width", str(width), "--input-height", str(height)], standalone_mode=False
    )
    return {"source": str(Path(folder) / "export")}


def _wider(**options: Any) -> Any:
    """SLEAP's default width and depth in place of the oracle's small ones."""
    return UNetConfig(
        **(options | {"filters": 16, "filters_rate": 1.5, "max_stride": 16, "output_stride": 2})
    )


class Tool:
    """Its predictor.

    Parameters
    ----------
    made : str
        What `make` filled.
    runtime : str
        "torch" on the checkpoint, "onnx" on its export.
    """

    def __init__(self, frame: Any, made: str, runtime: str, threads: int, **_: Any) -> None:
        torch.set_num_threads(threads)
        self._about = {"threads": threads, "precision": "fp32"}
        if runtime == "torch":
            predictor = Predictor.from_model_paths([str(Path(made) / KIND)], device="cpu", max_instances=1)
        else:
            predictor = Predictor.from_export_dir(Path(made) / "export", runtime="onnx", device="cpu")
        self._layer, self._tensor = predictor.layer, None
        if runtime == "torch":
            self._tensor, _ = self._layer.preprocess(frame[None, ..., None])
        self.pose(frame)

    def about(self) -> dict[str, Any]:
        """Threads."""
        return self._about

    def pose(self, frame: Any) -> Any:
        """(K, 3)."""
        found = self._layer.predict(frame[None, ..., None])
        points = found.pred_keypoints.cpu().numpy().reshape(-1, 2)
        return np.column_stack([points, found.pred_peak_values.cpu().numpy().reshape(-1)])

    def network(self) -> Any:
        """Maps of the first frame; the export decodes inside its graph and has none."""
        if self._tensor is None:
            raise NotImplementedError("the export gives keypoints, not maps")
        with torch.inference_mode():
            return self._layer.backend(self._tensor)

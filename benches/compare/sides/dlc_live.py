"""DeepLabCut-live's PyTorch path: `DLCLive.get_pose`, and its network alone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from dlclive import DLCLive
from dlclive.pose_estimation_pytorch.models.backbones import BACKBONES

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from networks import BACKBONES as EXTRA  # type: ignore[import-not-found]  # in this folder's parent

for extra in EXTRA.values():
    BACKBONES.register_module(module=extra)


class Tool:
    """One DLCLive on an export.

    Parameters
    ----------
    frame : ndarray
        (H, W) or (H, W, 3) bgr.
    export : str
        The ``.pt``.
    threads : int
    dynamic : list, optional
        Argument of DLCLive.
    """

    def __init__(
        self, frame: Any, export: str, threads: int, dynamic: list[Any] | None = None, **_: Any
    ) -> None:
        torch.set_num_threads(threads)
        options = {} if dynamic is None else {"dynamic": tuple(dynamic)}
        self._live = DLCLive(export, model_type="pytorch", device="cpu", **options)
        self._live.init_inference(frame)
        self._follows, self._areas, self._area = dynamic is not None, [0], frame.shape[0] * frame.shape[1]
        rgb = np.repeat(frame[..., None], 3, 2) if frame.ndim == 2 else frame[..., ::-1]
        chw = torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)
        self._tensor = self._live.runner.pose_transform(chw)
        if self._tensor.ndim == 3:  # four where it pads
            self._tensor = self._tensor.unsqueeze(0)
        self._areas.clear()

    def about(self) -> dict[str, Any]:
        """Threads, and how large the windows were."""
        found: dict[str, Any] = {"threads": torch.get_num_threads(), "precision": "fp32"}
        if self._follows and self._areas:
            whole = sum(area == self._area for area in self._areas)
            found |= {"window_px": round(sum(self._areas) / len(self._areas)), "whole_frames": whole}
        return found

    def pose(self, frame: Any) -> Any:
        """(K, 3)."""
        pose = self._live.get_pose(frame)
        if self._follows:
            window = self._live.dynamic_cropping
            area = self._area if window is None else (window[1] - window[0]) * (window[3] - window[2])
            self._areas.append(area)
        return pose

    def network(self) -> Any:
        """Maps of the first frame, whole."""
        if self._follows:
            raise NotImplementedError("its windows change their size; whole frames: DeepLabCut-live")
        with torch.inference_mode():
            return self._live.runner.model(self._tensor)

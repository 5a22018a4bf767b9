"""PyTorch as DeepLabCut-live runs it: eager, fp32, one frame at a time; written from its described behaviour.

NumPy frame -> tensor -> GPU -> scaled and normalised -> network -> argmax of the scores and locref at that
cell -> NumPy, with no warm graph, no channels last, no pinned memory. No line is DeepLabCut-live's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from benches.gpu.networks import DEVIATION, MEAN

__all__ = ["PlainTorch"]

STRIDE, LOCREF_STDEV = 8.0, 7.2801


class PlainTorch:
    """A network and what is around it; `precision` is fp32, or fp16 under autocast."""

    def __init__(self, network: Any, device: str, precision: str = "fp32") -> None:
        import torch

        self._torch, self._device, self._half = torch, torch.device(device), precision == "fp16"
        self._network = network.to(self._device)
        self._mean = torch.tensor(MEAN, device=self._device)[:, None, None]
        self._deviation = torch.tensor(DEVIATION, device=self._device)[:, None, None]

    def poses(self, frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """(n, H, W, 3) uint8 rgb to (n, K, 3) x, y, likelihood."""
        torch = self._torch
        pixels = torch.from_numpy(frames).permute(0, 3, 1, 2)
        with torch.no_grad(), torch.autocast(self._device.type, torch.float16, enabled=self._half):
            tensor = (pixels.to(self._device).float() / 255 - self._mean) / self._deviation
            scores, locref = self._network(tensor)
            made = self._decoded(scores.float(), locref.float())
        found: npt.NDArray[np.float32] = made.cpu().numpy()
        return found

    def _decoded(self, scores: Any, locref: Any) -> Any:
        torch = self._torch
        n, parts, height, width = scores.shape
        likelihood, cell = scores.reshape(n, parts, -1).max(-1)
        column, row = cell % width, cell // width
        pairs = locref.reshape(n, parts, 2, height * width)
        refined = pairs.gather(3, cell[..., None, None].expand(-1, -1, 2, 1))[..., 0] * LOCREF_STDEV
        x = column * STRIDE + STRIDE / 2 + refined[..., 0]
        y = row * STRIDE + STRIDE / 2 + refined[..., 1]
        return torch.stack([x, y, likelihood.clamp(0, 1)], -1)  # clipped only once the cell is chosen

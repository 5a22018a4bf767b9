"""What one writes around a runtime in Python: a frame to a tensor, maps to keypoints. NumPy and OpenCV."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

__all__ = ["decode", "tensor"]


def tensor(frame: Any, scale: list[float], offset: list[float], multiple: int, colour: str) -> Any:
    """(H, W) or (H, W, 3) bgr to (1, C, H', W') float32, mirrored to multiples, normalised."""
    if colour == "rgb":
        frame = cv2.cvtColor(frame, cv2.COLOR_GRAY2RGB if frame.ndim == 2 else cv2.COLOR_BGR2RGB)
    below, beyond = -frame.shape[0] % multiple, -frame.shape[1] % multiple
    if below or beyond:
        frame = cv2.copyMakeBorder(frame, 0, below, 0, beyond, cv2.BORDER_REFLECT_101)
    values = frame.astype(np.float32)
    values *= np.asarray(scale, np.float32)
    values += np.asarray(offset, np.float32)
    planes = values[None] if values.ndim == 2 else values.transpose(2, 0, 1)
    return np.ascontiguousarray(planes[None])


def decode(maps: list[Any], stride: float, locref_stdev: float, activation: str) -> Any:
    """Maps (1, K, h, w) and (1, 2K, h, w) to (K, 3): the highest cell, moved by locref."""
    heatmap = maps[0][0]
    parts, _, width = heatmap.shape
    best = heatmap.reshape(parts, -1).argmax(1)
    rows, columns = np.divmod(best, width)
    every = np.arange(parts)
    likelihood = heatmap[every, rows, columns]
    if activation == "sigmoid":
        likelihood = 1 / (1 + np.exp(-likelihood))
    elif activation == "clip":
        likelihood = likelihood.clip(0, 1)
    x, y = columns * stride + stride / 2, rows * stride + stride / 2
    if len(maps) > 1:
        locref = maps[1][0].reshape(parts, 2, *heatmap.shape[1:])[every, :, rows, columns]
        x, y = x + locref[:, 0] * locref_stdev, y + locref[:, 1] * locref_stdev
    return np.stack([x, y, likelihood], 1)

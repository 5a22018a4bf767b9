"""What the heatmap decoder must compute, written to be read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def activate(value: float, activation: str) -> float:
    if activation == "sigmoid":
        return float(1 / (1 + np.exp(-value)))
    return float(np.clip(value, 0, 1)) if activation == "clip" else value


def decode(
    heatmap: NDArray[np.float32],
    locref: NDArray[np.float32] | None,
    stride: float = 8.0,
    locref_stdev: float = 7.2801,
    activation: str = "sigmoid",
    tensor_to_sensor: tuple[float, float, float, float] = (1, 1, 0, 0),
) -> NDArray[np.float64]:
    """Keypoints (K, 3): x, y in sensor px, likelihood.

    heatmap is (1, K, h, w); locref (1, 2K, h, w), channel 2k is x, 2k + 1 is y.
    """
    scale_x, scale_y, offset_x, offset_y = tensor_to_sensor
    keypoints = np.full((heatmap.shape[1], 3), (np.nan, np.nan, 0.0))
    for k, cells in enumerate(heatmap[0].astype(float)):
        candidates = np.where(np.isnan(cells), -np.inf, cells)
        row, column = np.unravel_index(np.argmax(candidates), cells.shape)  # the first of equal ones
        if not np.isfinite(candidates[row, column]):
            continue
        x, y = (column + 0.5) * stride, (row + 0.5) * stride
        if locref is not None:
            x += locref[0, 2 * k, row, column] * locref_stdev
            y += locref[0, 2 * k + 1, row, column] * locref_stdev
        if np.isfinite(x) and np.isfinite(y):
            likelihood = activate(candidates[row, column], activation)
            keypoints[k] = x * scale_x + offset_x, y * scale_y + offset_y, likelihood
    return keypoints

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


def decode_simcc(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    *,
    split_ratio: float = 2.0,
    temperature: float = 1.0,
    softmax: bool = True,
    tensor_to_sensor: tuple[float, float, float, float] = (1, 1, 0, 0),
) -> NDArray[np.float64]:
    """Keypoints (K, 3) of x (1, K, bins) and y (1, K, bins).

    As DeepLabCut's RTMPose decoder, but that what it marks with -1 (no more likely than chance) is NaN.
    """
    scale_x, scale_y, offset_x, offset_y = tensor_to_sensor
    axes = [logits[0].astype(float) * temperature for logits in (x, y)]
    if softmax:
        powers = [np.exp(logits - logits.max(1, keepdims=True)) for logits in axes]
        axes = [power / power.sum(1, keepdims=True) for power in powers]
    likelihood = np.minimum(axes[0].max(1), axes[1].max(1))
    column, row = (axis.argmax(1) / split_ratio for axis in axes)
    keypoints = np.stack([column * scale_x + offset_x, row * scale_y + offset_y, likelihood], axis=1)
    keypoints[likelihood <= (1 / x.shape[2] if softmax else 0)] = (np.nan, np.nan, 0)
    return keypoints


def decode_points(
    points: NDArray[np.float32],
    individuals: int,
    activation: str = "none",
    tensor_to_sensor: tuple[float, float, float, float] = (1, 1, 0, 0),
) -> NDArray[np.float64]:
    """Keypoints (individuals, K, 3) of points (N, K, 3): x, y, score in tensor px."""
    scale_x, scale_y, offset_x, offset_y = tensor_to_sensor
    pose = np.full((individuals, points.shape[1], 3), (np.nan, np.nan, 0.0))
    for i, k in np.ndindex(min(individuals, len(points)), points.shape[1]):
        x, y, score = points[i, k].astype(float)
        if np.isfinite([x, y, score]).all():
            pose[i, k] = x * scale_x + offset_x, y * scale_y + offset_y, activate(score, activation)
    return pose

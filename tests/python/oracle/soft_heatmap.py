"""What the sub-cell decoders must compute, written to be read: mean of a window, mean under a softmax."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["softmax_mean", "window_mean"]

MISSING = (np.nan, np.nan, 0.0)


def window_mean(
    heatmap: NDArray[np.float32], stride: float, size: int = 5, min_score: float = 0.2
) -> NDArray[np.float64]:
    """Keypoints (K, 3) of maps (K, h, w): the weighted mean of the cells around the maximum.

    The mathematics of sleap-nn's global peaks with integral refinement; size 1 is its plain grid peak.
    """
    keypoints = np.full((len(heatmap), 3), MISSING)
    half = size // 2
    steps = np.arange(size) - half
    for k, cells in enumerate(heatmap.astype(float)):
        row, column = np.unravel_index(np.argmax(cells), cells.shape)
        value = cells[row, column]
        if not value >= min_score:
            continue
        window = np.pad(cells, half)[row : row + size, column : column + size]
        dx, dy = (window.sum(0) @ steps) / window.sum(), (window.sum(1) @ steps) / window.sum()
        keypoints[k] = (column + dx) * stride, (row + dy) * stride, value
    return keypoints


def softmax_mean(
    heatmap: NDArray[np.float32],
    stride: float,
    upsampling: int = 2,
    temperature: float = 1000.0,
    radius: int = 2,
    shift: float = 1.5,
) -> NDArray[np.float64]:
    """Keypoints (K, 3) of maps (K, h, w): the mean under a softmax of the enlarged map.

    Lightning Pose's mathematics. The likelihood is the softmax's mass in the square of `radius` px
    around the place.
    """
    keypoints = np.full((len(heatmap), 3), MISSING)
    for k, cells in enumerate(heatmap.astype(float)):
        for _ in range(upsampling):
            cells = smooth(doubled(doubled(cells).T).T)
        weights = np.exp(temperature * (cells - cells.max()))
        weights /= weights.sum()
        x = weights.sum(0) @ np.arange(cells.shape[1])
        y = weights.sum(1) @ np.arange(cells.shape[0])
        if not np.isfinite(x + y):
            continue
        rows, columns = (slice(max(0, int(place) - radius), int(place) + radius + 1) for place in (y, x))
        scale = stride / 2**upsampling
        keypoints[k] = (x - shift) * scale, (y - shift) * scale, weights[rows, columns].sum()
    return keypoints


def doubled(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Twice the rows: cubic (a = -0.75) between cells, half-pixel centres, the border repeated."""
    padded = np.concatenate([cells[:1], cells[:1], cells, cells[-1:], cells[-1:]])
    count = len(cells)
    weights = np.array([-0.03515625, 0.26171875, 0.87890625, -0.10546875])
    even = sum(weight * padded[tap : tap + count] for tap, weight in enumerate(weights))
    odd = sum(weight * padded[tap + 1 : tap + 1 + count] for tap, weight in enumerate(weights[::-1]))
    return np.stack([even, odd], axis=1).reshape(2 * count, -1)


def smooth(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convolved with (1, 4, 6, 4, 1) / 16 along both axes; zeros beyond the border."""
    kernel = np.array([1, 4, 6, 4, 1]) / 16
    for _ in range(2):
        padded = np.pad(cells, ((2, 2), (0, 0)))
        cells = sum(weight * padded[tap : tap + len(cells)] for tap, weight in enumerate(kernel)).T
    return cells

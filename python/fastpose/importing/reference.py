"""What the decoders of other tools compute from a network's maps, in plain NumPy: the oracle of an import."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["TIE", "activate", "decode_heatmap"]

Maps = npt.NDArray[np.floating[Any]]

TIE = 1e-5  # two highest cells closer than this: which of them wins is no question of precision


def activate(scores: Maps, activation: str) -> Maps:
    """Scores to likelihoods: "sigmoid", "clip" to 0..1, or "none"."""
    if activation == "sigmoid":
        return 1 / (1 + np.exp(-scores.astype(np.float64)))
    return np.clip(scores, 0, 1) if activation == "clip" else scores


def decode_heatmap(
    heatmap: Maps,
    locref: Maps | None,
    *,
    stride: float,
    locref_stdev: float,
    activation: str,
) -> tuple[Maps, npt.NDArray[np.bool_]]:
    """Keypoints of one animal by the highest cell (DeepLabCut's HeatmapPredictor).

    x = (column + 0.5) * stride + locref[2k] * locref_stdev, y likewise with row and locref[2k + 1].

    Parameters
    ----------
    heatmap : ndarray
        (n, K, h, w), before the activation.
    locref : ndarray or None
        (n, 2K, h, w), x and y of each body part in turn.
    stride : float
        Input px per cell.
    locref_stdev : float
        px per unit of locref.
    activation : {"none", "sigmoid", "clip"}

    Returns
    -------
    poses : ndarray
        (n, 1, K, 3) float32 x, y (input px), likelihood.
    ties : ndarray
        (n, 1, K) bool: the two highest cells are closer than `TIE`.
    """
    count, parts, _, width = heatmap.shape
    flat = heatmap.reshape(count, parts, -1)
    best = flat.argmax(axis=-1)  # the first of equal ones
    rows, columns = best // width, best % width
    x, y = (columns + 0.5) * stride, (rows + 0.5) * stride
    if locref is not None:
        n, k = np.ogrid[:count, :parts]
        x = x + locref[n, 2 * k, rows, columns] * locref_stdev
        y = y + locref[n, 2 * k + 1, rows, columns] * locref_stdev
    top = np.partition(flat, -2, axis=-1)[..., -2:] if flat.shape[-1] > 1 else np.stack([flat - 1, flat], -1)
    likelihood = activate(flat.max(axis=-1), activation)
    poses = np.stack([x, y, likelihood], axis=-1).astype(np.float32)
    seen = activate(top, activation) if activation == "sigmoid" else top  # it argmaxes after a sigmoid
    ties = seen[..., 1] - seen[..., 0] < TIE
    return poses[:, None], ties.reshape(count, 1, parts)

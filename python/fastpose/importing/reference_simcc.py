"""What DeepLabCut's SimCC decoder computes, in plain NumPy: the oracle of an import."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["decode_simcc"]

Bins = npt.NDArray[np.floating[Any]]

TIE = 1e-5


def decode_simcc(
    x: Bins, y: Bins, *, split_ratio: float, temperature: float, softmax: bool
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Keypoints of one animal by the highest bin of each axis.

    The position is the bin's index / split_ratio (no half bin is added), the likelihood the smaller of the
    two maxima. A keypoint no better than chance (softmax: 1 / bins of y) or at most 0 (without) is missing:
    x = y = -1 / split_ratio in DeepLabCut, NaN here.

    Parameters
    ----------
    x, y : (n, K, bins) logits
    split_ratio : float
        Bins per input px.
    temperature : float
        The logits are multiplied by it first.
    softmax : bool

    Returns
    -------
    poses : (n, 1, K, 3) float32
        x, y (input px), likelihood.
    ties : (n, 1, K) bool
        The two highest bins of an axis are closer than 1e-5 of their spread.
    """
    places, likelihoods, ties = zip(*(_axis(bins * temperature, softmax) for bins in (x, y)), strict=True)
    likelihood = np.minimum(*likelihoods)
    missing = likelihood <= (1 / y.shape[-1] if softmax else 0)
    points = np.where(missing[..., None], np.nan, np.stack(places, -1) / split_ratio)
    poses = np.concatenate([points, likelihood[..., None]], -1).astype(np.float32)
    return poses[:, None], (ties[0] | ties[1])[:, None]


def _axis(bins: Bins, softmax: bool) -> tuple[Bins, Bins, npt.NDArray[np.bool_]]:
    """Index of the highest bin, its likelihood, and whether the second is as high."""
    best = np.partition(bins, -2, axis=-1)[..., -2:]
    ties = best[..., 1] - best[..., 0] < TIE * np.ptp(bins, axis=-1)
    place = bins.argmax(-1).astype(np.float64)
    if softmax:
        odds = np.exp(bins - bins.max(-1, keepdims=True))
        return place, odds.max(-1) / odds.sum(-1), ties
    return place, bins.max(-1), ties

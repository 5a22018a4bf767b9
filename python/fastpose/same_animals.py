"""Brings the individuals of two sets of poses into one order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["in_order"]

Poses = npt.NDArray[np.float32]


def in_order(found: Poses, reference: Poses) -> Poses:
    """The individuals of each frame in the order of the reference, nearest pairs first.

    Parameters
    ----------
    found, reference : ndarray
        (n, individuals, K, 3) x, y (px), likelihood; NaN: missing.
    """
    if found.shape[1] == 1:
        return found
    ordered = np.full_like(reference, np.nan)
    for frame, (poses, wanted) in enumerate(zip(found, reference, strict=True)):
        for target, source in _nearest_pairs(poses, wanted):
            ordered[frame, target] = poses[source]
    return ordered


def _nearest_pairs(poses: Poses, wanted: Poses) -> list[tuple[int, int]]:
    """Pairs of an individual of the reference and one that was found, each used once."""
    gaps = np.linalg.norm(wanted[:, None, :, :2] - poses[None, :, :, :2], axis=-1)  # (wanted, found, K)
    known = np.isfinite(gaps)
    cost = np.where(known, gaps, 0).sum(-1) / np.maximum(known.sum(-1), 1) + 1e6 * (~known.any(-1))
    pairs: list[tuple[int, int]] = []
    for _ in range(min(cost.shape)):
        target, source = np.unravel_index(np.argmin(cost), cost.shape)
        pairs.append((int(target), int(source)))
        cost[target], cost[:, source] = np.inf, np.inf
    return pairs

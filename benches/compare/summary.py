"""From blocks of times to numbers: percentiles, ratios round by round, distances between poses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["distance", "percentiles", "ratio"]

Blocks = Sequence[Sequence[float]]


def percentiles(blocks: Blocks) -> dict[str, Any]:
    """Times of all rounds together.

    Parameters
    ----------
    blocks : sequence of sequences
        (rounds, calls) ns; rounds may differ in length.
    """
    ms = np.concatenate([np.asarray(block, np.float64) for block in blocks]) / 1e6
    named = {f"p{p}_ms": _rounded(float(np.percentile(ms, p))) for p in (50, 99)}
    p50 = float(np.median(ms))
    return {
        "min_ms": _rounded(float(ms.min())),
        **named,
        "max_ms": _rounded(float(ms.max())),
        "fps": _rounded(1e3 / p50),
        "n": len(ms),
    }


def ratio(base: Blocks, other: Blocks) -> dict[str, Any]:
    """How many times faster `other` is: the ratio of medians, round by round.

    Returns
    -------
    dict
        median, min and max over the rounds; of_fastest: of the fastest calls, what is left when nothing else
        ran.
    """
    pairs = [np.median(b) / np.median(o) for b, o in zip(base, other, strict=True)]
    fastest = min(min(block) for block in base) / min(min(block) for block in other)
    return {
        "median": _rounded(float(np.median(pairs))),
        "min": _rounded(float(np.min(pairs))),
        "max": _rounded(float(np.max(pairs))),
        "rounds": len(pairs),
        "of_fastest": _rounded(float(fastest)),
    }


def distance(poses: npt.ArrayLike, reference: npt.ArrayLike) -> dict[str, Any]:
    """How far keypoints lie from those of a reference, px.

    Parameters
    ----------
    poses, reference : array_like
        (n, K, 3) x, y, likelihood; NaN: missing. Keypoints that one of them misses are counted apart.
    """
    a, b = np.asarray(poses, np.float64), np.asarray(reference, np.float64)
    apart = np.linalg.norm(a[..., :2] - b[..., :2], axis=-1).ravel()
    found = apart[np.isfinite(apart)]
    if not len(found):
        return {"keypoints": 0, "missed": len(apart)}
    return {
        "mean_px": _rounded(float(found.mean())),
        "p95_px": _rounded(float(np.percentile(found, 95))),
        "max_px": _rounded(float(found.max())),
        "keypoints": len(found),
        "missed": len(apart) - len(found),
    }


def _rounded(value: float) -> float:
    """Four significant digits."""
    return float(f"{value:.4g}")

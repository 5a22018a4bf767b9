"""How DeepLabCut cuts an animal out of a frame, in plain NumPy: the oracle of an import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["corners", "crop_and_way_back"]

Image = npt.NDArray[np.uint8]


def crop_and_way_back(
    frame: Image, box: npt.NDArray[np.floating[Any]], detector: Mapping[str, Any]
) -> tuple[Image, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Cut a box out and resize it.

    Parameters
    ----------
    frame : (H, W, 3) uint8
    box : (4,) left, top, right, bottom, px
    detector : mapping
        ``crop_size``, ``margin_px`` and ``antialias`` of model.yaml.

    Returns
    -------
    crop : (h, w, 3) uint8
        Black where it reaches beyond the frame.
    scale, offset : (2,) float64
        x, y of the frame = those of the crop * scale + offset, without a half-pixel term.
    """
    width, height = detector["crop_size"]
    left, top, right, bottom = corners(box, width / height, detector["margin_px"])
    cut = np.zeros((bottom - top, right - left, 3), np.float64)
    inside = frame[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    x, y = max(-left, 0), max(-top, 0)
    cut[y : y + inside.shape[0], x : x + inside.shape[1]] = inside
    rows = _taps(bottom - top, height, detector["antialias"])
    columns = _taps(right - left, width, detector["antialias"])
    resized = np.einsum("ys,sxc->yxc", rows, np.einsum("xs,ysc->yxc", columns, cut))
    scale = np.array([(right - left) / width, (bottom - top) / height])
    return np.rint(resized).clip(0, 255).astype(np.uint8), scale, np.array([left, top], np.float64)


def corners(box: npt.NDArray[np.floating[Any]], ratio: float, margin: float) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a box with its margin, grown to the ratio width / height."""
    left, top, right, bottom = (float(edge) for edge in box)
    width, height = right - left + 2 * margin, bottom - top + 2 * margin
    width, height = max(width, height * ratio), max(height, width / ratio)
    x, y = (left + right) / 2, (top + bottom) / 2
    return round(x - width / 2), round(y - height / 2), round(x + width / 2), round(y + height / 2)


def _taps(source: int, target: int, antialias: bool) -> npt.NDArray[np.float64]:
    """(target, source) weights of bilinear interpolation with half-pixel centres.

    With antialias the triangle is as wide as a pixel of the smaller image (torchvision); else it always spans
    two pixels and edges are repeated (OpenCV).
    """
    scale = source / target
    places = (np.arange(target) + 0.5) * scale - 0.5
    reach = max(scale, 1.0) if antialias else 1.0
    places = places if antialias else places.clip(0, source - 1)
    weights = (1 - np.abs(np.arange(source) - places[:, None]) / reach).clip(0)
    return np.asarray(weights / weights.sum(1, keepdims=True))

"""How DeepLabCut cuts an animal out of a frame, the oracle of an import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose.importing.extra import require

__all__ = ["corners", "crop_and_way_back", "is_tie"]

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
    if detector["antialias"]:
        resized = _as_torchvision(cut, width, height)
    else:
        rows, columns = _taps(bottom - top, height), _taps(right - left, width)
        resized = np.einsum("ys,sxc->yxc", rows, np.einsum("xs,ysc->yxc", columns, cut))
    scale = np.array([(right - left) / width, (bottom - top) / height])
    return np.rint(resized).clip(0, 255).astype(np.uint8), scale, np.array([left, top], np.float64)


def corners(box: npt.NDArray[np.floating[Any]], ratio: float, margin: float) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a box with its margin, grown to the ratio width / height."""
    left, top, right, bottom = (round(edge) for edge in _grown(box, ratio, margin))
    return left, top, right, bottom


def is_tie(box: npt.NDArray[np.floating[Any]], detector: Mapping[str, Any], noise: float) -> bool:
    """Whether a box moved by so many px would have other corners, after rounding, and another crop."""
    width, height = detector["crop_size"]
    edges = np.array(_grown(box, width / height, detector["margin_px"]))
    return bool((np.abs(edges - np.floor(edges) - 0.5) < noise).any())


def _grown(box: npt.NDArray[np.floating[Any]], ratio: float, margin: float) -> tuple[float, ...]:
    left, top, right, bottom = (float(edge) for edge in box)
    width, height = right - left + 2 * margin, bottom - top + 2 * margin
    width, height = max(width, height * ratio), max(height, width / ratio)
    x, y = (left + right) / 2, (top + bottom) / 2
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _taps(source: int, target: int) -> npt.NDArray[np.float64]:
    """(target, source) weights of bilinear interpolation: half-pixel centres, edges repeated (OpenCV)."""
    places = ((np.arange(target) + 0.5) * source / target - 0.5).clip(0, source - 1)
    return np.asarray((1 - np.abs(np.arange(source) - places[:, None])).clip(0))


def _as_torchvision(image: npt.NDArray[np.float64], width: int, height: int) -> npt.NDArray[Any]:
    """Resize (H, W, C) by torchvision with antialias."""
    resize = require("torchvision.transforms.functional").resize
    planes = require("torch").from_numpy(image.astype(np.uint8).transpose(2, 0, 1).copy())
    return np.asarray(resize(planes, [height, width], antialias=True).numpy().transpose(1, 2, 0))

"""What the crops of a top-down network must be, written to be read: every step in float64."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oracle.preprocess import LUMA, Array, to_channels

Rectangle = tuple[int, int, int, int]  # x, y, width, height


def grow(box: tuple[float, float, float, float], crop_size: tuple[int, int], margin_px: float) -> Rectangle:
    """The rectangle with the crop's aspect ratio around a box (left, top, right, bottom), in whole px.

    Corners are rounded half to even, as Python's round() does; DeepLabCut-live's convention.
    """
    left, top, right, bottom = box
    width, height = right - left + 2 * margin_px, bottom - top + 2 * margin_px
    ratio = crop_size[0] / crop_size[1]
    if width / height > ratio:
        height = width / ratio
    else:
        width = height * ratio
    x, y = left + (right - left) / 2, top + (bottom - top) / 2
    x0, y0, x1, y1 = (
        round(value) for value in (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    )
    return x0, y0, x1 - x0, y1 - y0


def cut(channels: Array, rectangle: Rectangle) -> Array:
    """The part of (H, W, C) in a rectangle; black beyond."""
    x, y, width, height = rectangle
    rows, columns = channels.shape[:2]
    result = np.zeros((height, width, channels.shape[2]))
    for row in range(max(y, 0), min(y + height, rows)):
        begin, end = max(x, 0), min(x + width, columns)
        if begin < end:
            result[row - y, begin - x : end - x] = channels[row, begin:end]
    return result


def weights(source: int, output: int, antialias: bool) -> Array:
    """(output, source): a triangle around the centre of each output sample, as wide as the factor."""
    scale = source / output
    half = max(scale, 1.0) if antialias else 1.0
    centres = (np.arange(output) + 0.5) * scale
    if not antialias:
        centres = np.clip(centres, 0.5, source - 0.5)
    distance = np.abs(np.arange(source)[None] + 0.5 - centres[:, None])
    triangle = np.maximum(1 - distance / half, 0)
    return np.asarray(triangle / triangle.sum(1, keepdims=True))


def resize(channels: Array, size: tuple[int, int], antialias: bool) -> Array:
    """(H, W, C) to size (width, height), rounded to whole grey levels."""
    columns = weights(channels.shape[1], size[0], antialias)
    rows = weights(channels.shape[0], size[1], antialias)
    return np.asarray(np.rint(np.einsum("yr,rsc,xs->yxc", rows, channels, columns, optimize=True)))


def crop(
    frame: NDArray[np.uint8],
    pixel_format: str,
    rectangle: Rectangle,
    crop_size: tuple[int, int],
    *,
    roi: Rectangle,
    colour: str = "rgb",
    antialias: bool = True,
) -> Array:
    """The crop (C, h, w) in grey levels; rectangle is relative to the roi, outside of which all is black."""
    x, y, width, height = roi
    native = "rgb" if not pixel_format.startswith("mono") else "grey"
    channels = to_channels(frame, pixel_format, native)[y : y + height, x : x + width]
    resized = resize(cut(channels, rectangle), crop_size, antialias)
    if colour == "grey" and native == "rgb":
        resized = (resized @ LUMA)[..., None]
    if colour == "rgb" and native == "grey":
        resized = np.repeat(resized, 3, axis=2)
    return resized.transpose(2, 0, 1)


def way_back(
    rectangle: Rectangle, roi: Rectangle, size: tuple[int, int]
) -> tuple[float, float, float, float]:
    """(scale_x, scale_y, offset_x, offset_y) of x = x_crop * scale_x + offset_x; no half-pixel term."""
    x, y, width, height = rectangle
    return width / size[0], height / size[1], x + roi[0], y + roi[1]

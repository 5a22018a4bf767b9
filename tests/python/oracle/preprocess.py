"""What preprocess must compute, written to be read: every step in float64, one after the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LUMA = np.array([0.299, 0.587, 0.114])  # BT.601
WHITE = {"mono10": 1023, "mono12": 4095}  # these are scaled so that white is 255


def demosaic(mosaic: NDArray[np.uint8], pattern: str) -> Array:
    """Bilinear demosaic: each missing colour is the mean of its nearest neighbours.

    Parameters
    ----------
    mosaic : (H, W) uint8
    pattern : str
        Colours of the first row's first two pixels: "rg", "gr", "gb" or "bg".

    Returns
    -------
    (H, W, 3) float64, R, G, B
    """
    height, width = mosaic.shape
    red_row, red_column = {"rg": (0, 0), "gr": (0, 1), "gb": (1, 0), "bg": (1, 1)}[pattern]
    rows, columns = np.mgrid[0:height, 0:width]
    is_red = (rows % 2 == red_row) & (columns % 2 == red_column)
    is_blue = (rows % 2 != red_row) & (columns % 2 != red_column)
    channels = []
    for mask in (is_red, ~is_red & ~is_blue, is_blue):
        # Mirroring about the outermost pixels keeps each colour at its places.
        known = np.pad(mask.astype(float), 1, mode="reflect")
        value = np.pad(mosaic.astype(float), 1, mode="reflect") * known
        cross_sum, cross_count = _neighbour_sum(value, CROSS), _neighbour_sum(known, CROSS)
        corner_sum, corner_count = _neighbour_sum(value, CORNERS), _neighbour_sum(known, CORNERS)
        # Where the pixel itself has the colour there may be no neighbour with it.
        nearest = np.where(cross_count > 0, cross_sum, corner_sum)
        nearest /= np.maximum(np.where(cross_count > 0, cross_count, corner_count), 1)
        channels.append(np.where(mask, mosaic, nearest))
    return np.stack(channels, axis=-1)


CROSS = ((0, 1), (1, 0), (1, 2), (2, 1))
CORNERS = ((0, 0), (0, 2), (2, 0), (2, 2))


def _neighbour_sum(padded: Array, places: tuple[tuple[int, int], ...]) -> Array:
    height, width = padded.shape[0] - 2, padded.shape[1] - 2
    return np.sum([padded[r : r + height, c : c + width] for r, c in places], axis=0)


def rgb_of_yuv(luma: Array, u: Array, v: Array) -> Array:
    """BT.601 with limited range (Y 16..235, U and V 16..240), clamped to 0..255."""
    y = (luma - 16) * 255 / 219
    cb, cr = (u - 128) * 255 / 224, (v - 128) * 255 / 224
    rgb = np.stack([y + 1.402 * cr, y - 0.344136286 * cb - 0.714136286 * cr, y + 1.772 * cb], axis=-1)
    return np.clip(rgb, 0, 255)


def to_channels(frame: NDArray[np.uint8], pixel_format: str, colour: str) -> Array:
    """The whole frame as (H, W, C) float64 grey levels: C = 1 for colour "grey", 3 for "rgb"."""
    pixels = frame.astype(float)
    if pixel_format in ("yuyv", "nv12"):
        return _from_yuv(pixels, pixel_format, colour)
    if pixel_format in WHITE:
        pixels = pixels * 255 / WHITE[pixel_format]
    if pixel_format.startswith("mono"):
        return np.repeat(pixels[..., None], 3 if colour == "rgb" else 1, axis=2)
    if pixel_format.startswith("bayer_"):
        rgb = demosaic(frame, pixel_format[6:8])
    else:
        rgb = pixels if pixel_format == "rgb8" else pixels[..., ::-1]
    return rgb if colour == "rgb" else (rgb @ LUMA)[..., None]


def _from_yuv(pixels: Array, pixel_format: str, colour: str) -> Array:
    if pixel_format == "yuyv":
        luma, chroma = pixels[..., 0], pixels[..., 1]
        u, v = (np.repeat(chroma[:, first::2], 2, axis=1) for first in (0, 1))
    else:
        height = pixels.shape[0] * 2 // 3
        luma, chroma = pixels[:height], pixels[height:]
        u, v = (np.repeat(np.repeat(chroma[:, first::2], 2, axis=1), 2, axis=0) for first in (0, 1))
    if colour == "rgb":
        return rgb_of_yuv(luma, u, v)
    return np.clip((luma - 16) * 255 / 219, 0, 255)[..., None]


def resize(channels: Array, width: int, height: int) -> Array:
    """Bilinear, half-pixel centres, edges clamped, no antialias."""
    rows = _interpolate(channels, height)
    return _interpolate(rows.swapaxes(0, 1), width).swapaxes(0, 1)


def _interpolate(values: Array, count: int) -> Array:
    source = values.shape[0]
    position = np.clip((np.arange(count) + 0.5) * source / count - 0.5, 0, source - 1)
    low = np.floor(position).astype(int)
    high = np.minimum(low + 1, source - 1)
    weight = (position - low)[:, None, None]
    return values[low] * (1 - weight) + values[high] * weight


def preprocess(
    frame: NDArray[np.uint8],
    pixel_format: str,
    output_size: tuple[int, int],
    roi: tuple[int, int, int, int],
    colour: str = "grey",
    scale: tuple[float, float, float] = (1 / 255, 1 / 255, 1 / 255),
    offset: tuple[float, float, float] = (0, 0, 0),
) -> Array:
    """The network's input tensor (1, C, h, w); roi is (x, y, width, height), sizes are (width, height)."""
    x, y, width, height = roi
    channels = to_channels(frame, pixel_format, colour)[y : y + height, x : x + width]
    resized = resize(channels, *output_size)
    count = resized.shape[2]
    normalised = resized * np.array(scale[:count]) + np.array(offset[:count])
    return normalised.transpose(2, 0, 1)[None]


def in_format(tensor: Array, element: str, layout: str) -> Array:
    """The tensor (1, C, h, w) in another layout, its values whole numbers of 0..255 for element "u8"."""
    if element == "u8":
        tensor = np.clip(np.rint(tensor), 0, 255)
    return tensor.transpose(0, 2, 3, 1) if layout == "nhwc" else tensor


def tensor_to_sensor(
    roi: tuple[int, int, int, int], output_size: tuple[int, int]
) -> tuple[float, float, float, float]:
    """(scale_x, scale_y, offset_x, offset_y) for keypoints whose pixel centres are integers."""
    scale_x, scale_y = roi[2] / output_size[0], roi[3] / output_size[1]
    return scale_x, scale_y, roi[0] + 0.5 * scale_x - 0.5, roi[1] + 0.5 * scale_y - 0.5


def mirror(tensor: Array, output_size: tuple[int, int]) -> Array:
    """Pad (1, C, h, w) at the right and the bottom by reflection to (width, height)."""
    right, bottom = output_size[0] - tensor.shape[3], output_size[1] - tensor.shape[2]
    return np.pad(tensor, ((0, 0), (0, 0), (0, bottom), (0, right)), mode="reflect")

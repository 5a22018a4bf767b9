"""A frame of the ring as a picture that any viewer shows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from PIL import Image

from fastpose.errors import RecordError
from fastpose.preview.numbers import bits_of, grey_of

__all__ = ["picture_of", "write_png"]

_FFMPEG = {
    "bayer_rg8": "bayer_rggb8",
    "bayer_gr8": "bayer_grbg8",
    "bayer_gb8": "bayer_gbrg8",
    "bayer_bg8": "bayer_bggr8",
    "bgr8": "bgr24",
    "yuyv": "yuyv422",
    "nv12": "nv12",
}


def picture_of(pixels: npt.NDArray[np.uint8], pixel_format: str, size: tuple[int, int]) -> Image.Image:
    """Grey or colour, 8 bits.

    Parameters
    ----------
    pixels : ndarray of uint8
        A slot as `fastpose.hosts.common.slot_array` shapes it.
    pixel_format : str
    size : tuple of int
        Width and height, px.
    """
    if pixel_format == "rgb8":
        return Image.fromarray(np.ascontiguousarray(pixels))
    if pixel_format in _FFMPEG:
        return Image.fromarray(_converted(pixels, _FFMPEG[pixel_format], size))
    grey: npt.NDArray[Any] = grey_of(pixels, pixel_format)
    return Image.fromarray((grey >> (bits_of(pixel_format) - 8)).astype(np.uint8))


def write_png(picture: Image.Image, path: Path) -> None:
    """Write it whole or not at all: a viewer may be looking at the last one.

    Raises
    ------
    RecordError
        The file cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        picture.save(part, format="PNG")
        os.replace(part, path)  # noqa: PTH105
    except OSError as error:
        raise RecordError(
            f"'{path}' cannot be written ({error.strerror}); give another place with -o"
        ) from error


def _converted(pixels: npt.NDArray[np.uint8], name: str, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    frame = VideoFrame(*size, name)
    rows = pixels.reshape(pixels.shape[0], -1)
    top = 0
    for plane in frame.planes:
        height = plane.height
        padded = np.zeros((height, plane.line_size), np.uint8)
        padded[:, : rows.shape[1]] = rows[top : top + height]
        plane.update(padded.tobytes())
        top += height
    return np.asarray(frame.reformat(format="rgb24").to_ndarray(), np.uint8)

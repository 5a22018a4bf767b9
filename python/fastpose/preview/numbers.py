"""What a frame looks like, in numbers that tell a well set camera from a badly set one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["ImageNumbers", "bits_of", "grey_of", "image_numbers"]

Grey = npt.NDArray[Any]  # (H, W) uint8 or uint16

_CENTRE_PX = 512  # sharpness is looked at in the middle of the frame, at full resolution
_FIRST_GREEN = {"bayer_rg8": 1, "bayer_bg8": 1, "bayer_gr8": 0, "bayer_gb8": 0}  # column, in the first row
_BITS = {"mono10": 10, "mono12": 12}


@dataclass(frozen=True)
class ImageNumbers:
    """One frame.

    Attributes
    ----------
    brightness : float
        Mean grey level, share of full scale.
    dark, bright : float
        Share of pixels at the lowest and at the highest level: there the image says nothing.
    sharpness : float
        Variance of the Laplacian over the variance of the image, in the middle of the frame (after
        Pech-Pacheco et al. 2000): grows as the focus gets better. Compare it on one scene; noise raises it.
    """

    brightness: float
    dark: float
    bright: float
    sharpness: float


def grey_of(pixels: npt.NDArray[Any], pixel_format: str) -> Grey:
    """The grey levels of a frame, (H, W): luma, or green, of a colour filter one in four pixels."""
    if pixel_format in _BITS and pixels.dtype == np.uint8:
        return pixels.view("<u2").reshape(pixels.shape[0], -1)
    if pixel_format in _FIRST_GREEN:
        return pixels[::2, _FIRST_GREEN[pixel_format] :: 2]
    if pixels.ndim == 3:
        return pixels[:, :, 0 if pixel_format == "yuyv" else 1]
    return pixels[: pixels.shape[0] * 2 // 3] if pixel_format == "nv12" else pixels


def image_numbers(grey: Grey, *, bits: int = 8) -> ImageNumbers:
    """Brightness, clipping and sharpness of a frame whose full scale has so many bits."""
    full = float(2**bits - 1)
    return ImageNumbers(
        brightness=float(grey.mean()) / full,
        dark=float(np.count_nonzero(grey == 0)) / grey.size,
        bright=float(np.count_nonzero(grey >= full)) / grey.size,
        sharpness=_sharpness(_centre(grey).astype(np.float32)),
    )


def bits_of(pixel_format: str) -> int:
    """Bits of a grey level."""
    return _BITS.get(pixel_format, 8)


def _centre(grey: Grey) -> Grey:
    top, left = ((side - min(side, _CENTRE_PX)) // 2 for side in grey.shape)
    return grey[top : top + _CENTRE_PX, left : left + _CENTRE_PX]


def _sharpness(grey: npt.NDArray[np.float32]) -> float:
    spread = float(grey.var())
    if spread == 0 or min(grey.shape) < 3:
        return 0.0
    middle = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * middle
    return float(laplacian.var()) / spread

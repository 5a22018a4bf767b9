"""Resize and colour conversion of frames, under the original's names."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose import _core
from fastpose.errors import ConfigError

__all__ = ["bgr_to_rgb", "checked_frame", "gray_to_rgb", "img_to_rgb", "resize_frame"]

Frame = npt.NDArray[np.uint8]


def checked_frame(frame: Any) -> Frame:
    """Return a frame as (H, W) or (H, W, 3); of four channels the last one is left out.

    Raises
    ------
    ConfigError
        It is no uint8 array of such a shape.
    """
    if not isinstance(frame, np.ndarray):
        raise ConfigError(f"frame is a {type(frame).__name__}; allowed: a NumPy array")
    channels = frame.shape[2] if frame.ndim == 3 else 1
    if frame.dtype != np.uint8 or frame.ndim not in (2, 3) or channels not in (1, 3, 4) or frame.size == 0:
        raise ConfigError(
            f"frame has shape {frame.shape} and dtype {frame.dtype}; allowed: (H, W), (H, W, 1), (H, W, 3) "
            "or (H, W, 4) uint8"
        )
    if frame.ndim == 3 and channels == 1:
        return frame[:, :, 0]
    return frame[:, :, :3] if channels == 4 else frame


def resize_frame(frame: Frame, resize: float | None = None) -> Frame:
    """Scale a frame by a factor: the size is cut to whole px, the pixels are those of OpenCV's INTER_LINEAR.

    Raises
    ------
    ConfigError
        Nothing is left of the frame.
    """
    if resize is None or resize == 1:
        return frame
    size = (int(frame.shape[1] * resize), int(frame.shape[0] * resize))
    if min(size) < 1:
        raise ConfigError(
            f"resize is {resize}: nothing is left of {frame.shape[1]}x{frame.shape[0]} px; use a larger one"
        )
    return _core.resize_like_opencv(frame, size)


def gray_to_rgb(frame: Frame) -> Frame:
    """Repeat grey in three channels."""
    return np.repeat(frame.reshape(*frame.shape[:2], 1), 3, axis=2)


def bgr_to_rgb(frame: Frame) -> Frame:
    """Swap blue and red."""
    return np.ascontiguousarray(frame[:, :, ::-1])


def img_to_rgb(frame: Frame) -> Frame:
    """Make a grey or BGR frame RGB."""
    checked = checked_frame(frame)
    return gray_to_rgb(checked) if checked.ndim == 2 else bgr_to_rgb(checked)

"""From the pixels in a slot of the ring to a frame that FFmpeg encodes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from fastpose.hosts.pixels import GREY_FORMATS

if TYPE_CHECKING:
    from fastpose.hosts.common import Pixels

__all__ = ["frame_maker"]

_FFMPEG_NAMES = {"rgb8": "rgb24", "bgr8": "bgr24", "yuyv": "yuyv422", "nv12": "nv12"}


def frame_maker(pixel_format: str, target: str, width: int, height: int) -> Callable[[Pixels], VideoFrame]:
    """What turns a slot's pixels into a frame of FFmpeg's format `target`, exactly where that can be.

    The frame may share the slot's memory: it is to be encoded before the slot is released.
    """
    if target.startswith("gray"):
        return partial(VideoFrame.from_numpy_buffer, format=target)
    if pixel_format in GREY_FORMATS:
        return _GreyInLuma(width, height, target)
    name = _FFMPEG_NAMES[pixel_format]
    reformatter = VideoReformatter()
    packed = pixel_format == "yuyv"

    def convert(pixels: Pixels) -> VideoFrame:
        if packed:
            frame = VideoFrame.from_ndarray(pixels, format=name)
        else:
            frame = VideoFrame.from_numpy_buffer(pixels, format=name)
        return frame if name == target else reformatter.reformat(frame, format=target, threads=1)

    return convert


class _GreyInLuma:
    """For encoders without grey: luma byte by byte, chroma neutral; see Note [grey] in pixels.py."""

    def __init__(self, width: int, height: int, target: str) -> None:
        self._target, self._height = target, height
        if target.endswith("444p"):
            self._buffer = np.full((3, height, width), 128, np.uint8)
        else:
            self._buffer = np.full((height * 3 // 2, width), 128, np.uint8)

    def __call__(self, pixels: Pixels) -> VideoFrame:
        luma = self._buffer[0] if self._buffer.ndim == 3 else self._buffer[: self._height]
        np.copyto(luma, pixels)
        if self._buffer.ndim == 3:
            return VideoFrame.from_ndarray(self._buffer, format=self._target)
        return VideoFrame.from_numpy_buffer(self._buffer, format=self._target)

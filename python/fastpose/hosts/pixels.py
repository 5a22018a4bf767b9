"""Pixels between FFmpeg's frames and the slots of the ring.

Note [grey]: FFmpeg takes a grey frame for luma of limited range unless told otherwise, and its
conversions then stretch or squeeze the values by up to 20 levels. So grey goes in and out as plane 0,
byte by byte, and grey recordings are tagged as full range.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from fastpose.session.recorded import plane

if TYPE_CHECKING:
    from fastpose.hosts.common import Pixels

__all__ = ["GREY_FORMATS", "SlotFiller", "luma", "plane"]

GREY_FORMATS = ("mono8", "bayer_rg8", "bayer_gr8", "bayer_gb8", "bayer_bg8", "mono10", "mono12")
_LUMA_FIRST = ("gray", "yuv4", "yuvj4", "yuva4", "nv12", "nv16", "nv21", "nv24", "nv42")
_RGB_NAMES = {"rgb8": "rgb24", "bgr8": "bgr24"}


def luma(frame: VideoFrame) -> Pixels | None:
    """Plane 0 as (H, W) uint8 where it is the luma, else None; more than 8 bits are cut to the upper 8."""
    if not frame.format.name.startswith(_LUMA_FIRST) or frame.format.is_big_endian:
        return None
    bits = frame.format.components[0].bits
    rows = plane(frame)
    if bits == 8:
        return rows[:, : frame.width]
    if not 8 < bits <= 16:
        return None
    return (rows.view(np.uint16)[:, : frame.width] >> (bits - 8)).astype(np.uint8)


class SlotFiller:
    """Writes decoded frames into slots.

    Parameters
    ----------
    width, height : int
        Size of the ring's frames, px.
    pixel_format : str
        "mono8": the file's luma as stored, no range conversion. "rgb8", "bgr8": converted as the file's
        tags say.
    """

    def __init__(self, width: int, height: int, pixel_format: str) -> None:
        self._size = (width, height)
        self._format = pixel_format
        self._reformatter = VideoReformatter()

    @staticmethod
    def supports(pixel_format: str) -> bool:
        return pixel_format == "mono8" or pixel_format in _RGB_NAMES

    def fill(self, frame: VideoFrame | None, slot: Pixels) -> bool:
        """Copy a frame into a slot; False, and a black slot, if there is none or its size is another one."""
        if frame is None or (frame.width, frame.height) != self._size:
            slot[...] = 0
            return False
        if self._format == "mono8":
            self._fill_grey(frame, slot)
        else:
            self._fill_colour(frame, slot)
        return True

    def _fill_grey(self, frame: VideoFrame, slot: Pixels) -> None:
        grey = luma(frame)
        if grey is None:
            grey = plane(self._convert(frame, "gray"))[:, : frame.width]
        np.copyto(slot, grey)

    def _fill_colour(self, frame: VideoFrame, slot: Pixels) -> None:
        grey = luma(frame) if frame.format.name.startswith("gray") else None
        if grey is not None:
            np.copyto(slot, grey[:, :, np.newaxis])
            return
        rows = plane(self._convert(frame, _RGB_NAMES[self._format]))
        np.copyto(slot, rows[:, : frame.width * 3].reshape(frame.height, frame.width, 3))

    def _convert(self, frame: VideoFrame, name: str) -> VideoFrame:
        return self._reformatter.reformat(frame, format=name, threads=1)

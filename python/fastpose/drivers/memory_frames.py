"""A whole video file in memory, for a camera that plays it from there."""

from __future__ import annotations

import os

import numpy as np

from fastpose import _core
from fastpose.config import PixelFormat
from fastpose.errors import CameraError
from fastpose.hosts.common import FRAME_UNREADABLE
from fastpose.hosts.pixels import SlotFiller
from fastpose.hosts.reader import VideoReader

__all__ = ["frames_in_memory"]


def frames_in_memory(
    path: str | os.PathLike[str], *, size: tuple[int, int], pixel_format: PixelFormat
) -> _core.FrameStore:
    """Decode every frame of a file; those that cannot be read are black and flagged.

    Parameters
    ----------
    path : path-like
    size : tuple of int
        Width and height of the frames, px.
    pixel_format : {"mono8", "rgb8"}

    Raises
    ------
    CameraError
        The file holds no frame that can be decoded, or more than fit into memory.
    """
    store = _core.FrameStore(pixel_format=pixel_format, size=size)
    filler = SlotFiller(*size, pixel_format)
    shape = (size[1], size[0]) if pixel_format == "mono8" else (size[1], size[0], 3)
    scratch = np.empty(shape, np.uint8)
    readable = 0
    for item in VideoReader(path, threads=0):
        good = filler.fill(item.frame, scratch)
        readable += good
        memory = store.append(item.flags | (0 if good else FRAME_UNREADABLE))
        np.frombuffer(memory, np.uint8)[:] = scratch.reshape(-1)
    if not readable:
        raise CameraError(f"'{path}' holds no frame that can be decoded; it may be cut off or damaged")
    return store

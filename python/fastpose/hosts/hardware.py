"""Which decoder reads a video for a network on a GPU: NVDEC where it gives the same frames, else FFmpeg's.

Note [hardware decoding]: Whether a graphics card decodes a file shows only when it does: FFmpeg must have
been built for it, there must be a driver, and the card must know the codec, its profile and its size. So the
first frames are decoded both ways and compared, pixel by pixel. The card gives NV12, the same numbers in
another order; they are put back into the order that software decoding gives, so that every conversion after
it is the same one. A card paints over damage that software decoding reports: frames with broken slices are
then not listed as unreadable. Missing packets and holes in the file are found as ever.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

import av.error
import numpy as np
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange

from fastpose.errors import CameraError, DeviceError
from fastpose.hosts.probe import open_video
from fastpose.session.recorded import plane

__all__ = ["SOFTWARE", "Decoder", "Decoding", "choose_decoding", "in_planes"]

Decoder = Literal["auto", "software", "nvdec"]
Open = Callable[[str | os.PathLike[str], HWAccel | None], tuple[Any, Any]]

_CHECKED = 3  # frames that both decoders must agree on
_FORMATS = ("yuv420p", "yuvj420p")  # that the card gives back as NV12
_REFUSALS = (av.error.FFmpegError, CameraError, NotImplementedError, OSError, RuntimeError, ValueError)


@dataclass(frozen=True)
class Decoding:
    """What decodes a file.

    Attributes
    ----------
    text : str
        In words: "NVDEC of cuda:0", or "software (...)" with the reason.
    device : int or None
        Index of the GPU; None: software.
    """

    text: str
    device: int | None = None

    @property
    def hwaccel(self) -> HWAccel | None:
        """For `open_video`; None: software."""
        return None if self.device is None else _accelerator(self.device)


SOFTWARE = Decoding("software")


def choose_decoding(
    path: str | os.PathLike[str], device: int, decoder: Decoder = "auto", *, opened: Open = open_video
) -> Decoding:
    """Try NVDEC on the first frames of a file; see Note [hardware decoding].

    Parameters
    ----------
    path : path
        A video file.
    device : int
        Index of the GPU.
    decoder : str
        "auto": software where NVDEC does not work; "nvdec": an error there; "software": nothing is tried.
    opened : callable
        From path and accelerator to container and stream.

    Raises
    ------
    DeviceError
        `decoder` is "nvdec" and it does not work, with the reason.
    CameraError
        The file cannot be read at all.
    """
    if decoder == "software":
        return Decoding("software (asked for)")
    reason = _why_not(path, device, opened)
    if not reason:
        return Decoding(f"NVDEC of cuda:{device}", device)
    if decoder == "nvdec":
        raise DeviceError(
            f"'{path}' cannot be decoded by NVDEC of cuda:{device}: {reason}; "
            "allowed: decoder auto or software"
        )
    return Decoding(f"software (NVDEC: {reason})")


def in_planes(frame: VideoFrame) -> VideoFrame:
    """A frame of the card (NV12) as software decoding gives it, number by number; others as they are."""
    if frame.format.name != "nv12":
        return frame
    full = frame.color_range == ColorRange.JPEG
    made = VideoFrame(frame.width, frame.height, "yuvj420p" if full else "yuv420p")
    chroma = plane(frame, 1)
    for index, numbers in enumerate((plane(frame, 0), chroma[:, 0::2], chroma[:, 1::2])):
        width = made.planes[index].width
        plane(made, index)[:, :width] = numbers[:, :width]
    made.color_range, made.colorspace = frame.color_range, frame.colorspace
    return made


def _why_not(path: str | os.PathLike[str], device: int, opened: Open) -> str:
    """Empty: it works."""
    if "cuda" not in hwdevices_available():
        return "this FFmpeg was built without it"
    container, stream = opened(path, None)
    with closing(container):
        name, codec = stream.format.name, stream.codec_context.codec
        if name not in _FORMATS:
            return f"the file's pixel format is {name}; allowed: {', '.join(_FORMATS)}"
        if not any(each.device_type.name == "cuda" and each.is_supported for each in codec.hardware_configs):
            return f"it does not decode {codec.name}"
        wanted = _first_frames(container, stream)
    try:
        container, stream = opened(path, _accelerator(device))
        with closing(container):
            found = _first_frames(container, stream)
    except _REFUSALS as error:
        cause = error.__cause__ or error
        return f"FFmpeg cannot open it there: {getattr(cause, 'strerror', None) or cause}"
    if len(found) == len(wanted) and all(map(np.array_equal, found, wanted)):
        return ""
    return f"its first {len(wanted)} frames are not those of software decoding"


def _first_frames(container: Any, stream: Any) -> list[np.ndarray[Any, Any]]:
    """All numbers of each of the first frames, in one order."""
    return [_numbers(in_planes(frame)) for frame in islice(container.decode(stream), _CHECKED)]


def _numbers(frame: VideoFrame) -> np.ndarray[Any, Any]:
    return np.concatenate([plane(frame, i)[:, : frame.planes[i].width].ravel() for i in range(3)])


def _accelerator(device: int) -> HWAccel:
    return HWAccel("cuda", device=str(device), allow_software_fallback=False)

"""Frames of a recorded video as the camera delivered them, in its own pixel format."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import av.error
import numpy as np
import numpy.typing as npt

from fastpose.errors import RecordError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame

__all__ = [
    "PIXEL_FORMAT_TAG",
    "WHITE",
    "displayed_pixels",
    "plane",
    "recorded_frames",
    "recorded_pixels",
    "video_pixel_format",
]

PIXEL_FORMAT_TAG = "FASTPOSE_PIXEL_FORMAT"  # our own recordings say what the camera delivered
_BAYER = {  # by FFmpeg's names
    "bayer_rg8": "bayer_rggb8",
    "bayer_gr8": "bayer_grbg8",
    "bayer_gb8": "bayer_gbrg8",
    "bayer_bg8": "bayer_bggr8",
}
WHITE = {"mono10": 1023, "mono12": 4095}  # largest value of a sample; 255 for all else

Pixels = npt.NDArray[Any]  # uint8, or uint16 for mono10 and mono12


def plane(frame: VideoFrame, index: int = 0) -> npt.NDArray[np.uint8]:
    """One plane without copying, the padding rows cut off: (rows, bytes of a row with padding) uint8."""
    source = frame.planes[index]
    rows = np.frombuffer(memoryview(source), np.uint8).reshape(-1, source.line_size)
    return rows[: source.height]


def recorded_pixels(frame: VideoFrame, pixel_format: str) -> Pixels:
    """A decoded frame in the layout of the camera's pixel format; what a lossless codec kept is exact.

    Parameters
    ----------
    frame : VideoFrame
        Of a video that fastpose recorded.
    pixel_format : str
        What the camera delivered: the file's tag `PIXEL_FORMAT_TAG`.

    Returns
    -------
    ndarray
        (H, W) uint8 for mono8 and Bayer, (H, W) uint16 for mono10 and mono12, (H, W, 3) uint8 for rgb8 and
        bgr8, (H, W, 2) for yuyv, (H * 3/2, W) for nv12.
    """
    if pixel_format in WHITE:
        return plane(frame).view("<u2")[:, : frame.width]
    if pixel_format in ("rgb8", "bgr8"):
        return np.asarray(frame.to_ndarray(format="rgb24" if pixel_format == "rgb8" else "bgr24"))
    if pixel_format == "yuyv":
        return _yuyv(frame)
    if pixel_format == "nv12":
        return _nv12(frame)
    return plane(frame)[:, : frame.width]


def _yuyv(frame: VideoFrame) -> Pixels:
    height, width = frame.height, frame.width
    if frame.format.name == "yuyv422":
        return plane(frame)[:, : 2 * width].reshape(height, width, 2)
    if not frame.format.name.endswith("422p"):
        frame = frame.reformat(format="yuv422p")
    pixels = np.empty((height, width, 2), np.uint8)
    pixels[:, :, 0] = plane(frame)[:, :width]
    pixels[:, 0::2, 1] = plane(frame, 1)[:, : width // 2]
    pixels[:, 1::2, 1] = plane(frame, 2)[:, : width // 2]
    return pixels


def _nv12(frame: VideoFrame) -> Pixels:
    height, width = frame.height, frame.width
    pixels = np.empty((height * 3 // 2, width), np.uint8)
    if not frame.format.name.endswith(("420p", "nv12")):
        frame = frame.reformat(format="yuv420p")
    pixels[:height] = plane(frame)[:, :width]
    if frame.format.name == "nv12":
        pixels[height:] = plane(frame, 1)[:, :width]
    else:
        pixels[height:, 0::2] = plane(frame, 1)[:, : width // 2]
        pixels[height:, 1::2] = plane(frame, 2)[:, : width // 2]
    return pixels


def displayed_pixels(frame: VideoFrame, pixel_format: str) -> npt.NDArray[np.uint8]:
    """A decoded frame for eyes: (H, W) grey or (H, W, 3) RGB, uint8.

    Grey is taken as it is, without a conversion of ranges; of 10 and 12 bits the upper 8 are shown. Bayer is
    demosaiced.
    """
    if pixel_format in WHITE:
        shift = WHITE[pixel_format].bit_length() - 8
        return (recorded_pixels(frame, pixel_format) >> shift).astype(np.uint8)
    if pixel_format in _BAYER:
        return _demosaiced(plane(frame)[:, : frame.width], _BAYER[pixel_format])
    if pixel_format == "mono8" or frame.format.name.startswith("gray"):
        return plane(frame)[:, : frame.width]
    return np.asarray(frame.to_ndarray(format="rgb24"))


def _demosaiced(mosaic: npt.NDArray[np.uint8], name: str) -> npt.NDArray[np.uint8]:
    height, width = mosaic.shape
    even = np.pad(mosaic, [(0, height % 2), (0, width % 2)], mode="reflect")
    rgb = av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format=name).to_ndarray(format="rgb24")
    return np.asarray(rgb[:height, :width])


def video_pixel_format(path: str | Path) -> Any:
    """What the camera of a recorded video delivered.

    Raises
    ------
    RecordError
        The file cannot be read, or fastpose did not record it.
    """
    try:
        with av.open(str(path)) as container:
            return _pixel_format(container, path)
    except av.error.FFmpegError as error:
        raise RecordError(f"cannot read '{path}': {error}") from error


def _pixel_format(container: InputContainer, path: str | Path) -> str:
    told = container.metadata.get(PIXEL_FORMAT_TAG)
    if told is None:
        raise RecordError(
            f"'{path}' does not say what its camera delivered (no tag {PIXEL_FORMAT_TAG}); "
            "allowed: a video that fastpose recorded"
        )
    return str(told)


def recorded_frames(path: str | Path) -> Iterator[Pixels]:
    """Every frame of a recorded video, in its order, in the layout of `recorded_pixels`.

    The array is valid until the next one is asked for.

    Raises
    ------
    RecordError
        The file cannot be read, or fastpose did not record it.
    """
    try:
        with av.open(str(path)) as container:
            pixel_format = _pixel_format(container, path)
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            for frame in container.decode(stream):
                yield recorded_pixels(frame, pixel_format)
    except av.error.FFmpegError as error:
        raise RecordError(f"cannot read '{path}': {error}") from error

"""What a video file holds, found out before anything starts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
import av.error

from fastpose.errors import CameraError
from fastpose.session.recorded import PIXEL_FORMAT_TAG

if TYPE_CHECKING:
    from av.codec.hwaccel import HWAccel
    from av.container import InputContainer
    from av.video.stream import VideoStream

__all__ = ["PIXEL_FORMAT_TAG", "VideoInfo", "open_video", "probe"]

_TEXT_FORMATS = {"tty", "bin", "xbin", "adf", "idf"}  # FFmpeg draws any text file as a picture


@dataclass(frozen=True)
class VideoInfo:
    """What the header of a video file says.

    Attributes
    ----------
    width, height : int
        px.
    rate_hz : float
        The file's own frame rate.
    frames : int or None
        Frames in the file, None where its format does not say.
    pix_format : str
        FFmpeg's name, e.g. "yuv444p".
    is_grey : bool
        The file stores one channel, or was recorded from a camera that has one.
    duration_s : float or None
        Length, None where unknown.
    """

    width: int
    height: int
    rate_hz: float
    frames: int | None
    pix_format: str
    is_grey: bool
    duration_s: float | None

    @property
    def pixel_format(self) -> str:
        """What the camera delivers unless the config says otherwise: "mono8" for grey files, else "rgb8"."""
        return "mono8" if self.is_grey else "rgb8"


def probe(path: str | os.PathLike[str]) -> VideoInfo:
    """Read the header of a video file.

    Parameters
    ----------
    path : path
        Any file that FFmpeg reads.

    Raises
    ------
    CameraError
        The file is missing, cannot be read, or holds no video; one line says which.
    """
    container, stream = open_video(path)
    with container:
        return _describe(container, stream)


def open_video(
    path: str | os.PathLike[str], hwaccel: HWAccel | None = None
) -> tuple[InputContainer, VideoStream]:
    """Open a file and its first video stream; raises CameraError as `probe` does, and for an accelerator
    that does not take the file."""
    file = Path(path)
    if not file.is_file():
        reason = "is a folder" if file.is_dir() else "does not exist"
        raise CameraError(f"video file '{file}' {reason}; give the path of a video, e.g. mp4, mkv or avi")
    try:
        container = av.open(str(file), hwaccel=hwaccel)
    except (av.error.FFmpegError, OSError) as error:
        raise CameraError(_unreadable(file, error)) from error
    try:
        return container, _video_stream(file, container)
    except CameraError:
        container.close()
        raise


def _unreadable(file: Path, error: Exception) -> str:
    reason = getattr(error, "strerror", None) or str(error)
    if isinstance(error, PermissionError):
        return f"video file '{file}' cannot be read: {reason}"
    return (
        f"'{file}' is no video that FFmpeg can read: {reason}; allowed are complete files with a video "
        "stream, e.g. mp4, mkv or avi (an mp4 that was cut off before its index was written must be repaired)"
    )


def _video_stream(file: Path, container: InputContainer) -> VideoStream:
    if container.format.name in _TEXT_FORMATS or not container.streams.video:
        raise CameraError(f"'{file}' holds no video stream; give a video file, e.g. mp4, mkv or avi")
    stream = container.streams.video[0]
    if cast("object", stream.codec_context) is None:
        raise CameraError(f"FFmpeg has no decoder for '{file}'; convert it, e.g. to H.264 in mp4")
    if stream.width <= 0 or stream.height <= 0 or stream.format is None:
        raise CameraError(f"'{file}' tells no size or format of its frames; it may be cut off or damaged")
    return stream


def _describe(container: InputContainer, stream: VideoStream) -> VideoInfo:
    rate = stream.guessed_rate or stream.average_rate
    recorded_as = container.metadata.get(PIXEL_FORMAT_TAG)
    is_grey = recorded_as.startswith("mono") if recorded_as else stream.format.name.startswith("gray")
    return VideoInfo(
        width=stream.width,
        height=stream.height,
        rate_hz=float(rate) if rate else 25.0,
        frames=stream.frames or None,
        pix_format=stream.format.name,
        is_grey=is_grey,
        duration_s=_duration_s(container, stream),
    )


def _duration_s(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / 1e6 if container.duration else None

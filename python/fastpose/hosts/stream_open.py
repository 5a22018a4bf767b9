"""Opens a live stream through FFmpeg; every failure is a CameraError that names the way out."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, cast
from urllib.parse import quote, urlsplit, urlunsplit

import av
import av.error

from fastpose.errors import CameraDisconnected, CameraError, CameraTimeout
from fastpose.hosts.stream_options import StreamSource

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

__all__ = ["UNTIMED", "StreamInfo", "open_stream", "probe_stream", "reason_of"]

OPEN_TIMEOUT_S = 10.0
SCHEMES = ("rtsp", "rtsps", "http", "https", "udp", "rtp", "tcp", "srt", "rtmp")
UNTIMED = {"mpjpeg", "mjpeg", "h264", "hevc", "m4v", "mpegvideo", "image2pipe"}
"""Formats whose time stamps FFmpeg makes up from a rate that it guesses."""
_COMMON = {"analyzeduration": "2000000"}  # us; the default of 5 s is for files
_RTSP = {"max_delay": "200000"}  # us; how long a packet that overtook another one waits for it
_MEASURED_FRAMES = 20


@dataclass(frozen=True)
class StreamInfo:
    """What a stream delivers.

    Attributes
    ----------
    width, height : int
        px.
    rate_hz : float
        As the stream says; measured where it says nothing.
    is_grey : bool
        One channel.
    codec : str
        FFmpeg's name of the decoder.
    container : str
        FFmpeg's name of the protocol or container.
    """

    width: int
    height: int
    rate_hz: float
    is_grey: bool
    codec: str
    container: str


def open_stream(source: StreamSource) -> tuple[InputContainer, VideoStream]:
    """Open a stream and find its video; blocks for 10 s at most.

    Raises
    ------
    CameraError
        It cannot be reached, refuses, or holds no video.
    """
    try:
        container = av.open(
            _address(source),
            format=source.input or None,
            options=_options(source),
            timeout=(OPEN_TIMEOUT_S, source.timeout_s),
        )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise _explain(source, error) from None  # the original's text may hold the password
    if not container.streams.video or cast("object", container.streams.video[0].codec_context) is None:
        container.close()
        raise CameraError(f"'{source.address}' sends no video that FFmpeg can decode")
    stream = container.streams.video[0]
    if stream.width <= 0 or stream.height <= 0:
        container.close()
        raise CameraError(
            f"'{source.address}' did not say its size within 2 s; let it send a keyframe each second"
        )
    return container, stream


def probe_stream(source: StreamSource) -> StreamInfo:
    """Open a stream, see what it delivers, close it.

    Raises
    ------
    CameraError
        As `open_stream`.
    """
    container, stream = open_stream(source)
    with container:
        rate = stream.average_rate or stream.guessed_rate
        is_timed = bool(rate) and container.format.name not in UNTIMED
        return StreamInfo(
            width=stream.width,
            height=stream.height,
            rate_hz=float(cast("float", rate)) if is_timed else _measured_rate_hz(source, container),
            is_grey=stream.format.name.startswith("gray"),
            codec=stream.codec_context.name,
            container=container.format.name,
        )


def reason_of(error: BaseException) -> str:
    """FFmpeg's reason without the address, which may hold a password."""
    if isinstance(error, av.error.ExitError):
        return "no answer in time"
    return getattr(error, "strerror", None) or type(error).__name__


def _measured_rate_hz(source: StreamSource, container: InputContainer) -> float:
    """The rate of arrival; the first half waits in buffers and comes too fast."""
    arrivals_s: list[float] = []
    try:
        for packet in container.demux(video=0):
            arrivals_s.append(time.monotonic())
            if not packet.size or len(arrivals_s) == _MEASURED_FRAMES:
                break
    except (av.error.FFmpegError, OSError) as error:
        raise _explain(source, error) from None
    steps_s = [b - a for a, b in pairwise(arrivals_s)][_MEASURED_FRAMES // 4 :]
    if not steps_s:
        raise CameraDisconnected(f"'{source.address}' ended after {len(arrivals_s)} frames")
    return round(1.0 / max(median(steps_s), 1e-4), 1)


def _address(source: StreamSource) -> str:
    if source.input:
        return f"video={source.address}" if source.input == "dshow" else source.address
    if not source.user:
        return source.address
    parts = urlsplit(source.address)
    login = quote(source.user, safe="")
    if source.password_env:
        login += ":" + quote(_password(source.password_env), safe="")
    return urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc}"))


def _password(name: str) -> str:
    password = os.environ.get(name)
    if password is None:
        raise CameraError(
            f"password_env: the environment has no variable {name!r}; set it to the camera's password"
        )
    return password


def _options(source: StreamSource) -> dict[str, str]:
    options = dict(_COMMON)
    if source.address.startswith(("rtsp:", "rtsps:")):
        options |= _RTSP | {"rtsp_transport": source.transport}
    return options | source.options


def _explain(source: StreamSource, error: Exception) -> CameraError:
    if isinstance(error, CameraError):
        return error
    where = f"'{source.address}'"
    if isinstance(error, av.error.ExitError | TimeoutError):
        return CameraTimeout(
            f"{where} gave no answer within {OPEN_TIMEOUT_S:g} s; is the camera on, and the address right?"
        )
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        return CameraError(f"{where} wants a login ({reason_of(error)}); give user and password_env")
    if isinstance(error, av.error.HTTPNotFoundError):
        return CameraError(
            f"{where} has no such stream ({reason_of(error)}); see the camera's manual for the path"
        )
    if isinstance(error, av.error.ProtocolNotFoundError):
        return CameraError(f"{where}: this FFmpeg does not know the protocol; allowed: {', '.join(SCHEMES)}")
    if isinstance(error, ValueError) and source.input:
        return CameraError(
            f"{where}: this FFmpeg has no input device {source.input!r}; see: fastpose cameras"
        )
    return CameraError(
        f"{where} cannot be opened: {reason_of(error)}; is the camera on, and the address right?"
    )

"""Raw frames into a Matroska file of which a kill or a power cut takes less than the last second."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
import av.error
import numpy as np
from av.codec import Codec
from av.codec.codec import UnknownCodecError
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from fastpose.errors import RecordError
from fastpose.hosts.pixels import GREY_FORMATS
from fastpose.hosts.probe import PIXEL_FORMAT_TAG

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream

    from fastpose.hosts.common import Pixels
    from fastpose.hosts.spawn import EncoderOptions

__all__ = ["VideoWriter"]

_TIME_BASE = Fraction(1, 1000)  # Matroska's own
_KEYFRAME_MS = 1000
_CONTAINER = {"cluster_time_limit": "250", "flush_packets": "1"}  # ms in memory before they are written
# What each pixel format of a camera is encoded as: the first that the encoder takes.
_GREY_CHOICES = ("gray", "yuvj420p", "yuv420p", "nv12")
_COLOUR_CHOICES = ("bgr0", "rgb24", "yuv420p", "nv12", "yuvj420p", "yuv444p", "yuvj444p")
_LOSSY_FIRST = ("yuv420p", "nv12", "yuvj420p", "yuv444p", "bgr0", "rgb24")
_LOSSLESS = {"ffv1", "png", "huffyuv", "ffvhuff", "utvideo", "rawvideo", "libx264rgb"}
_FFMPEG_NAMES = {"rgb8": "rgb24", "bgr8": "bgr24", "yuyv": "yuyv422", "nv12": "nv12"}


class VideoWriter:
    """One video file.

    Parameters
    ----------
    options : EncoderOptions
    width, height : int
        px.
    pixel_format : str
        Of the frames to come. Bayer frames are stored as the raw grey mosaic; the file's metadata name the
        pattern.

    Raises
    ------
    RecordError
        The file cannot be made, or the encoder does not take these frames or options.
    """

    def __init__(self, options: EncoderOptions, width: int, height: int, pixel_format: str) -> None:
        self._path = Path(options.path)
        self._pending: deque[int] = deque()  # frame ids inside the encoder
        self._first_ns: int | None = None
        self._last_ms = -1
        self._keyframe_ms = -_KEYFRAME_MS
        self._closed = False
        with self._saying("make the file"):
            self._path.open("xb").close()
            self._container = av.open(str(self._path), "w", format="matroska", options=_CONTAINER)
        target = _target_format(options.codec, pixel_format, width, height)
        self._to_frame = _frame_maker(pixel_format, target, width, height)
        self._context = self._open_encoder(options, target, width, height, pixel_format in GREY_FORMATS)
        self._container.metadata.update({PIXEL_FORMAT_TAG: pixel_format, "FASTPOSE_CAMERA": options.camera})

    def write(self, pixels: Pixels, frame_id: int, exposure_start_ns: int) -> list[int]:
        """Encode one frame; its memory is free when this returns.

        Returns
        -------
        list of int
            Frame ids that have reached the file by now, in its order.

        Raises
        ------
        RecordError
            The disk is full, or the encoder failed.
        """
        frame = self._to_frame(pixels)
        frame.time_base = _TIME_BASE
        frame.pts = self._pts_ms(exposure_start_ns)
        if frame.pts - self._keyframe_ms >= _KEYFRAME_MS:
            frame.pict_type = PictureType.I
            self._keyframe_ms = frame.pts
        self._pending.append(frame_id)
        with self._saying("write"):
            return self._mux(self._context.encode(frame))

    def close(self) -> list[int]:
        """Finish the file; returns the frame ids that were still inside the encoder."""
        if self._closed:
            return []
        self._closed = True
        with self._saying("finish"):
            try:
                return self._mux(self._context.encode(None)) if self._first_ns is not None else []
            finally:
                self._container.close()

    def abandon(self) -> None:
        """Close after an error, whatever can still be written."""
        self._closed = True
        try:
            self._container.close()
        except (av.error.FFmpegError, OSError):
            return  # already said

    def _mux(self, packets: list[Packet[VideoStream]]) -> list[int]:
        for packet in packets:
            packet.stream = self._stream
            self._container.mux(packet)
        return [self._pending.popleft() for _ in packets]

    def _pts_ms(self, exposure_start_ns: int) -> int:
        if self._first_ns is None:
            self._first_ns = exposure_start_ns
            self._container.metadata["FASTPOSE_FIRST_EXPOSURE_NS"] = str(exposure_start_ns)
        self._last_ms = max(self._last_ms + 1, round((exposure_start_ns - self._first_ns) / 1e6))
        return self._last_ms

    def _open_encoder(
        self, options: EncoderOptions, target: str, width: int, height: int, is_grey: bool
    ) -> VideoCodecContext:
        rate = Fraction(options.rate_hz).limit_denominator(1_000_000) if options.rate_hz else None
        with self._saying(f"open the encoder {options.codec} ({target}, {width} x {height})"):
            self._stream = self._container.add_stream(options.codec, rate=rate or Fraction(100))
            context = cast("VideoCodecContext", self._stream.codec_context)
            context.width, context.height, context.pix_fmt = width, height, target
            context.time_base = _TIME_BASE
            context.gop_size = math.ceil(rate or 100)
            context.thread_count, context.thread_type = options.threads, "SLICE"
            _tag_colours(context, target, is_grey)
            context.options = _encoder_options(options)
            context.open()
        if context.options:
            raise RecordError(
                f"encoder {options.codec} has no option {', '.join(map(repr, context.options))}; "
                f"see 'ffmpeg -h encoder={options.codec}' for those it has"
            )
        return context

    def _saying(self, action: str) -> _Saying:
        return _Saying(self._path, action)


class _Saying:
    """Turns what FFmpeg and the system raise into one line with the path."""

    def __init__(self, path: Path, action: str) -> None:
        self._path, self._action = path, action

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, (av.error.FFmpegError, OSError)) and not isinstance(error, RecordError):
            reason = getattr(error, "strerror", None) or str(error)
            raise RecordError(f"video '{self._path}': cannot {self._action}: {reason}") from error


def _encoder_options(options: EncoderOptions) -> dict[str, str]:
    chosen: dict[str, str] = {}
    if options.codec in ("libx264", "libx265"):
        chosen = {"preset": "ultrafast", "tune": "zerolatency"}
    elif options.codec == "ffv1":
        chosen = {"level": "3", "slicecrc": "1"}  # with checksums, so that damage is seen
    if options.preset is not None:
        chosen["preset"] = options.preset
    for name, value in (("crf", options.crf), ("qp", options.qp)):
        if value is not None:
            chosen[name] = str(value)
    return chosen | options.options


def _target_format(codec: str, pixel_format: str, width: int, height: int) -> str:
    try:
        offered = [f.name for f in Codec(codec, "w").video_formats or ()]
    except UnknownCodecError as error:
        raise RecordError(
            f"record.video.codec '{codec}' is no encoder of this FFmpeg; "
            "allowed are e.g. libx264, libx265, ffv1, mjpeg"
        ) from error
    choices = _choices(codec, pixel_format)
    if width % 2 or height % 2:  # halved chroma needs even sizes
        choices = tuple(c for c in choices if "420" not in c and "422" not in c and c != "nv12")
    target = next((c for c in choices if c in offered or not offered), None)
    if target is None:
        raise RecordError(
            f"record.video.codec '{codec}' takes no {pixel_format} frames of {width} x {height}; "
            "use ffv1 or libx264"
        )
    return target


def _choices(codec: str, pixel_format: str) -> tuple[str, ...]:
    if pixel_format in GREY_FORMATS:
        return (*_GREY_CHOICES, "yuv444p")
    own = {"nv12": ("nv12", "yuv420p"), "yuyv": ("yuyv422", "yuv422p", "yuvj422p")}.get(pixel_format, ())
    return (*own, *(_COLOUR_CHOICES if codec in _LOSSLESS else _LOSSY_FIRST))


def _tag_colours(context: VideoCodecContext, target: str, is_grey: bool) -> None:
    if is_grey:
        context.color_range = ColorRange.JPEG
    elif target.startswith(("yuv", "nv12")):
        context.color_range = ColorRange.JPEG if target.startswith("yuvj") else ColorRange.MPEG
        context.colorspace = Colorspace.SMPTE170M


def _frame_maker(pixel_format: str, target: str, width: int, height: int) -> Callable[[Pixels], VideoFrame]:
    if pixel_format in GREY_FORMATS:
        return _grey_as_is if target == "gray" else _GreyInLuma(width, height, target)
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


def _grey_as_is(pixels: Pixels) -> VideoFrame:
    return VideoFrame.from_numpy_buffer(pixels, format="gray")


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

"""Which FFmpeg encoder a config's codec means, what it is fed, and why it cannot be used here."""

from __future__ import annotations

import ctypes
import math
import sys
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import av.error
from av.codec import Codec
from av.codec.codec import UnknownCodecError
from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace

from fastpose.errors import RecordError
from fastpose.hosts.pixels import GREY_FORMATS

if TYPE_CHECKING:
    from fastpose.hosts.spawn import EncoderOptions

__all__ = ["TIME_BASE", "configure", "encoder_name", "nominal_rate", "target_format", "try_encoder"]

TIME_BASE = Fraction(1, 1000)  # Matroska's own

_NAMES = {"nvenc": "h264_nvenc", "raw": "rawvideo"}
# What each pixel format of a camera is encoded as: the first that the encoder takes.
_GREY_CHOICES = ("gray", "yuvj420p", "yuv420p", "nv12", "yuv444p")
_WIDE_CHOICES = {"mono10": ("gray10le",), "mono12": ("gray12le",)}
_COLOUR_CHOICES = ("bgr0", "rgb24", "yuv420p", "nv12", "yuvj420p", "yuv444p", "yuvj444p")
_LOSSY_FIRST = ("yuv420p", "nv12", "yuvj420p", "yuv444p", "bgr0", "rgb24")
_FULL_RANGE = ("yuvj420p", "yuvj444p")  # all that mjpeg takes of colour
_LOSSLESS = {"ffv1", "png", "huffyuv", "ffvhuff", "utvideo", "rawvideo", "libx264rgb"}
_YUV_CHOICES = {"nv12": ("nv12", "yuv420p"), "yuyv": ("yuyv422", "yuv422p", "yuvj422p")}
# Matroska has no raw grey of more than 8 bits; of the raw colours, FFmpeg reads back bgr24 alone.
_RAW = {
    "mono10": None,
    "mono12": None,
    "rgb8": "bgr24",
    "bgr8": "bgr24",
    "yuyv": "yuyv422",
    "nv12": "nv12",
}


def encoder_name(codec: str) -> str:
    """FFmpeg's name of a codec: nvenc and raw are ours."""
    return _NAMES.get(codec, codec)


def nominal_rate(options: EncoderOptions) -> Fraction:
    """What players show; the frames carry their own times."""
    return Fraction(options.rate_hz).limit_denominator(1_000_000) if options.rate_hz else Fraction(100)


def target_format(codec: str, pixel_format: str, width: int, height: int) -> str:
    """FFmpeg's name of what the frames are encoded as.

    Raises
    ------
    RecordError
        There is no such encoder, or it does not take these frames.
    """
    name = encoder_name(codec)
    try:
        offered = [f.name for f in Codec(name, "w").video_formats or ()]
    except UnknownCodecError as error:
        raise RecordError(
            f"record.video.codec '{codec}' is no encoder of this FFmpeg; "
            "allowed are e.g. libx264, nvenc, ffv1, raw"
        ) from error
    if name == "rawvideo":
        target = _RAW.get(pixel_format, "gray")
    else:
        choices = _choices(name, pixel_format)
        if width % 2 or height % 2:  # halved chroma needs even sizes
            choices = tuple(c for c in choices if "420" not in c and "422" not in c and c != "nv12")
        target = next((c for c in choices if c in offered or not offered), None)
    if target is None:
        way_out = "ffv1 or libx265" if pixel_format in _WIDE_CHOICES else "ffv1 or libx264"
        raise RecordError(
            f"record.video.codec '{codec}' takes no {pixel_format} frames of {width} x {height}; "
            f"use {way_out}"
        )
    return target


def _choices(name: str, pixel_format: str) -> tuple[str, ...]:
    if pixel_format in _WIDE_CHOICES:
        return _WIDE_CHOICES[pixel_format]
    if pixel_format in GREY_FORMATS:
        return _GREY_CHOICES
    if name == "mjpeg":
        return _FULL_RANGE
    own = _YUV_CHOICES.get(pixel_format, ())
    return (*own, *(_COLOUR_CHOICES if name in _LOSSLESS else _LOSSY_FIRST))


def configure(
    context: VideoCodecContext, options: EncoderOptions, target: str, size: tuple[int, int], *, grey: bool
) -> None:
    """Set everything that the encoder is told, and open it.

    Parameters
    ----------
    context : VideoCodecContext
        Of the encoder `encoder_name(options.codec)`, not open yet.
    target : str
        From `target_format`.
    size : tuple of int
        Width and height, px.
    grey : bool
        Luma is the camera's grey, value by value: full range.

    Raises
    ------
    RecordError
        The encoder cannot be opened, or has no such option.
    """
    rate = nominal_rate(options)
    context.width, context.height = size
    context.pix_fmt, context.time_base, context.framerate = target, TIME_BASE, rate
    context.gop_size = math.ceil(rate)
    context.thread_count, context.thread_type = options.threads, "SLICE"
    _tag_colours(context, target, grey)
    context.options = _encoder_options(options)
    try:
        context.open()
    except (av.error.FFmpegError, OSError) as error:
        raise RecordError(_why_not_open(options.codec, target, size, error)) from error
    if context.options:
        raise RecordError(
            f"encoder {options.codec} has no option {', '.join(map(repr, context.options))}; "
            f"see 'ffmpeg -h encoder={encoder_name(options.codec)}' for those it has"
        )


def try_encoder(options: EncoderOptions, size: tuple[int, int], pixel_format: str) -> str:
    """Open the encoder and encode one black frame into nothing.

    Returns
    -------
    str
        In words: the encoder, and what the frames are stored as.

    Raises
    ------
    RecordError
        It does not work here; the text says why and names the way out.
    """
    target = target_format(options.codec, pixel_format, *size)
    name = encoder_name(options.codec)
    context = cast("VideoCodecContext", CodecContext.create(name, "w"))
    configure(context, options, target, size, grey=pixel_format in GREY_FORMATS)
    frame = VideoFrame(*size, target)
    for index in range(len(frame.planes)):
        frame.planes[index].update(bytes(frame.planes[index].buffer_size))
    frame.pts, frame.time_base = 0, TIME_BASE
    try:
        context.encode(frame)
        context.encode(None)
    except (av.error.FFmpegError, OSError) as error:
        raise RecordError(_why_not_open(options.codec, target, size, error)) from error
    return f"{options.codec} ({Codec(name, 'w').long_name}), {pixel_format} as {target}"


def _why_not_open(codec: str, target: str, size: tuple[int, int], error: Exception) -> str:
    reason = getattr(error, "strerror", None) or str(error)
    text = f"cannot open the encoder {codec} ({target}, {size[0]} x {size[1]}): {reason}"
    if not encoder_name(codec).endswith("_nvenc"):
        return text
    return f"{text}: {_why_no_nvenc()}; use codec libx264"


def _why_no_nvenc() -> str:
    libraries = (
        ("nvcuda.dll", "nvEncodeAPI64.dll")
        if sys.platform == "win32"
        else ("libcuda.so.1", "libnvidia-encode.so.1")
    )
    reasons = (
        "there is no NVIDIA GPU or no driver ({} is missing)",
        "the NVIDIA driver came without its video part ({} is missing; in a container set "
        "NVIDIA_DRIVER_CAPABILITIES=compute,video,utility)",
    )
    for library, why in zip(libraries, reasons, strict=True):
        try:
            ctypes.CDLL(library)
        except OSError:
            return why.format(library)
    return "this GPU has no NVENC, does not know this format or size, or has no free session"


def _encoder_options(options: EncoderOptions) -> dict[str, str]:
    name = encoder_name(options.codec)
    nvenc = name.endswith("_nvenc")
    chosen: dict[str, str] = {}
    if name in ("libx264", "libx265"):
        chosen = {"preset": "ultrafast", "tune": "zerolatency"}
        if name == "libx265":
            chosen["x265-params"] = "log-level=error"  # else it writes to the terminal
    elif name == "ffv1":
        chosen = {"level": "3", "slicecrc": "1"}  # with checksums, so that damage is seen
    elif nvenc:
        chosen = {"preset": "p2", "tune": "ll", "delay": "0", "forced-idr": "1"}
    if options.preset is not None:
        chosen["preset"] = options.preset
    if options.crf is not None:
        chosen |= {"rc": "vbr", "cq": str(options.crf)} if nvenc else {"crf": str(options.crf)}
    if options.qp is not None:
        chosen |= {"rc": "constqp", "qp": str(options.qp)} if nvenc else {"qp": str(options.qp)}
    return chosen | options.options


def _tag_colours(context: VideoCodecContext, target: str, is_grey: bool) -> None:
    if is_grey:
        context.color_range = ColorRange.JPEG
    elif target.startswith(("yuv", "nv12")):
        context.color_range = ColorRange.JPEG if target.startswith("yuvj") else ColorRange.MPEG
        context.colorspace = Colorspace.SMPTE170M

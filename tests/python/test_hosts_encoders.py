"""Tests of fastpose.hosts.encoders: which encoder is meant, what it is fed, why it cannot be used."""

from __future__ import annotations

import ctypes

import pytest
from av.codec import Codec

from fastpose.errors import RecordError
from fastpose.hosts.encoders import encoder_name, target_format, try_encoder
from fastpose.hosts.spawn import EncoderOptions


def options(codec: str, **more: object) -> EncoderOptions:
    return EncoderOptions("", "", "", "top", codec=codec, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("codec", "name"),
    [("nvenc", "h264_nvenc"), ("raw", "rawvideo"), ("libx264", "libx264"), ("hevc_nvenc", "hevc_nvenc")],
)
def test_names(codec: str, name: str) -> None:
    assert encoder_name(codec) == name


@pytest.mark.parametrize(
    ("codec", "pixel_format", "size", "expected"),
    [
        ("libx264", "mono8", (640, 480), "gray"),
        ("libx264", "bayer_rg8", (641, 479), "gray"),
        ("libx264", "mono10", (640, 480), "gray10le"),
        ("libx265", "mono12", (640, 480), "gray12le"),
        ("libx264", "rgb8", (640, 480), "yuv420p"),
        ("libx264", "rgb8", (641, 480), "yuv444p"),
        ("libx264", "yuyv", (640, 480), "yuv422p"),
        ("libx264", "nv12", (640, 480), "nv12"),
        ("nvenc", "mono8", (640, 480), "yuv420p"),
        ("ffv1", "rgb8", (641, 479), "bgr0"),
        ("ffv1", "mono12", (641, 479), "gray12le"),
        ("ffv1", "nv12", (640, 480), "yuv420p"),
        ("ffv1", "yuyv", (640, 480), "yuv422p"),
        ("raw", "mono8", (641, 479), "gray"),
        ("raw", "rgb8", (641, 479), "bgr24"),
    ],
)
def test_what_frames_are_encoded_as(
    codec: str, pixel_format: str, size: tuple[int, int], expected: str
) -> None:
    if encoder_name(codec) == "h264_nvenc" and not _has_encoder("h264_nvenc"):
        pytest.skip("this FFmpeg was built without nvenc")
    assert target_format(codec, pixel_format, *size) == expected


def _has_encoder(name: str) -> bool:
    try:
        return bool(Codec(name, "w"))
    except ValueError:
        return False


@pytest.mark.parametrize(
    ("codec", "pixel_format", "expected"),
    [
        ("libx264", "mono12", "takes no mono12 frames of 64 x 48; use ffv1 or libx265"),
        ("raw", "mono10", "takes no mono10 frames of 64 x 48; use ffv1 or libx265"),
        ("mjpeg", "mono10", "takes no mono10 frames"),
        ("vhs", "mono8", "'vhs' is no encoder of this FFmpeg; allowed are e.g. libx264, nvenc, ffv1, raw"),
    ],
)
def test_what_no_encoder_takes(codec: str, pixel_format: str, expected: str) -> None:
    with pytest.raises(RecordError, match=expected):
        target_format(codec, pixel_format, 64, 48)


@pytest.mark.parametrize("codec", ["libx264", "ffv1", "raw", "mjpeg"])
@pytest.mark.parametrize("pixel_format", ["mono8", "rgb8"])
def test_an_encoder_that_works(codec: str, pixel_format: str) -> None:
    told = try_encoder(options(codec), (640, 480), pixel_format)
    assert told.startswith(f"{codec} (") and f"{pixel_format} as " in told


def test_an_encoder_that_refuses_its_options() -> None:
    with pytest.raises(RecordError, match="cannot open the encoder libx264"):
        try_encoder(options("libx264", preset="quick"), (640, 480), "mono8")
    with pytest.raises(RecordError, match="has no option 'presett'"):
        try_encoder(options("libx264", options={"presett": "fast"}), (640, 480), "mono8")


def test_nvenc_works_or_says_why_not() -> None:
    try:
        ctypes.CDLL("libcuda.so.1")
        ctypes.CDLL("libnvidia-encode.so.1")
    except OSError as error:
        missing = str(error).split(":")[0]
    else:
        missing = ""
    try:
        told = try_encoder(options("nvenc", qp=25), (640, 480), "mono8")
    except RecordError as error:
        assert str(error).startswith("cannot open the encoder nvenc (yuv420p, 640 x 480): ")
        assert (missing if missing else "this GPU has no NVENC") in str(error)
        assert str(error).endswith("; use codec libx264")
    else:
        assert not missing and told.startswith("nvenc (")

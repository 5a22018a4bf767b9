"""What was recorded comes back as the camera gave it: exactly, where the codec is lossless."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from fake_ring import FakeRing
from fastpose.errors import RecordError
from fastpose.hosts.encoder import Recorder
from fastpose.hosts.spawn import EncoderOptions
from fastpose.session.recorded import displayed_pixels, recorded_frames
from make_videos import make_video
from oracle.preprocess import demosaic

FORMATS = (
    *("mono8", "rgb8", "bgr8", "bayer_rg8", "bayer_gr8", "bayer_gb8", "bayer_bg8"),
    *("yuyv", "nv12", "mono10", "mono12"),
)
SHAPES = {"rgb8": (48, 64, 3), "bgr8": (48, 64, 3), "yuyv": (48, 64, 2), "nv12": (72, 64)}
WHITE = {"mono10": 1023, "mono12": 4095}


def noise(pixel_format: str, count: int = 3) -> list[npt.NDArray[np.uint8 | np.uint16]]:
    rng = np.random.default_rng(7)
    shape, white = SHAPES.get(pixel_format, (48, 64)), WHITE.get(pixel_format, 255)
    kind = np.uint16 if white > 255 else np.uint8
    return [rng.integers(0, white + 1, shape).astype(kind) for _ in range(count)]


def record(
    folder: Path, pixel_format: str, frames: list[npt.NDArray[np.uint8 | np.uint16]], **how: object
) -> Path:
    """Record frames of 64 x 48 px."""
    ring = FakeRing(64, 48, pixel_format)
    for index, frame in enumerate(frames):
        ring.feed(frame, index, 1_000_000_000 + index * 10_000_000)
    path = folder / "video_top.mkv"
    options = EncoderOptions("fake", str(path), str(folder / "video_top.fplog"), "top", **how)  # type: ignore[arg-type]
    Recorder(ring, options).record()
    return path


@pytest.mark.parametrize("pixel_format", FORMATS)
@pytest.mark.parametrize("codec", ["ffv1", "raw"])
def test_lossless_codecs_keep_every_pixel(tmp_path: Path, codec: str, pixel_format: str) -> None:
    frames = noise(pixel_format)
    if codec == "raw" and pixel_format in WHITE:
        with pytest.raises(RecordError, match=f"'raw' takes no {pixel_format} frames.*use ffv1 or libx265"):
            record(tmp_path, pixel_format, frames, codec=codec)
        return
    path = record(tmp_path, pixel_format, frames, codec=codec)
    got = [frame.copy() for frame in recorded_frames(path)]
    assert len(got) == len(frames)
    for actual, expected in zip(got, frames, strict=True):
        assert actual.dtype == expected.dtype
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("pixel_format", FORMATS)
def test_libx264_comes_near_or_is_refused(tmp_path: Path, pixel_format: str) -> None:
    ramp = np.linspace(0.1, 0.9, 64)[None, :] * np.linspace(0.5, 1.0, 48)[:, None]
    shape, white = SHAPES.get(pixel_format, (48, 64)), WHITE.get(pixel_format, 255)
    grey = np.full(shape, 128) if len(shape) == 3 or shape[0] == 72 else ramp * white
    frames = [grey.astype(np.uint16 if white > 255 else np.uint8)]
    if pixel_format == "mono12":
        with pytest.raises(RecordError, match="'libx264' takes no mono12 frames"):
            record(tmp_path, pixel_format, frames, codec="libx264", crf=2)
        return
    (got,) = [frame.copy() for frame in recorded_frames(record(tmp_path, pixel_format, frames, crf=2))]
    assert got.shape == shape and got.dtype == frames[0].dtype
    assert np.abs(got.astype(int) - frames[0]).mean() < 0.02 * white


def test_says_that_a_video_is_not_ours(tmp_path: Path) -> None:
    path = make_video(tmp_path / "other.mkv", frames=2, width=64, height=48)
    with pytest.raises(RecordError, match="does not say what its camera delivered"):
        next(recorded_frames(path))
    (tmp_path / "no.mkv").write_bytes(b"nothing")
    with pytest.raises(RecordError, match="cannot read"):
        next(recorded_frames(tmp_path / "no.mkv"))


@pytest.mark.parametrize("pixel_format", ["bayer_rg8", "bayer_gr8", "bayer_gb8", "bayer_bg8"])
def test_bayer_is_shown_in_colour(pixel_format: str) -> None:
    rows, columns = np.mgrid[0:47, 0:61]
    mosaic = (60 + rows + columns + 40 * (rows % 2) + 15 * (columns % 2)).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(mosaic, format="gray")
    shown = displayed_pixels(frame, pixel_format)
    expected = demosaic(mosaic, pixel_format[6:8])
    assert shown.shape == (47, 61, 3)
    assert np.abs(shown - expected)[2:-2, 2:-2].max() <= 4


@pytest.mark.parametrize(("pixel_format", "shift"), [("mono10", 2), ("mono12", 4)])
def test_of_many_bits_the_upper_eight_are_shown(pixel_format: str, shift: int) -> None:
    (pixels,) = noise(pixel_format, 1)
    frame = av.VideoFrame.from_ndarray(pixels, format=f"gray{8 + shift}le")
    np.testing.assert_array_equal(displayed_pixels(frame, pixel_format), pixels >> shift)

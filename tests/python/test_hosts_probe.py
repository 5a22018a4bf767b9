"""Tests of fastpose.hosts.probe: what a file says of itself, and one clear line when it is no video."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastpose.errors import CameraError
from fastpose.hosts.probe import probe
from make_videos import RATE_HZ, make_video, text_file, truncate


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "size", "is_grey"),
    [
        ("ffv1", "gray", (320, 240), True),
        ("libx264", "yuvj420p", (320, 240), False),
        ("libx264", "yuvj444p", (641, 479), False),
    ],
)
def test_describes_a_video(
    tmp_path: Path, codec: str, pix_fmt: str, size: tuple[int, int], is_grey: bool
) -> None:
    path = make_video(
        tmp_path / "a.mkv", codec=codec, pix_fmt=pix_fmt, width=size[0], height=size[1], frames=12
    )
    info = probe(path)
    assert (info.width, info.height) == size
    assert info.rate_hz == pytest.approx(RATE_HZ)
    assert info.pix_format == pix_fmt
    assert info.is_grey is is_grey
    assert info.pixel_format == ("mono8" if is_grey else "rgb8")
    assert info.duration_s == pytest.approx(12 / RATE_HZ, abs=0.03)


def test_counts_frames_where_the_format_tells(tmp_path: Path) -> None:
    assert probe(make_video(tmp_path / "a.mp4", frames=12)).frames == 12
    assert probe(make_video(tmp_path / "a.mkv", frames=12)).frames is None


def test_what_is_no_video(tmp_path: Path) -> None:
    cases = {
        tmp_path / "absent.mp4": "does not exist",
        tmp_path: "is a folder",
        text_file(tmp_path / "notes.mp4"): "is no video that FFmpeg can read",
        text_file(tmp_path / "notes.txt"): "holds no video stream",
        truncate(make_video(tmp_path / "cut.mp4"), 0.5): "is no video that FFmpeg can read",
    }
    for path, expected in cases.items():
        with pytest.raises(CameraError, match=expected) as raised:
            probe(path)
        assert str(path) in str(raised.value)
        assert "\n" not in str(raised.value)
        assert isinstance(raised.value, OSError)

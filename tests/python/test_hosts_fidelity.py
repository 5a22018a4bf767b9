"""Recorded pixels are compared with the camera's while they are recorded, and the numbers are right."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from fake_ring import FakeRing
from fastpose.hosts.encoder import Recorder
from fastpose.hosts.fidelity import psnr_db
from fastpose.hosts.spawn import EncoderOptions
from fastpose.session.recorded import recorded_frames
from make_videos import grey_frame

PERIOD_NS = 10_000_000


def told_of(
    folder: Path, frames: list[np.ndarray], pixel_format: str = "mono8", **how: object
) -> dict[str, object]:
    """What the recorder tells of 160 x 120 px at 100 Hz."""
    ring = FakeRing(160, 120, pixel_format)
    for index, frame in enumerate(frames):
        ring.feed(frame, index, 5_000_000_000 + index * PERIOD_NS)
    options = EncoderOptions("fake", str(folder / "v.mkv"), str(folder / "v.fplog"), "top", **how)  # type: ignore[arg-type]
    Recorder(ring, options).record()
    told: dict[str, object] = json.loads((folder / "v.json").read_text())
    return told


def test_psnr() -> None:
    assert psnr_db(0.0, 255) is None
    assert psnr_db(1.0, 255) == pytest.approx(48.1308, abs=1e-4)
    assert psnr_db(255.0**2, 255) == 0


@pytest.mark.parametrize("codec", ["ffv1", "raw"])
@pytest.mark.parametrize("pixel_format", ["mono8", "bayer_gb8", "rgb8", "yuyv", "nv12"])
def test_lossless_is_exact(tmp_path: Path, codec: str, pixel_format: str) -> None:
    shape = {"rgb8": (120, 160, 3), "yuyv": (120, 160, 2), "nv12": (180, 160)}.get(pixel_format, (120, 160))
    rng = np.random.default_rng(3)
    frames = [rng.integers(0, 256, shape, dtype=np.uint8) for _ in range(6)]
    told = told_of(tmp_path, frames, pixel_format, codec=codec)
    assert told["compared_frames"] == 4
    assert (told["exact"], told["psnr_db"], told["largest_difference"]) == (True, None, 0)
    assert told["codec"] == codec


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mjpeg"])
def test_lossy_is_what_the_file_says(tmp_path: Path, codec: str) -> None:
    """The first four frames of the file against those of the camera give the same numbers."""
    frames = [grey_frame(i, 160, 120) for i in range(6)]
    more = {"options": {"x265-params": "log-level=none"}} if codec == "libx265" else {}
    told = told_of(tmp_path, frames, codec=codec, **more)
    got = [frame.copy() for frame in recorded_frames(tmp_path / "v.mkv")]
    difference = np.stack(got[:4]).astype(float) - np.stack(frames[:4])
    assert told["compared_frames"] == 4 and told["exact"] is False
    assert told["largest_difference"] == np.abs(difference).max()
    assert told["psnr_db"] == pytest.approx(10 * math.log10(255**2 / np.square(difference).mean()), abs=1e-3)


def test_frames_are_compared_again_after_half_a_minute(tmp_path: Path) -> None:
    frames = [grey_frame(i % 50, 160, 120) for i in range(3200)]
    assert told_of(tmp_path, frames)["compared_frames"] == 8


def test_frames_that_come_late_out_of_the_encoder(tmp_path: Path) -> None:
    """Presets that look ahead: what can be decoded is compared, nothing is claimed of the rest."""
    frames = [grey_frame(i, 160, 120) for i in range(60)]
    told = told_of(tmp_path, frames, preset="medium", options={"tune": "film"})
    assert 1 <= int(str(told["compared_frames"])) <= 4
    assert float(str(told["psnr_db"])) > 30

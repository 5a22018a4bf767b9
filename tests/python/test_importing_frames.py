"""Frames for the reference of a package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fastpose.errors import ModelError
from fastpose.importing.frames import read_frames, reference_frames


def test_seeded_frames_are_the_same_each_time() -> None:
    first, second = (reference_frames(None, size=(64, 48), count=2) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.shape == (2, 48, 64, 3) and first.std() > 10
    assert reference_frames(None, size=(64, 48), count=2, colour="grey").shape == (2, 48, 64)


def test_images_of_one_size_are_taken(tmp_path: Path) -> None:
    for index, width in enumerate((20, 20, 30, 20)):
        pixels = np.full((10, width, 3), index, np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"img{index}.png")
    frames = read_frames(tmp_path, count=4)
    assert frames.shape == (3, 10, 20, 3)
    assert frames[:, 0, 0, 0].tolist() == [0, 1, 3]
    assert read_frames(tmp_path / "img2.png", colour="grey").shape == (1, 10, 30)


def test_what_is_no_frames(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nothing there; allowed: a video, an image, a folder of images"):
        read_frames(tmp_path)
    (tmp_path / "film.mp4").write_bytes(b"no film")
    with pytest.raises(ModelError, match=r"film.mp4' cannot be read \("):
        read_frames(tmp_path / "film.mp4")

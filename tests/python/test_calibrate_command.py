"""``fastpose calibrate`` on real pictures of a chessboard, and on a drawn one whose homography is known."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from fastpose.calibrate_command import Board, calibrate
from fastpose.cli import app
from fastpose.config import config_from
from fastpose.config.homography import map_places
from fastpose.errors import ConfigError
from sample_config import changed

pytest.importorskip("cv2", reason="OpenCV is not installed (extra 'calibrate')")

DATA = Path(os.environ.get("FASTPOSE_DATA", "../shared/data"), "stereo-checkerboard")
MATRIX = np.array([[0.5, 0.06, -60.0], [-0.04, 0.52, -40.0], [2e-4, -1e-4, 1.0]])  # px to mm


def drawn(folder: Path) -> Path:
    """A board of 9x6 inner corners, squares of 25 mm, seen askew; its first inner corner is (0, 0) mm."""
    x, y = np.meshgrid(np.arange(0, 900, 0.25), np.arange(0, 640, 0.25))
    mm = map_places(MATRIX, np.stack([x.ravel(), y.ravel()], -1)).reshape(*x.shape, 2)
    squares = np.floor(mm / 25).astype(int)
    on_board = ((squares >= -1) & (squares < [9, 6])).all(axis=-1)
    fine = np.where(on_board & (squares.sum(axis=-1) % 2 == 0), 20.0, 235.0)
    grey = fine.reshape(640, 4, 900, 4).mean(axis=(1, 3))  # each pixel's mean, its centre 0.375 px on
    Image.fromarray(grey.astype(np.uint8)).save(folder / "board.png")
    return folder / "board.png"


def test_a_drawn_board_gives_its_homography(tmp_path: Path) -> None:
    found = calibrate(drawn(tmp_path), Board.parse("9x6", 25))
    assert (found.corners, found.size) == (54, (900, 640))
    assert found.rms_mm < 0.1
    px = np.array([[200.0, 150.0], [400.0, 300.0], [300.0, 350.0]])
    mm, expected = map_places(found.homography, px), map_places(MATRIX, px + 0.375)
    between = [np.linalg.norm(places[0] - places[1:], axis=1) for places in (mm, expected)]
    assert between[0] == pytest.approx(between[1], abs=0.2)  # whichever end OpenCV begins at


def test_what_it_writes_is_what_a_config_reads(tmp_path: Path) -> None:
    picture, output = drawn(tmp_path), tmp_path / "calibration.yaml"
    result = CliRunner().invoke(app, ["calibrate", str(picture), "--square-mm", "25", "-o", str(output)])
    assert result.exit_code == 0, result.output
    assert "54 corners, rms 0.0" in result.output
    config = config_from(changed("calibration", {"file": "calibration.yaml"}), base=tmp_path)
    assert config.calibration is not None
    found = calibrate(picture, Board.parse("9x6", 25))
    assert np.array(config.calibration.matrix) == pytest.approx(np.array(found.homography))


@pytest.mark.skipif(not DATA.is_dir(), reason=f"FASTPOSE_DATA has no {DATA.name}")
def test_real_pictures_of_a_board() -> None:
    found = calibrate(DATA / "left01.jpg", Board.parse("9x6", 30))
    assert found.corners == 54
    assert found.rms_mm < 1.0  # what is left is the lens' distortion
    assert found.largest_mm < 3.0


@pytest.mark.parametrize(
    ("corners", "square_mm", "text"),
    [
        ("9", 25, "--corners is '9'; allowed"),
        ("9x1", 25, "--corners is '9x1'"),
        ("9x6", 0, "--square-mm is 0"),
    ],
)
def test_a_board_that_cannot_be_is_refused(corners: str, square_mm: float, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        Board.parse(corners, square_mm)


def test_a_picture_without_the_board_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((200, 200), np.uint8)).save(tmp_path / "black.png")
    with pytest.raises(ConfigError, match="no chessboard with 9x6 inner corners in"):
        calibrate(tmp_path / "black.png", Board.parse("9x6", 25))
    with pytest.raises(ConfigError, match="no such picture"):
        calibrate(tmp_path / "nowhere.png", Board.parse("9x6", 25))

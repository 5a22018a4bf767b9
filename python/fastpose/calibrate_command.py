"""``fastpose calibrate``: a homography from px to mm out of a picture of a chessboard in the arena."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from fastpose.config.homography import Matrix, fit_homography, map_places
from fastpose.errors import ConfigError, DeviceError

__all__ = ["Board", "Found", "calibrate", "write_calibration"]


@dataclass(frozen=True)
class Board:
    """A chessboard: how many corners lie within it, and how wide a square is."""

    columns: int
    rows: int
    square_mm: float

    @classmethod
    def parse(cls, corners: str, square_mm: float) -> Board:
        """Return the board of corners such as "9x6"; raises ConfigError."""
        match = re.fullmatch(r"(\d+)x(\d+)", corners)
        sizes = [int(size) for size in match.groups()] if match else []
        if not sizes or min(sizes) < 2:
            raise ConfigError(f"--corners is {corners!r}; allowed: inner corners of the board, such as 9x6")
        if not square_mm > 0:
            raise ConfigError(f"--square-mm is {square_mm:g}; allowed: the width of a square, above 0")
        columns, rows = sizes
        return cls(columns, rows, square_mm)

    def places_mm(self) -> NDArray[np.float64]:
        """Return the corners (n, 2), row by row; the first is (0, 0)."""
        rows, columns = np.mgrid[: self.rows, : self.columns]
        return np.stack([columns.ravel(), rows.ravel()], axis=-1) * self.square_mm


@dataclass(frozen=True)
class Found:
    """A calibration and how well it fits.

    Attributes
    ----------
    homography : Matrix
        From px to mm; (0, 0) mm is the board's first corner.
    size : tuple of int
        Width and height of the picture, px.
    corners : int
    rms_mm, largest_mm : float
        Distance of the corners, brought to the arena, from where the board has them.
    px_per_mm : float
        At the board.
    """

    homography: Matrix
    size: tuple[int, int]
    corners: int
    rms_mm: float
    largest_mm: float
    px_per_mm: float


def calibrate(picture: Path, board: Board) -> Found:
    """Find the board in a picture and fit the homography.

    A homography knows nothing of a lens' distortion: what is left of it shows in ``rms_mm``.

    Raises
    ------
    ConfigError
        The picture cannot be read, or the board is not in it.
    DeviceError
        OpenCV is not installed.
    """
    grey = _grey(picture)
    px = _corners(grey, board, picture)
    mm = board.places_mm()
    matrix = fit_homography(px, mm)
    away = np.linalg.norm(map_places(matrix, px) - mm, axis=1)
    step = np.linalg.norm(np.diff(px.reshape(board.rows, board.columns, 2), axis=1), axis=-1)
    return Found(
        homography=matrix,
        size=(grey.shape[1], grey.shape[0]),
        corners=len(px),
        rms_mm=float(np.sqrt((away**2).mean())),
        largest_mm=float(away.max()),
        px_per_mm=float(step.mean() / board.square_mm),
    )


def write_calibration(found: Found, picture: Path, output: Path) -> None:
    """Write what a config reads with ``calibration: {file: ...}``."""
    rows = [[float(x) for x in row] for row in found.homography]
    text = yaml.safe_dump({"calibration": {"homography": rows}}, default_flow_style=None, sort_keys=False)
    width, height = found.size
    head = (
        f"# From {picture.name}, {width}x{height} px: {found.corners} corners, rms {found.rms_mm:.3f} mm, "
        f"largest {found.largest_mm:.3f} mm.\n"
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(head + text, encoding="utf-8")


def _grey(picture: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(picture) as image:
            return np.asarray(image.convert("L"))
    except FileNotFoundError:
        raise ConfigError(f"no such picture: '{picture}'") from None
    except (OSError, UnidentifiedImageError) as error:
        raise ConfigError(f"'{picture}' is no picture that can be read: {error}") from None


def _corners(grey: NDArray[np.uint8], board: Board, picture: Path) -> NDArray[np.float64]:
    """Return the inner corners (n, 2) in px, row by row, to a fraction of a pixel."""
    cv2 = _opencv()
    found, corners = cv2.findChessboardCorners(
        grey,
        (board.columns, board.rows),
        flags=cv2.CALIB_CB_ADAPTIVE_THRESH | cv2.CALIB_CB_NORMALIZE_IMAGE,
    )
    if not found:
        raise ConfigError(
            f"no chessboard with {board.columns}x{board.rows} inner corners in '{picture}'; allowed: the "
            "whole board in view, flat, evenly lit, with a white margin"
        )
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 50, 1e-4)
    refined = cv2.cornerSubPix(grey, corners, (5, 5), (-1, -1), criteria)
    return np.asarray(refined, float).reshape(-1, 2)


def _opencv() -> Any:
    try:
        return importlib.import_module("cv2")
    except ImportError:
        raise DeviceError("calibrate needs OpenCV: pip install 'fastpose-rig[calibrate]'") from None

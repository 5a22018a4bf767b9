"""What a stimulus looks like at a moment: images, videos, gratings, plain colour; NumPy, no screen."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fastpose.config.beside import Grating, Stimulus
from fastpose.errors import OutputError

__all__ = ["Picture", "grating_pixels", "make_picture"]

Pixels = npt.NDArray[np.uint8]
_LONGEST_VIDEO = 1800  # frames that are held: a minute at 30 Hz


class Picture(Protocol):
    """A stimulus."""

    moves: bool

    def at(self, since_s: float) -> Pixels:
        """(H, W, 3) uint8 rgb, so long after it came up."""


class _Still:
    moves = False

    def __init__(self, pixels: Pixels) -> None:
        self._pixels = pixels

    def at(self, since_s: float) -> Pixels:
        return self._pixels


class _Video:
    """Frames held in memory, shown by the clock of the file."""

    moves = True

    def __init__(self, frames: list[Pixels], rate_hz: float) -> None:
        self._frames, self._rate_hz = frames, rate_hz

    def at(self, since_s: float) -> Pixels:
        return self._frames[int(since_s * self._rate_hz) % len(self._frames)]


class _Grating:
    def __init__(self, spec: Grating, size: tuple[int, int]) -> None:
        self._spec, self._size, self.moves = spec, size, spec.drift_hz != 0
        self._cycles = _cycles(spec, size)

    def at(self, since_s: float) -> Pixels:
        return _shade(self._cycles - np.float32(self._spec.drift_hz * since_s), self._spec.contrast)


def _cycles(spec: Grating, size: tuple[int, int]) -> npt.NDArray[np.float32]:
    angle = math.radians(spec.angle_deg)
    x = np.arange(size[0], dtype=np.float32) - np.float32(size[0] / 2)
    y = np.arange(size[1], dtype=np.float32)[:, None] - np.float32(size[1] / 2)
    along = x * np.float32(math.cos(angle)) + y * np.float32(math.sin(angle))
    return np.asarray(along / np.float32(spec.period_px), np.float32)


def _shade(cycles: npt.NDArray[np.float32], contrast: float) -> Pixels:
    wave = np.sin(np.float32(2 * math.pi) * cycles)
    grey = np.rint(127.5 * (1 + np.float32(contrast) * wave)).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def grating_pixels(spec: Grating, size: tuple[int, int], since_s: float) -> Pixels:
    """(H, W, 3) uint8 of a grating on a screen of `size` (width, height), so long after it came up."""
    return _Grating(spec, size).at(since_s)


def make_picture(spec: Stimulus, size: tuple[int, int]) -> Picture:
    """The stimulus for a screen of `size` (width, height), px.

    Raises
    ------
    OutputError
        Its file cannot be read.
    """
    if spec.grating is not None:
        return _Grating(spec.grating, size)
    if spec.image is not None:
        return _Still(_image(spec.image, size))
    if spec.video is not None:
        return _video(spec.video, size)
    assert spec.colour is not None
    return _Still(np.full((size[1], size[0], 3), spec.colour, np.uint8))


def _image(path: Path, size: tuple[int, int]) -> Pixels:
    from PIL import Image

    try:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
    except OSError as error:
        raise OutputError(f"stimulus.image '{path}' cannot be read: {error}") from error
    image.thumbnail(size)  # larger ones are made to fit, smaller ones stay
    return np.asarray(image)


def _video(path: Path, size: tuple[int, int]) -> _Video:
    import av

    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            rate_hz = float(stream.average_rate or 30)
            frames = [_fitted(frame, size) for frame in container.decode(stream)]
    except (OSError, IndexError, av.FFmpegError) as error:
        raise OutputError(f"stimulus.video '{path}' cannot be read: {error}") from error
    if not 0 < len(frames) <= _LONGEST_VIDEO:
        raise OutputError(f"stimulus.video '{path}' has {len(frames)} frames; allowed: 1 to {_LONGEST_VIDEO}")
    return _Video(frames, rate_hz)


def _fitted(frame: object, size: tuple[int, int]) -> Pixels:
    width, height = frame.width, frame.height  # type: ignore[attr-defined]
    scale = min(1.0, size[0] / width, size[1] / height)
    to = frame.reformat(round(width * scale), round(height * scale), "rgb24")  # type: ignore[attr-defined]
    return np.asarray(to.to_ndarray())

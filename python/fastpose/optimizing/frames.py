"""Frames to optimise on: some to measure ranges of values, others held back to measure the cost in pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose.errors import ModelError
from fastpose.importing.frames import image_files, read_frames
from fastpose.model_package import ModelPackage

__all__ = ["LEAST", "Split", "frames_of"]

LEAST = 8
_WANTED = 160

Frames = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Split:
    """Frames (n, H, W[, 3]) uint8, rgb order for colour.

    Attributes
    ----------
    calibration : ndarray
        Ranges of values are measured on these.
    held : ndarray
        The cost in pixels is measured on these.
    source : str
        Where they are from.
    """

    calibration: Frames
    held: Frames
    source: str


def frames_of(package: ModelPackage, source: Path | None) -> Split:
    """Frames spread over the source, every third held back.

    Parameters
    ----------
    package : ModelPackage
    source : Path or None
        Video, image or folder of images; None: the package's own reference frames.

    Raises
    ------
    ModelError
        The source cannot be read, or has fewer than 8 frames.
    """
    frames = _reference(package) if source is None else _read(source, package.colour)
    name = "reference.npz" if source is None else source.name
    if len(frames) < LEAST:
        raise ModelError(
            f"{len(frames)} frames in '{name}'; needed are {LEAST} at least, better 100 and more of what the "
            "network will see: give them with --frames VIDEO or --frames FOLDER"
        )
    held = np.arange(len(frames)) % 3 == 2
    return Split(frames[~held], frames[held], name)


def _reference(package: ModelPackage) -> Frames:
    path = package.folder / "reference.npz"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return np.asarray(arrays["frames"], np.uint8)
    except (OSError, ValueError, KeyError, EOFError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(
            f"'{path}' cannot be read ({reason}); give frames with --frames VIDEO or --frames FOLDER"
        ) from None


def _read(source: Path, colour: str) -> Frames:
    if source.is_dir() or image_files(source):
        return read_frames(source, count=_WANTED, colour=colour)
    return _video(source, "rgb24" if colour == "rgb" else "gray")


def _video(source: Path, pixel_format: str) -> Frames:
    """Frames spread over the whole video."""
    import av

    try:
        with av.open(str(source)) as container:
            step = max(1, (container.streams.video[0].frames or 300) // _WANTED)
            frames = list(_every(step, container, pixel_format))
    except (OSError, ValueError, IndexError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(
            f"frames '{source}' cannot be read ({reason}); allowed: a video, an image, a folder of images"
        ) from None
    return np.stack(frames) if frames else np.empty((0, 1, 1), np.uint8)


def _every(step: int, container: Any, pixel_format: str) -> Iterator[Frames]:
    taken = 0
    for index, frame in enumerate(container.decode(video=0)):
        if index % step == 0:
            yield frame.to_ndarray(format=pixel_format)
            taken += 1
        if taken == _WANTED:
            return

"""Frames of a real recording, cut to the size of each case; seeded frames where there is none."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fastpose.importing.seeded import seeded_frames
from fastpose.model import load_model

__all__ = ["CALIBRATION", "FITTED", "SEED", "SHOWN", "VIDEO", "Scene", "Size", "frames_of", "read_scene"]

Frames = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]
Size = tuple[int, int]  # width, height; px
VIDEO = Path("openfield-Pranav-2018-10-30") / "videos" / "m3v1mp4.mp4"
TEACHER = "models/openfield"
SEED = 31
RECORDED: Size = (640, 480)
AROUND_PX = 24  # by which the animal lies beside the middle of a window

FITTED = [number * 44 + 7 for number in range(48)]
"""Numbers of the frames that heads are fitted to."""
CALIBRATION = [number * 18 + 3 for number in range(128)]
"""Numbers of the frames that `fastpose import` and `fastpose optimize` get."""
SHOWN = {"window": [number * 61 + 20 for number in range(16)], "arena": list(range(600, 632))}
"""Numbers of the frames that are compared on: spread over the recording, or one after the other."""


@dataclass(frozen=True)
class Scene:
    """Grey frames of a recording and where the animal is.

    Attributes
    ----------
    source : str
        Name of the recording, or "seeded".
    frames : ndarray
        (n, 480, 640) uint8.
    points : ndarray or None
        (n, K, 2) px by models/openfield; None where there is no animal.
    """

    source: str
    frames: Frames
    points: Points | None


def read_scene(numbers: list[int]) -> Scene:
    """Read frames of the recording in the folder that ``FASTPOSE_DATA`` names (default ../shared/data)."""
    video = Path(os.environ.get("FASTPOSE_DATA", "../shared/data")) / VIDEO
    if not video.exists():
        frames = seeded_frames(len(numbers), RECORDED[1], RECORDED[0], SEED)[..., 1]
        return Scene("seeded", np.ascontiguousarray(frames), None)
    frames = _read(video, numbers)
    teacher = load_model(TEACHER, device="cpu", precision="fp32")
    points = np.stack([np.asarray(teacher.estimate(frame))[:, :2] for frame in frames])
    return Scene(VIDEO.name, frames, points.astype(np.float64))


def _read(video: Path, numbers: list[int]) -> Frames:
    import av

    wanted, found = set(numbers), {}
    with av.open(str(video)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number in wanted:
                found[number] = frame.to_ndarray(format="gray")
            if number >= max(wanted):
                break
    return np.stack([found[number] for number in numbers])


def frames_of(scene: Scene, size: Size, *, arena: bool, seed: int = SEED) -> tuple[Frames, Points | None]:
    """Windows of a scene.

    Parameters
    ----------
    scene : Scene
    size : tuple of int
        Width and height, px. The recording's own size gives whole frames.
    arena : bool
        The recording lies in the middle of a larger frame, its edges continued; else each window lies around
        the animal, up to 24 px beside its middle.

    Returns
    -------
    frames : (n, height, width) uint8
    points : (n, K, 2) px in the window, or None
    """
    corners = _corners(scene, size, arena, seed)
    frames = np.stack([_window(f, c, size) for f, c in zip(scene.frames, corners, strict=True)])
    return frames, None if scene.points is None else scene.points - corners[:, None]


def _corners(scene: Scene, size: Size, arena: bool, seed: int) -> npt.NDArray[np.int64]:
    """Upper left corner of each window in its frame, px: x, y; may lie outside."""
    centre = np.broadcast_to(np.array(RECORDED) / 2, (len(scene.frames), 2))
    if size != RECORDED and not arena and scene.points is not None:
        beside = np.random.default_rng(seed).uniform(-AROUND_PX, AROUND_PX, centre.shape)
        centre = (scene.points.min(1) + scene.points.max(1)) / 2 + beside
    return np.asarray(np.rint(centre - np.array(size) / 2), np.int64)


def _window(frame: Frames, corner: npt.NDArray[np.int64], size: Size) -> Frames:
    """The frame's edges continue where the window lies outside."""
    rows = np.clip(corner[1] + np.arange(size[1]), 0, frame.shape[0] - 1)
    columns = np.clip(corner[0] + np.arange(size[0]), 0, frame.shape[1] - 1)
    return np.ascontiguousarray(frame[rows[:, None], columns[None]])

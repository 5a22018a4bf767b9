"""Zones that the keypoint enters or leaves with every frame: each frame has an output edge to be timed."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose import load_model

__all__ = ["comb", "half_plane"]

SPINE_PX = 1.0  # of the comb, along the upper edge of the frame where no keypoint is

Frame = npt.NDArray[np.uint8]


def comb(frame_size: tuple[int, int], cells: int) -> dict[str, Any]:
    """A comb with a tooth over every other column of the map.

    The stored maps of the fake network have their peak one column further with each frame.

    Parameters
    ----------
    frame_size : tuple of int
        Width and height, px.
    cells : int
        Columns of the map over that width.
    """
    width, height = frame_size
    pitch, bottom = width / cells, float(height - 1)
    corners: list[tuple[float, float]] = [(0.0, 0.0)]
    for cell in range(0, cells - 1, 2):
        left, right = cell * pitch, (cell + 1) * pitch
        if cell:
            corners.append((left, SPINE_PX))
        corners += [(left, bottom), (right, bottom), (right, SPINE_PX)]
    corners[-1] = (corners[-1][0], 0.0)  # the last tooth closes the spine
    return {"polygon": corners}


def half_plane(network: str, frames: list[Frame]) -> tuple[str, dict[str, Any]]:
    """The body part that is furthest apart in two frames, and the half of the frame that it is in once.

    Parameters
    ----------
    network : str
        Model package; what it finds decides, not where the animal is.
    frames : list of ndarray
        Two frames, (H, W) uint8, that the camera shows in turn.
    """
    # In a process of its own: a runtime that has run here already keeps what it chose then.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as apart:
        bodyparts, (first, second) = apart.submit(_estimates, network, frames).result()
    part, axis = np.unravel_index(np.argmax(np.abs(second - first)), first.shape)
    border = float(first[part, axis] + second[part, axis]) / 2
    height, width = frames[0].shape
    size = {"width": width - 1.0, "height": height - 1.0} | {("width", "height")[axis]: border}
    return bodyparts[int(part)], {"rectangle": {"x": 0.0, "y": 0.0, **size}}


def _estimates(network: str, frames: list[Frame]) -> tuple[tuple[str, ...], list[Frame]]:
    model = load_model(network)
    return model.bodyparts, [np.asarray(model.estimate(frame))[:, :2] for frame in frames]

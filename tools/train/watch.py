"""Runs a network over a whole video, counts what no animal can do, and draws keypoints to look at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from .augment import Frame, Points

COLOURS = ((60, 60, 255), (60, 220, 60), (255, 120, 40), (0, 220, 255), (255, 60, 255))  # BGR, one a bodypart


def read_grey(path: Path) -> NDArray[np.uint8]:
    """All frames (N, H, W) of a video as full-range grey."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24")[..., 1] for frame in container.decode(video=0)]
    return np.stack(frames)


def follow(estimate: Callable[[Frame], Points], frames: NDArray[np.uint8]) -> Points:
    """Keypoints (N, K, 3) of every frame."""
    return np.stack([estimate(np.ascontiguousarray(frame)) for frame in frames])


def plausibility(poses: Points, *, jump_px: float = 50.0, body: tuple[int, int] = (0, 3)) -> dict[str, Any]:
    """Shares of frames with a jump, with a body length far from the median, and with a low likelihood."""
    steps = np.linalg.norm(np.diff(poses[..., :2], axis=0), axis=2)
    length = np.linalg.norm(poses[:, body[0], :2] - poses[:, body[1], :2], axis=1)
    odd = np.asarray(np.abs(length - np.median(length)) > 0.4 * np.median(length))
    low = np.asarray((poses[..., 2] < 0.6).any(axis=1))
    jumped = np.flatnonzero((steps > jump_px).any(axis=1)) + 1
    return {
        "frames": len(poses),
        "jump_px": jump_px,
        "frames_with_a_jump": len(jumped),
        "frames_with_odd_length": int(odd.sum()),
        "frames_with_low_likelihood": int(low.sum()),
        "odd_or_jumping_at_high_likelihood": int((odd & ~low).sum() + (~low[jumped]).sum()),
        "median_length_px": round(float(np.median(length)), 1),
        "median_likelihood": np.median(poses[..., 2], axis=0).round(3).tolist(),
        "median_step_px": np.median(steps, axis=0).round(2).tolist(),
        "jumps": jumped.tolist()[:40],
        "odd": np.flatnonzero(odd).tolist()[:40],
        "low": np.flatnonzero(low).tolist()[:40],
    }


def drawn(frame: Frame, pose: Points, label: str) -> NDArray[np.uint8]:
    """A colour picture of a frame with its keypoints; hollow where the likelihood is under 0.6."""
    picture = cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR)
    for (x, y, likelihood), colour in zip(pose, COLOURS, strict=False):
        centre = (round(float(x)), round(float(y)))
        cv2.circle(picture, centre, 4, colour, -1 if likelihood >= 0.6 else 1, cv2.LINE_AA)
    cv2.putText(picture, label, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (60, 60, 255), 2)
    return np.asarray(picture, dtype=np.uint8)


def sheet(frames: NDArray[np.uint8], poses: Points, chosen: list[int], columns: int = 4) -> NDArray[np.uint8]:
    """One picture of the chosen frames, in rows."""
    tiles = [drawn(np.ascontiguousarray(frames[i]), poses[i], str(i)) for i in chosen]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return np.vstack(rows)

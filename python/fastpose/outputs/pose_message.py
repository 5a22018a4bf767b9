"""What is said of a pose: the same words over every transport."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["PoseLayout", "PoseSample", "pose_json"]


@dataclass(frozen=True)
class PoseLayout:
    """What the numbers of a pose are: individuals and bodyparts, in order, and the camera's rate."""

    individuals: Sequence[str]
    bodyparts: Sequence[str]
    rate_hz: float


@dataclass(frozen=True)
class PoseSample:
    """One pose.

    Attributes
    ----------
    keypoints : ndarray
        (individuals, bodyparts, 3) float32 x, y in full-frame sensor px, likelihood; NaN: missing.
    """

    frame_id: int
    exposure_start_ns: int
    decided_ns: int
    keypoints: npt.NDArray[np.float32]


def pose_json(sample: PoseSample, layout: PoseLayout) -> str:
    """One line of JSON: frame_id, exposure_start_ns, decided_ns, keypoints by individual and bodypart."""
    keypoints = {
        individual: {
            bodypart: [None if math.isnan(value) else round(float(value), 4) for value in point]
            for bodypart, point in zip(layout.bodyparts, points, strict=True)
        }
        for individual, points in zip(layout.individuals, sample.keypoints, strict=True)
    }
    return json.dumps(
        {
            "frame_id": sample.frame_id,
            "exposure_start_ns": sample.exposure_start_ns,
            "decided_ns": sample.decided_ns,
            "keypoints": keypoints,
        }
    )

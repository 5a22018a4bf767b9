"""A pose: keypoints of the individuals at one time, as Python sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Pose"]


@dataclass(frozen=True, eq=False)
class Pose:
    """Keypoints of one frame, in full-frame sensor pixels.

    ``np.asarray(pose)`` gives (K, 3) float32 x, y, likelihood for one animal, (individuals, K, 3) for
    several; ``pose["snout"]`` one body part. Missing keypoints are NaN.

    Attributes
    ----------
    keypoints : ndarray
        (individuals, K, 3) float32 x, y (px), likelihood (0-1).
    bodyparts : tuple of str
        The K names.
    frame_id : int
        Consecutive per camera; -1 outside a session.
    exposure_start_ns : int
        Host clock; 0 outside a session.
    age_ns : int
        Time from exposure_start to the decision of the loop.
    rules : mapping of str to bool
        Value of each rule at this frame.
    """

    keypoints: npt.NDArray[np.float32]
    bodyparts: tuple[str, ...]
    frame_id: int = -1
    exposure_start_ns: int = 0
    age_ns: int = 0
    rules: Mapping[str, bool] = field(default_factory=dict)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        array = self.keypoints[0] if len(self.keypoints) == 1 else self.keypoints
        if dtype is not None and np.dtype(dtype) != array.dtype:
            if copy is False:
                wanted = np.dtype(dtype)
                raise ValueError(f"a pose is {array.dtype}: as {wanted} it cannot be had without a copy")
            return array.astype(dtype)
        return array.copy() if copy else array

    def __getitem__(self, bodypart: str) -> npt.NDArray[np.float32]:
        """Return x, y, likelihood of a body part: (3,), or (individuals, 3) for several animals."""
        if bodypart not in self.bodyparts:
            raise KeyError(f"no body part {bodypart!r}; the model has {', '.join(self.bodyparts)}")
        found = self.keypoints[:, self.bodyparts.index(bodypart)]
        return found[0] if len(found) == 1 else found

    def __repr__(self) -> str:
        individuals, bodyparts, _ = self.keypoints.shape
        return f"Pose(frame_id={self.frame_id}, individuals={individuals}, bodyparts={bodyparts})"

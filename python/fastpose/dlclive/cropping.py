"""The rectangle of the frame that the network sees: a fixed one, and one that follows the animal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose.errors import ConfigError

__all__ = ["Window", "dynamic_window", "static_window"]

Window = tuple[int, int, int, int]
"""x1, x2, y1, y2, px; x2 and y2 are outside."""


def static_window(cropping: Sequence[int] | None) -> Window | None:
    """Check the argument `cropping`.

    Raises
    ------
    ConfigError
        It is no rectangle.
    """
    if not cropping:
        return None
    values = [int(value) for value in cropping]
    if len(values) != 4 or not (0 <= values[0] < values[1] and 0 <= values[2] < values[3]):
        raise ConfigError(
            f"cropping is {list(cropping)}; allowed: [x1, x2, y1, y2] with 0 <= x1 < x2 and 0 <= y1 < y2"
        )
    return values[0], values[1], values[2], values[3]


def dynamic_window(
    pose: npt.NDArray[Any] | None, dynamic: tuple[bool, float, float], size: tuple[int, int]
) -> Window | None:
    """The window around the keypoints of the frame before; None: the whole frame.

    Parameters
    ----------
    pose : ndarray or None
        (K, 3), or (individuals, K, 3) with at most one individual: x, y (px, in this frame), likelihood.
    dynamic : tuple
        State, least likelihood, margin in px.
    size : tuple of int
        Width and height of the frame, px.

    Raises
    ------
    ValueError
        The pose has several individuals.
    """
    if not dynamic[0] or pose is None:
        return None
    if pose.ndim == 3:
        if len(pose) > 1:
            raise ValueError(
                f"dynamic cropping follows one animal, the pose has {len(pose)}; use dynamic=(False, ...)"
            )
        pose = pose.reshape(-1, 3)
    detected = pose[(pose[:, 2] >= dynamic[1]) & np.isfinite(pose[:, :2]).all(axis=1), :2]
    if not len(detected):
        return None
    (x1, x2), (y1, y2) = (_around(detected[:, axis], int(dynamic[2]), size[axis]) for axis in (0, 1))
    return (x1, x2, y1, y2) if x1 < x2 and y1 < y2 else None


def _around(values: npt.NDArray[Any], margin_px: int, limit: int) -> tuple[int, int]:
    return max(0, int(values.min()) - margin_px), min(limit, int(values.max()) + margin_px)

"""The base of processors: hands the pose through."""

from __future__ import annotations

from typing import Any

__all__ = ["Processor"]


class Processor:
    """Sees every pose and may change it; derive from it, or write any class with these two methods.

    Parameters
    ----------
    **kwargs
        Accepted and ignored.
    """

    def __init__(self, **kwargs: Any) -> None:
        pass

    def process(self, pose: Any, **kwargs: Any) -> Any:
        """Return what `DLCLive.get_pose` gives back.

        Parameters
        ----------
        pose : ndarray
            (K, 3) or (individuals, K, 3) float32 x, y, likelihood in px of the full frame.
        **kwargs
            What the caller gave to `get_pose`, for example `frame_time` (s).
        """
        return pose

    def save(self, file: Any = "") -> int:
        """Write what was collected; 0: there was nothing to write."""
        return 0

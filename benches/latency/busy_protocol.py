"""A Python protocol that is always behind: it computes for longer than any camera's period at each pose."""

from __future__ import annotations

import time

from fastpose import Outputs, Pose, Protocol

BUSY_S = 0.02


class BusyProtocol(Protocol):
    """Holds the GIL in pure Python for `BUSY_S` a pose."""

    def on_pose(self, pose: Pose, outputs: Outputs) -> None:
        """Compute, whatever the pose is."""
        end_s = time.perf_counter() + BUSY_S
        while time.perf_counter() < end_s:
            sum(range(100))

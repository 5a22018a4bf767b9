"""Real-time priority for the processes of a bench that stand for something which does not wait for a core."""

from __future__ import annotations

import contextlib
import os

__all__ = ["take_fifo"]


def take_fifo(priority: int) -> None:
    """SCHED_FIFO for this process; where it is not granted, what that costs is in the numbers."""
    with contextlib.suppress(OSError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))

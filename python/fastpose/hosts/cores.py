"""The cores of a hosted process: off the loop's, for as long as the process keeps up."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Collection
from pathlib import Path

__all__ = ["Cores"]

_TASKS = Path("/proc/self/task")


class Cores:
    """Keeps this process, with the threads that it will make, to a few cores.

    Parameters
    ----------
    cpus : collection of int
        Empty: it stays where it is.
    """

    def __init__(self, cpus: Collection[int]) -> None:
        self._all = os.sched_getaffinity(0) if sys.platform == "linux" else set()
        self.confined = bool(cpus) and bool(self._all)
        if self.confined:
            _keep_to(cpus)

    def spread(self) -> None:
        """Take all cores again, for all threads: a frame lost is worse than a loop that has company."""
        self.confined = False
        _keep_to(self._all)


def _keep_to(cpus: Collection[int]) -> None:
    if sys.platform != "linux":
        return
    for task in _TASKS.iterdir():
        with contextlib.suppress(OSError):  # it has ended, or a core is not there
            os.sched_setaffinity(int(task.name), cpus)

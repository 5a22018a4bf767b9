"""The threads of a network's runtime beside the loop's: found, kept off its core, and never FIFO.

A runtime makes its threads when the first network is compiled and keeps them for the life of the process;
it neither names them nor tells them. So they are those that appear while a network is loaded.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ComputeGrant", "noting_compute_threads", "place_compute_threads"]

EAGER = -20  # niceness: ahead of recording, which has a queue
_TASKS = Path("/proc/self/task")
_found: set[int] = set()


@dataclass(frozen=True)
class ComputeGrant:
    """What was done with the runtime's threads.

    Attributes
    ----------
    threads : int
    placed : int
        Those that keep to the cores that they were given.
    eager : bool
        All of them go before other normal threads.
    realtime_taken_away : int
        Those that had a real-time priority, which would fill the kernel's budget.
    """

    threads: int = 0
    placed: int = 0
    eager: bool = False
    realtime_taken_away: int = 0


@contextlib.contextmanager
def noting_compute_threads() -> Iterator[None]:
    """Remember the threads that appear meanwhile, but for Python's own."""
    before = _tasks()
    try:
        yield
    finally:
        python = {thread.native_id for thread in threading.enumerate()}
        _found.update(_tasks() - before - python)


def place_compute_threads(cpus: Sequence[int]) -> ComputeGrant:
    """Keep the noted threads to these cores (empty: to any) and to the normal policy."""
    alive = sorted(_found & _tasks())
    if sys.platform != "linux" or not alive:
        return ComputeGrant()
    taken = sum(_make_normal(task) for task in alive)
    eager = [_make_eager(task) for task in alive]
    placed = sum(_keep_to(task, cpus) for task in alive) if cpus else 0
    return ComputeGrant(len(alive), placed, all(eager), taken)


def _tasks() -> set[int]:
    try:
        return {int(task.name) for task in _TASKS.iterdir()}
    except OSError:
        return set()


def _make_normal(task: int) -> bool:
    """Take a real-time priority away; True where there was one."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            if os.sched_getscheduler(task) in (os.SCHED_FIFO, os.SCHED_RR):
                os.sched_setscheduler(task, os.SCHED_OTHER, os.sched_param(0))
                return True
    return False


def _make_eager(task: int) -> bool:
    try:
        os.setpriority(os.PRIO_PROCESS, task, EAGER)
    except OSError:
        return False
    return True


def _keep_to(task: int, cpus: Sequence[int]) -> bool:
    if sys.platform != "linux":
        return False
    try:
        os.sched_setaffinity(task, cpus)
    except OSError:
        return False
    return True

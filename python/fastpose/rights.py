"""What a user of a rig needs from the system for a steady loop, what it grants, and the way out where not."""

from __future__ import annotations

import os
import re
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "Budget",
    "fifo_way_out",
    "grants_fifo",
    "locked_memory_limit",
    "memory_way_out",
    "realtime_budget",
]

_CAP_IPC_LOCK = 14  # include/uapi/linux/capability.h
_LIMITS = "/etc/security/limits.conf"
_KERNEL = Path("/proc/sys/kernel")


@dataclass(frozen=True)
class Budget:
    """What the kernel leaves to real-time threads on each core.

    Attributes
    ----------
    runtime_us : int
        In each period, us; -1: no limit.
    period_us : int
    """

    runtime_us: int
    period_us: int

    @property
    def share(self) -> float:
        """Share of a core, 0-1."""
        if self.runtime_us < 0 or self.period_us <= 0:
            return 1.0
        return min(1.0, self.runtime_us / self.period_us)

    def __str__(self) -> str:
        if self.runtime_us < 0:
            return "sched_rt_runtime_us is -1: the kernel never stops real-time threads"
        stop_ms = (self.period_us - self.runtime_us) / 1000
        return (
            f"sched_rt_runtime_us is {self.runtime_us} of {self.period_us}: the kernel stops a real-time "
            f"thread that fills its core for {stop_ms:g} ms"
        )


def realtime_budget(folder: Path = _KERNEL) -> Budget | None:
    """Read what the kernel leaves to real-time threads; None where it says nothing."""
    try:
        runtime_us, period_us = (
            int((folder / f"sched_rt_{name}_us").read_text()) for name in ("runtime", "period")
        )
    except (OSError, ValueError):
        return None
    return Budget(runtime_us, period_us)


def grants_fifo() -> bool:
    """Try SCHED_FIFO on a thread of its own, which ends with it."""
    granted: list[bool] = []
    thread = threading.Thread(target=lambda: granted.append(_takes_fifo()))
    thread.start()
    thread.join()
    return granted == [True]


def _takes_fifo() -> bool:
    if sys.platform != "linux":
        return False
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except OSError:
        return False
    return True


def locked_memory_limit() -> int | None:
    """How many bytes this process may lock; None: as many as there are."""
    if sys.platform != "linux":
        return 0
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return None if soft == resource.RLIM_INFINITY or _may_lock_all() else soft


def _may_lock_all() -> bool:
    match = re.search(r"^CapEff:\s*([0-9a-f]+)$", Path("/proc/self/status").read_text(), re.MULTILINE)
    return match is not None and bool(int(match[1], 16) >> _CAP_IPC_LOCK & 1)


def fifo_way_out() -> str:
    """What gives a user the right to SCHED_FIFO."""
    return (
        f"add '@rig - rtprio 80' and '@rig - nice -20' for a group of yours to {_LIMITS} and log in again "
        "(ulimit -r then says 80), or give CAP_SYS_NICE"
    )


def memory_way_out() -> str:
    """What gives a user the right to lock memory."""
    return (
        f"add '@rig - memlock unlimited' for a group of yours to {_LIMITS} and log in again "
        "(ulimit -l then says unlimited), or give CAP_IPC_LOCK"
    )

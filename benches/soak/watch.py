"""What a process and its hosted ones hold at a moment, and whether it became more."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import psutil

__all__ = ["LIMITS", "Held", "Watch", "growth"]

LIMITS = {"memory_bytes": 4 << 20, "handles": 0, "threads": 0}
"""Growth that is none: an allocator moves within some pages; a handle or thread more is a leak."""


@dataclass(frozen=True)
class Held:
    """What one process holds.

    Attributes
    ----------
    frames : int
        Frames that the loop had processed.
    memory_bytes : int
        Private and dirty: neither the ring, nor the page cache, nor the pages of libraries, which would count
        as ours as soon as another program that uses them ends.
    handles, threads : int
    """

    frames: int
    memory_bytes: int
    handles: int
    threads: int


class Watch:
    """Looks at this process and its children now and then."""

    def __init__(self) -> None:
        own = psutil.Process()
        self._processes = {"engine": own}
        for child in own.children():
            hosts = [word for word in child.cmdline() if word.startswith("fastpose.hosts.")]
            if hosts:
                self._processes[hosts[0].rpartition(".")[2]] = child
        self.held: dict[str, list[Held]] = {name: [] for name in self._processes}

    def look(self, frames: int) -> None:
        """Note what every process holds; one that has ended is passed over."""
        for name, process in self._processes.items():
            try:
                with process.oneshot():
                    memory = sum(mapped.private_dirty for mapped in process.memory_maps())
                    self.held[name].append(Held(frames, memory, process.num_fds(), process.num_threads()))
            except psutil.NoSuchProcess:
                continue

    def report(self) -> dict[str, Any]:
        """Every look and the growth, by process."""
        return {
            name: {"growth": growth(looks), "looks": [asdict(look) for look in looks]}
            for name, looks in self.held.items()
        }


def growth(looks: list[Held]) -> dict[str, Any]:
    """Median of the last fifth against that of the second fifth: after the start, before the end.

    Returns
    -------
    dict
        The difference of each quantity, and in `grew` those above `LIMITS`. Fewer than 10 looks tell nothing.
    """
    fifth = len(looks) // 5
    if len(looks) < 10:
        return {"grew": ["unknown: fewer than 10 looks"]}
    early, late = looks[fifth : 2 * fifth], looks[-fifth:]
    found = {
        name: int(
            median(getattr(look, name) for look in late) - median(getattr(look, name) for look in early)
        )
        for name in LIMITS
    }
    return {**found, "grew": [name for name, limit in LIMITS.items() if found[name] > limit]}

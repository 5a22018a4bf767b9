"""Which cores the loop, the engine's other threads and the hosted processes run on."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastpose import config as cfg

__all__ = ["Core", "Placement", "place", "this_machine"]

_CPUS = Path("/sys/devices/system/cpu")


@dataclass(frozen=True)
class Core:
    """What the system says of a logical core.

    Attributes
    ----------
    speed : int
        Its highest clock, kHz; 0: not known. Mixed processors have fast and slow cores.
    siblings : frozenset of int
        Logical cores of the same physical one, itself among them.
    """

    speed: int = 0
    siblings: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Placement:
    """Cores by number; an empty tuple: any.

    Attributes
    ----------
    loop : tuple of int
    others : tuple of int
        Of grabbers, log writer and timer.
    compute : tuple of int
        Of the network's other threads.
    hosts : tuple of int
        Of the encoder and of cameras with a process of their own.
    said : str
        What was done and why, in words.
    """

    loop: tuple[int, ...] = ()
    others: tuple[int, ...] = ()
    compute: tuple[int, ...] = ()
    hosts: tuple[int, ...] = ()
    said: str = ""

    @property
    def keeps_a_core(self) -> bool:
        """Nothing of ours but the loop runs on its core."""
        return bool(self.loop and self.others)

    @property
    def ours(self) -> bool:
        """The engine chooses cores, so the network's runtime must not."""
        return bool(self.others)


def this_machine() -> dict[int, Core]:
    """The cores that this process may run on, by number."""
    if sys.platform != "linux":
        return {index: Core() for index in range(os.cpu_count() or 1)}
    return {index: _read_core(index) for index in sorted(os.sched_getaffinity(0))}


def _read_core(index: int, folder: Path = _CPUS) -> Core:
    core = folder / f"cpu{index}"
    try:
        speed = int((core / "cpufreq" / "cpuinfo_max_freq").read_text())
    except (OSError, ValueError):
        speed = 0
    try:
        siblings = _numbers((core / "topology" / "thread_siblings_list").read_text())
    except (OSError, ValueError):
        siblings = frozenset({index})
    return Core(speed, siblings)


def _numbers(text: str) -> frozenset[int]:
    """Parse the kernel's lists, as in 0-1,8."""
    numbers: set[int] = set()
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        numbers.update(range(int(first), int(last or first) + 1))
    return frozenset(numbers)


def place(engine: cfg.Engine, hosted: int, cores: Mapping[int, Core], *, fifo: bool = True) -> Placement:
    """Choose the cores.

    The loop gets one for itself where there are two. A hosted process keeps off it where each has a core
    beside it; else it may run anywhere, and the loop goes first by its priority. Without one the loop is not
    bound, unless to a core that was asked for: it could not flee from a program that fills its core.

    Parameters
    ----------
    engine : Engine
        The config's section.
    hosted : int
        Encoders and camera processes.
    cores : mapping of int to Core
        Those that this process may use.
    fifo : bool
        The loop has SCHED_FIFO.
    """
    asked = (engine.cpu,) if engine.cpu is not None else ()
    if not (engine.realtime and engine.affinity):
        return Placement(loop=asked, said="not asked for")
    if len(cores) < 2:
        return Placement(loop=asked, said="one core, shared by all")
    loop = engine.cpu if engine.cpu is not None else _fastest(cores)
    others = _others(loop, hosted, cores)
    if not others:
        return Placement(loop=asked, said=f"core {loop} is the only one")
    beside = hosted <= len(others)
    hosts = others if beside else ()
    if not fifo and not asked:
        said = f"core {loop} is left to the loop, which is not bound to it without SCHED_FIFO"
        return Placement(others=others, hosts=hosts, said=said)
    return Placement((loop,), others, others, hosts, _said(loop, others, hosted, beside))


def _fastest(cores: Mapping[int, Core]) -> int:
    """The last of the fastest: the first one takes most interrupts."""
    return max(cores, key=lambda index: (cores[index].speed, index))


def _others(loop: int, hosted: int, cores: Mapping[int, Core]) -> tuple[int, ...]:
    """All but the loop's; also without its siblings, where a core is left for each process and one more."""
    others = tuple(index for index in cores if index != loop)
    siblings = cores[loop].siblings if loop in cores else frozenset()
    apart = tuple(index for index in others if index not in siblings)
    return apart if len(apart) > hosted else others


def _said(loop: int, others: tuple[int, ...], hosted: int, beside: bool) -> str:
    what = "the engine's and the network's other threads"
    said = f"core {loop} is the loop's; {what} are on {_list(others)}"
    if not hosted:
        return said
    processes = f"{hosted} hosted process{'es' if hosted > 1 else ''}"
    if beside:
        return f"{said}, and so {'are' if hosted > 1 else 'is'} {processes}"
    return f"{said}; {processes} may run on any: there are too few cores to keep them off the loop's"


def _list(cores: tuple[int, ...]) -> str:
    return f"core{'s' if len(cores) > 1 else ''} {', '.join(map(str, cores))}"

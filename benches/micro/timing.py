"""Interleaved timing: every contestant runs once a round, so that a slow moment of the machine hits all."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]  # ns
Isa = Literal["auto", "scalar", "avx2", "avx512"]


@dataclass(frozen=True)
class Contestant:
    """One way to do the job.

    Parameters
    ----------
    name : str
    call : callable
        Does the job once; timed from Python, call overhead included.
    inside : callable, optional
        Returns the time of one run, ns, as C++ measured it.
    """

    name: str
    call: Callable[[], object]
    inside: Callable[[], int] | None = None


def interleaved(
    contestants: list[Contestant], rounds: int, clock: str = "wall", warm_up: int = 20
) -> dict[str, Times]:
    """Times of each contestant, ns, one entry a round; "<name>, in C++" for those with `inside`.

    Parameters
    ----------
    contestants : list of Contestant
        Each finds the caches as the one before it left them, so each round has an order of its own; the
        C++ times are turns of their own in it.
    rounds : int
    clock : {"wall", "cpu"}
        "cpu" counts the time that the thread ran, for a machine on which others run too; C++ times are wall
        times, so there are none then.
    warm_up : int
        Rounds before those that count.
    """
    turns: list[tuple[str, Callable[[], int]]] = [(c.name, _timed(c.call, clock)) for c in contestants]
    if clock == "wall":
        turns += [(f"{c.name}, in C++", c.inside) for c in contestants if c.inside is not None]
    times: dict[str, list[int]] = {name: [] for name, _ in turns}
    order = np.random.default_rng(0)
    for _ in range(rounds + warm_up):
        for choice in order.permutation(len(turns)):
            name, turn = turns[choice]
            times[name].append(turn())
    return {name: np.array(values[warm_up:], dtype=np.int64) for name, values in times.items()}


def _timed(call: Callable[[], object], clock: str) -> Callable[[], int]:
    now = {"wall": time.perf_counter_ns, "cpu": time.thread_time_ns}[clock]

    def turn() -> int:
        start = now()
        call()
        return now() - start

    return turn


def summary(times: Times) -> dict[str, float]:
    """Percentiles in microseconds, and their n."""
    low, p50, p99 = np.percentile(times, [0, 50, 99]) / 1e3
    numbers = {"min_us": round(float(low), 2), "p50_us": round(float(p50), 2), "p99_us": round(float(p99), 2)}
    return {**numbers, "n": len(times)}


def ratio(slow: Times, fast: Times) -> dict[str, float]:
    """How many times faster, round by round: median, and the 10th to 90th percentile as spread."""
    low, middle, high = np.percentile(slow / fast, [10, 50, 90])
    return {"median": round(float(middle), 2), "p10": round(float(low), 2), "p90": round(float(high), 2)}


def machine() -> dict[str, Any]:
    """What the numbers hold for."""
    import cv2

    from fastpose import _core

    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "load_average_1min": round(os.getloadavg()[0], 2),
        "isa": _core.best_isa(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "opencv_threads": cv2.getNumThreads(),
    }


def _cpu_model() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown"

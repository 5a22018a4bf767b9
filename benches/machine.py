"""What the numbers of a bench hold for: processor, system and versions."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from fastpose import _core

__all__ = ["machine", "taken_away"]

STOOD_STILL_US = 100.0
LIBRARIES = ("fastpose-rig", "numpy", "openvino", "av")


def machine(libraries: Iterable[str] = LIBRARIES) -> dict[str, Any]:
    """Return the fingerprint of this machine at this moment.

    Parameters
    ----------
    libraries : iterable of str
        Distributions whose version belongs to the numbers.
    """
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "load_average_1min": round(os.getloadavg()[0], 2),  # above 0 before the bench: others were running
        "taken_away": taken_away(),
        "isa": _core.best_isa(),
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: _version(name) for name in libraries},
    }


def taken_away(seconds: float = 1.0) -> dict[str, float]:
    """How steady a core is: how often, and for how long at most, a thread that never waits stood still.

    What a hypervisor takes away cannot be had back by any priority; no latency is better than this.
    """
    gaps_us: list[float] = []
    last = time.perf_counter_ns()
    end = last + round(seconds * 1e9)
    while last < end:
        now = time.perf_counter_ns()
        if now - last > STOOD_STILL_US * 1000:
            gaps_us.append((now - last) / 1000)
        last = now
    return {
        "times_per_s": round(len(gaps_us) / seconds, 1),
        "share": round(sum(gaps_us) / seconds / 1e6, 4),
        "longest_us": round(max(gaps_us, default=0.0), 1),
    }


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return "not installed"


def _cpu_model() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown"

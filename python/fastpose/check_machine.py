"""Checks of the machine: platform, engine, runtime of the network, priorities, room on the disk."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from fastpose.config import Config, Engine, Model
from fastpose.cpu import this_cpu
from fastpose.cuda.check import check_gpu
from fastpose.cuda.gpu import is_cuda
from fastpose.disk import MIB, DiskRoom, disk_room, kept_free
from fastpose.finding import Finding, ok, problem, warning
from fastpose.rights import fifo_way_out, grants_fifo, locked_memory_limit, memory_way_out, realtime_budget

_NEARLY_FULL = 0.05  # of the disk
_USUAL_BUDGET = 0.9  # of a core, for real-time threads; less is somebody's choice


def check_platform() -> Iterator[Finding]:
    """Say where fastpose runs here, and whether its engine is built."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield ok("platform", f"{sys.platform}, Python {version}, {os.cpu_count()} cores")
    if sys.platform != "linux":
        yield warning(
            "platform", f"{sys.platform}: real-time priorities, locked memory and serial outputs need Linux"
        )
    try:
        importlib.import_module("fastpose._core")
    except ImportError as error:
        yield problem("platform", f"the engine cannot be loaded ({error}); build it with: pip install .")


def check_runtime(path: str, model: Model) -> Iterator[Finding]:
    """Check that the device's runtime is there, in the version that the engine was built with."""
    if model.device == "fake":
        yield warning(f"{path}.device", "fake: stored outputs, no network runs")
        return
    if is_cuda(model.device):
        yield from check_gpu(path, model)
        return
    try:
        found = importlib.metadata.version("openvino")
        importlib.import_module("fastpose._openvino")
    except importlib.metadata.PackageNotFoundError:
        yield problem(
            f"{path}.device",
            "'cpu' needs OpenVINO, which is not installed; install it with: pip install openvino",
        )
        return
    except ImportError as error:
        yield problem(
            f"{path}.device", f"'cpu' needs fastpose's OpenVINO module, which cannot be loaded ({error})"
        )
        return
    wanted = _pinned("openvino")
    if wanted is not None and found != wanted:
        yield problem(
            f"{path}.device",
            f"OpenVINO {found} is installed; allowed: {wanted}, which the engine was built with",
        )
    else:
        yield ok(f"{path}.device", f"cpu, OpenVINO {found}")
    if model.precision == "bf16" and not this_cpu().has_bf16:
        yield problem(
            f"{path}.precision", "'bf16' is nothing this CPU computes with; allowed: auto, fp32, int8"
        )
    if model.threads is not None and model.threads > (os.cpu_count() or 1):
        yield warning(
            f"{path}.threads", f"{model.threads} threads on {os.cpu_count()} cores wait for each other"
        )


def check_priorities(engine: Engine) -> Iterator[Finding]:
    """Check what the system grants of SCHED_FIFO, locked memory and a core for the loop."""
    cores = _cores()
    if engine.cpu is not None and engine.cpu not in cores:
        allowed = ", ".join(map(str, sorted(cores)))
        yield problem("engine.cpu", f"no core {engine.cpu} for this process; allowed: {allowed}")
    if not engine.realtime or sys.platform != "linux":
        return
    if engine.fifo:
        yield from _check_fifo()
    if engine.lock_memory:
        yield _check_locked_memory()
    if engine.affinity and len(cores) < 2:
        yield warning("engine.affinity", "one core: the loop shares it with all else")


def _check_fifo() -> Iterator[Finding]:
    if not grants_fifo():
        yield warning("engine.fifo", f"SCHED_FIFO is refused: {fifo_way_out()}")
        return
    yield ok("engine.fifo", "SCHED_FIFO is granted")
    budget = realtime_budget()
    if budget is None:
        return
    if budget.share < _USUAL_BUDGET:
        yield warning("engine.fifo", f"{budget}; set it to 950000 with: sysctl kernel.sched_rt_runtime_us")
    else:
        yield ok("engine.fifo", f"{budget}; the loop leaves SCHED_FIFO before it comes to that")


def _check_locked_memory() -> Finding:
    limit = locked_memory_limit()
    if limit is None:
        return ok("engine.lock_memory", "locked memory is granted")
    return warning(
        "engine.lock_memory", f"locked memory is limited to {limit / 2**20:g} MiB: {memory_way_out()}"
    )


def check_session_directory(config: Config, bytes_per_s: float, length_s: float | None) -> Iterator[Finding]:
    """Check that the session folder can be made and that the recording fits on the disk.

    Parameters
    ----------
    config : Config
    bytes_per_s : float
        Estimate of what the recording takes.
    length_s : float or None
        How long it lasts; None: open end.
    """
    directory = config.session.directory
    existing = next(folder for folder in (directory, *directory.parents) if folder.exists())
    path = "session.directory"
    if not existing.is_dir():
        yield problem(
            path,
            f"'{directory}' cannot be made: '{existing}' is a file; allowed: a folder that can be written",
        )
        return
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        yield problem(
            path, f"'{directory}' cannot be written ({error.strerror}); allowed: a folder that can be written"
        )
        return
    yield _room(directory, disk_room(existing), bytes_per_s, length_s)


def _room(directory: Path, room: DiskRoom, bytes_per_s: float, length_s: float | None) -> Finding:
    usable = max(room.free - kept_free(room), 0)
    hours = usable / bytes_per_s / 3600
    text = f"'{directory}' can be written, {room.free / 1e9:.1f} GB free, room for about {hours:.1f} h"
    if usable == 0:
        have, kept = room.free / MIB, kept_free(room) / MIB
        text = f"'{directory}': its disk is full, {have:.0f} MiB are free; allowed: more than {kept:.0f} MiB"
        return problem("session.directory", text)
    if length_s is not None and length_s * bytes_per_s > usable:
        return problem(
            "session.directory", f"{text}; the session lasts {length_s / 3600:.1f} h: free some space"
        )
    if room.free < _NEARLY_FULL * room.total:
        return warning("session.directory", f"{text}; the disk is nearly full")
    if hours < 1 and length_s is None:
        return warning("session.directory", text)
    return ok("session.directory", text)


def check_recorder_memory(config: Config, bytes_per_s: Mapping[str, float]) -> Iterator[Finding]:
    """Say how far the encoders may lag, and whether the machine has the memory for it.

    Parameters
    ----------
    config : Config
    bytes_per_s : mapping
        For each camera, what its pixels come to.
    """
    waiting = {
        name: min(config.record.queue_mib * MIB / rate, 3600.0)
        for name, rate in bytes_per_s.items()
        if config.cameras[name].frames != "every"
    }
    if not waiting:
        return
    lags = ", ".join(f"{name} {lag_s:.1f} s" for name, lag_s in waiting.items())
    text = f"{config.record.queue_mib} MiB a camera: encoders may lag {lags}"
    available = _available_memory()
    if available is not None and config.record.queue_mib * MIB * len(waiting) > available / 2:
        yield warning("record.queue_mib", f"{text}; {available / MIB:.0f} MiB of memory are free: lower it")
    else:
        yield ok("record.queue_mib", text)


def _available_memory() -> int | None:
    """Bytes that programs may still take; None where the system does not say."""
    with contextlib.suppress(OSError, StopIteration, ValueError, IndexError):
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("MemAvailable")).split()[1])
    return None


def _pinned(distribution: str) -> str | None:
    """Return the version that fastpose's own metadata pins."""
    try:
        requirements = importlib.metadata.requires("fastpose-rig") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for requirement in requirements:
        if match := re.match(rf"{distribution}\s*\(?==\s*([\w.]+)", requirement):
            return match[1]
    return None


def _cores() -> set[int]:
    return set(os.sched_getaffinity(0)) if sys.platform == "linux" else set(range(os.cpu_count() or 1))

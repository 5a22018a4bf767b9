"""Keeps built plans: each belongs to one network, GPU, driver and version of a runtime.

Note [kept plans]: A plan lies in one file: a line of JSON that says what it is and the SHA-256 of what
follows, then the plan, then what the runtime wants to be kept with it. The name of the file is the hash of
everything that the plan depends on, so that a new driver or version finds nothing instead of something wrong.
Files are written whole or not at all; one that is damaged is made again, and that is said.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastpose.cache import cache_folder
from fastpose.cuda.runtime import Gpu, Job, Runtime

__all__ = ["ROOM_BYTES", "Plan", "keep_extra", "kept_plan"]

ROOM_BYTES = 8 * 2**30
_FORMAT = 1


@dataclass(frozen=True)
class Plan:
    """A plan, and how it was come by.

    Attributes
    ----------
    content : bytes
    extra : bytes
        What the runtime wanted to be kept beside it.
    cached : bool
        It was kept from before.
    note : str
        What was wrong with the cache; empty: nothing.
    file : Path or None
        None: it is not kept.
    """

    content: bytes
    extra: bytes = b""
    cached: bool = False
    note: str = ""
    file: Path | None = None


def kept_plan(runtime: Runtime, job: Job, gpu: Gpu, build: Callable[[], bytes]) -> Plan:
    """The plan of a network, from the cache or built now and kept.

    A cache that cannot be read or written costs time alone, and its note says so.

    Parameters
    ----------
    runtime : Runtime
    job : Job
    gpu : Gpu
    build : callable
        Makes the plan; what it raises comes through.
    """
    if not runtime.keeps_plans:
        return Plan(build())
    described = _described(runtime, job, gpu)
    try:
        file = cache_folder() / "engines" / f"{_digest(json.dumps(described, sort_keys=True).encode())}.plan"
    except RuntimeError as error:  # there is no home
        return Plan(build(), note=_unkept(str(error)))
    note = ""
    if file.is_file():
        found = _read(file, described)
        if isinstance(found, Plan):
            return found
        note = f"engine cache: '{file}' {found}; built again"
    plan = Plan(build(), note=note, file=file)
    problem = _write(plan, described)
    return Plan(plan.content, note=_unkept(problem)) if problem else plan


def keep_extra(plan: Plan, runtime: Runtime, job: Job, gpu: Gpu, extra: bytes) -> None:
    """Keep what the runtime has to add after its first run, where it has."""
    if plan.file is not None and extra and extra != plan.extra:
        _write(Plan(plan.content, extra, file=plan.file), _described(runtime, job, gpu))


def _described(runtime: Runtime, job: Job, gpu: Gpu) -> dict[str, object]:
    """Everything that a plan depends on."""
    return {
        "format": _FORMAT,
        "runtime": runtime.name,
        "version": runtime.version,
        "network": job.sha256,
        "precision": job.precision,
        "input": list(job.input_shape),
        "outputs": list(job.outputs),
        "gpu": gpu.name,
        "capability": list(gpu.capability),
        "driver": gpu.driver,
    }


def _read(file: Path, described: dict[str, object]) -> Plan | str:
    """The plan in a file, or what is wrong with the file."""
    try:
        line, _, rest = file.read_bytes().partition(b"\n")
        head = json.loads(line)
        length = int(head["plan_bytes"])
        if head["of"] != described or len(rest) < length:
            return "is cut off or of another network"
        if head["sha256"] != _digest(rest):
            return "is damaged"
        os.utime(file)
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    except (ValueError, KeyError, TypeError):
        return "is damaged"
    return Plan(rest[:length], rest[length:], True, file=file)


def _write(plan: Plan, described: dict[str, object]) -> str:
    """Write a plan whole or not at all; returns what is in the way."""
    assert plan.file is not None
    rest = plan.content + plan.extra
    head = {"of": described, "plan_bytes": len(plan.content), "sha256": _digest(rest)}
    try:
        plan.file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=plan.file.parent, suffix=".tmp", delete=False) as file:
            file.write(json.dumps(head).encode() + b"\n" + rest)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(plan.file)
        _make_room(plan.file)
    except OSError as error:
        return f"'{plan.file.parent}' cannot be written ({error.strerror or error})"
    return ""


def _make_room(used: Path) -> None:
    """Remove the plans that were not used for longest, never the one in use."""
    others = sorted((file for file in used.parent.glob("*.plan") if file != used), key=_used_ns, reverse=True)
    taken = used.stat().st_size
    for file in others:
        taken += file.stat().st_size
        if taken > ROOM_BYTES:
            file.unlink(missing_ok=True)


def _used_ns(file: Path) -> int:
    return file.stat().st_mtime_ns


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _unkept(problem: str) -> str:
    return f"engine cache: {problem}, so that the engine is built every time"

"""The emergency stop of running sessions: a switch each, in shared memory."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from fastpose import _core

__all__ = ["make_stop_switch", "running_switches", "throw_switch"]

_PATTERN = re.compile(r"fastpose-(\d+)-(\d+)-stop")
_FOLDER = Path("/dev/shm")


def make_stop_switch(interlock: _core.Interlock | None) -> _core.StopSwitch:
    """The switch of this session; a thread of its own makes the outputs safe when it is thrown."""
    return _core.StopSwitch.create(f"/fastpose-{os.getpid()}-{time.monotonic_ns()}-stop", interlock)


def running_switches() -> dict[str, int]:
    """The switches of all sessions that run here: name to process id."""
    found = (_PATTERN.fullmatch(path.name) for path in _FOLDER.glob("fastpose-*-stop"))
    switches = {f"/{match[0]}": int(match[1]) for match in found if match}
    return {name: pid for name, pid in switches.items() if _alive(pid)}


def throw_switch(name: str, timeout_ms: float = 2000.0) -> float | None:
    """Throw a switch and wait.

    Returns
    -------
    float or None
        Time until the outputs were safe, ms; None: the session did not answer.

    Raises
    ------
    DeviceError
        It is gone, or another user's.
    """
    switch = _core.StopSwitch.attach(name)
    if not switch.throw_and_wait(timeout_ms):
        return None
    return switch.reaction_ns / 1e6


def _alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()

"""``fastpose stop``: the emergency stop of the sessions that run on this computer."""

from __future__ import annotations

from dataclasses import dataclass

from fastpose.assembly.stopping import running_switches, throw_switch
from fastpose.errors import DeviceError

__all__ = ["Stopped", "stop_sessions"]


@dataclass(frozen=True)
class Stopped:
    """What became of one session."""

    pid: int
    reaction_ms: float | None = None
    """Until its outputs were safe; None: it did not answer."""
    problem: str = ""

    @property
    def safe(self) -> bool:
        return self.reaction_ms is not None

    @property
    def text(self) -> str:
        """In one line."""
        if self.reaction_ms is not None:
            return f"session of process {self.pid}: outputs safe after {self.reaction_ms:.3f} ms"
        why = self.problem or "it did not answer; cut the power of its outputs"
        return f"session of process {self.pid}: {why}"


def stop_sessions(pid: int | None = None) -> list[Stopped]:
    """Stop one session, or all: outputs safe at once and for good; the sessions end and keep their data."""
    stopped = []
    for name, owner in running_switches().items():
        if pid not in (None, owner):
            continue
        try:
            stopped.append(Stopped(owner, throw_switch(name)))
        except DeviceError as error:
            stopped.append(Stopped(owner, problem=str(error)))
    return stopped

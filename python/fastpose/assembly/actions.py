"""Actions of a config as the engine takes them."""

from __future__ import annotations

from fastpose import _core
from fastpose import config as cfg
from fastpose.config.protocol import Action

__all__ = ["command_of"]

NS_PER_MS = 1_000_000


def command_of(output: int, action: Action) -> _core.OutputCommand:
    """The command for an action on the output with this index; of `follow` the one that begins it."""
    if isinstance(action, cfg.Pulse):
        return _core.OutputCommand(output, "pulse", duration_ns=round(action.pulse_ms * NS_PER_MS))
    return _core.OutputCommand(output, "off" if action == "off" else "on")

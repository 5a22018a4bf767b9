"""Actions of a config as the engine takes them."""

from __future__ import annotations

from fastpose import _core
from fastpose import config as cfg

__all__ = ["command_of"]

NS_PER_MS = 1_000_000


def command_of(output: int, action: cfg.Action) -> _core.OutputCommand:
    """The command for an action on the output with this index; of `follow` the one that begins it."""
    if isinstance(action, cfg.Pulse):
        return _core.OutputCommand(output, "pulse", duration_ns=round(action.pulse_ms * NS_PER_MS))
    if isinstance(action, cfg.Train):
        train = action.train
        return _core.OutputCommand(
            output,
            "train",
            duration_ns=round(train.pulse_ms * NS_PER_MS),
            period_ns=round(1e9 / train.rate_hz),
            count=train.count,
        )
    if isinstance(action, cfg.Level):
        return _core.OutputCommand(output, "level", value=action.level)
    if isinstance(action, cfg.Ramp):
        ramp = action.ramp
        duration_ns = round(ramp.ms * NS_PER_MS)
        return _core.OutputCommand(output, "ramp", duration_ns=duration_ns, value=ramp.start, to=ramp.to)
    return _core.OutputCommand(output, "off" if action == "off" else "on")

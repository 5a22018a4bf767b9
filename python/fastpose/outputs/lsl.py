"""Markers in a Lab Streaming Layer stream."""

from __future__ import annotations

from typing import Any

from fastpose.config.beside import LslOutput
from fastpose.outputs import needs

__all__ = ["open"]

_outlets: dict[str, Any] = {}


class LslLine:
    """Pushes a string at each edge, stamped by LSL's clock, which is the host's monotonic one."""

    def __init__(self, name: str, spec: LslOutput) -> None:
        self._marker = {
            True: f"{name} on" if spec.high is None else spec.high,
            False: f"{name} off" if spec.low is None else spec.low,
        }
        self._outlet = _outlet(spec.stream)
        self._level: bool | None = None

    def write(self, high: bool) -> None:
        """Push the marker of an edge; the first level is none."""
        if self._level not in (None, high) and self._marker[high]:
            self._outlet.push_sample([self._marker[high]])
        self._level = high


def _outlet(stream: str) -> Any:
    pylsl = needs("pylsl", "lsl", "lsl")
    if stream not in _outlets:
        info = pylsl.StreamInfo(
            stream, "Markers", 1, pylsl.IRREGULAR_RATE, pylsl.cf_string, f"fastpose_{stream}"
        )
        _outlets[stream] = pylsl.StreamOutlet(info)
    return _outlets[stream]


def open(name: str, spec: LslOutput) -> LslLine:
    """The output `name`."""
    return LslLine(name, spec)

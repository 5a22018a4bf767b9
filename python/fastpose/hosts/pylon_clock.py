"""The clock of a Basler camera: read beside the host's, and fitted to it."""

from __future__ import annotations

import contextlib
import importlib
import threading
from collections.abc import Callable
from typing import Any

from fastpose.hosts.common import now_ns
from fastpose.hosts.pylon_nodes import Nodes

__all__ = ["ClockKeeper", "ClockReader", "latching"]

_LATCHES = (
    (("TimestampLatch",), ("TimestampLatchValue",)),  # SFNC 2: USB, ace 2, boost
    (("GevTimestampControlLatch",), ("GevTimestampValue",)),  # GigE Vision
)
_FREQUENCY = ("GevTimestampTickFrequency",)
_NS = 1_000_000_000
_READINGS_AT_START = 8
_PERIOD_S = 0.25

Reading = tuple[int, int, int]  # host before, camera, host after; ns


def latching(nodes: Nodes) -> ClockReader | None:
    """What reads the camera's clock; None for a camera that does not show it.

    Ticks are never taken for nanoseconds where the camera names another frequency. What a latch means:
    docs.baslerweb.com/timestamp.
    """
    for command, value in _LATCHES:
        if nodes.writable(*command) is not None and nodes.find(*value) is not None:
            return ClockReader(nodes, command, value, int(nodes.number(*_FREQUENCY) or _NS))
    return None


class ClockReader:
    """Latches the camera's clock.

    Parameters
    ----------
    nodes : Nodes
    command, value : tuple of str
        Names of the features that latch and hold the time.
    ticks_per_s : int
    """

    def __init__(
        self, nodes: Nodes, command: tuple[str, ...], value: tuple[str, ...], ticks_per_s: int
    ) -> None:
        self._nodes, self._command, self._value = nodes, command, value
        self._ticks_per_s = ticks_per_s

    def to_ns(self, ticks: int) -> int:
        """A stamp of this camera in ns."""
        return ticks if self._ticks_per_s == _NS else ticks * _NS // self._ticks_per_s

    def read(self) -> Reading:
        """One reading of both clocks; the camera's lies between the two of the host."""
        before_ns = now_ns()
        self._nodes.execute(*self._command)
        after_ns = now_ns()
        value: Any = self._nodes.find(*self._value)
        return before_ns, self.to_ns(int(value.Value)), after_ns


class ClockKeeper:
    """``with ClockKeeper(reader, add)``: reads the clock a few times at once, then four times a second.

    Parameters
    ----------
    reader : ClockReader
    add : callable
        Takes a reading, as ``_core.ClockFit.add``.
    """

    def __init__(self, reader: ClockReader, add: Callable[[int, int, int], None]) -> None:
        self._reader, self._add = reader, add
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clock", daemon=True)

    def __enter__(self) -> None:
        for _ in range(_READINGS_AT_START):
            self._look()
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(_PERIOD_S):
            self._look()

    def _look(self) -> None:
        """A reading that fails is none: whether the camera is gone the grabbing thread finds out."""
        with contextlib.suppress(importlib.import_module("pypylon.genicam").GenericException):
            self._add(*self._reader.read())

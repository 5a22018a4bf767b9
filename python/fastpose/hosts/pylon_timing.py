"""When a frame of a Basler camera was exposed and which it is: its stamps and counters made ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from fastpose import _core
from fastpose.hosts.pylon_chunks import ChunkReader
from fastpose.hosts.pylon_clock import ClockKeeper, ClockReader, latching
from fastpose.hosts.pylon_nodes import Nodes
from fastpose.hosts.pylon_options import Delivered

__all__ = ["FrameTiming", "counter_kind"]

_GIGE = "BaslerGigE"

CounterKind = Literal["uint32", "uint64", "gvsp16", "gvsp64"]


class FrameTiming:
    """The counter runs on for the whole session, the clock is fitted anew for each connection.

    Parameters
    ----------
    chunks : tuple of str
        What comes with each frame: "timestamp", "counter".
    """

    def __init__(self, chunks: tuple[str, ...]) -> None:
        self._read_timestamp = ChunkReader("timestamp") if "timestamp" in chunks else None
        self._read_counter = ChunkReader("counter") if "counter" in chunks else None
        self._stamper: _core.FrameStamper | None = None
        self._reader: ClockReader | None = None
        self._stamped: bool | None = None  # the transport stamps frames; None: none came yet

    def double(self) -> FrameTiming:
        """One that reads the same of a result, and whose counter and clock are nobody's."""
        double = FrameTiming(())
        double._read_timestamp, double._read_counter = self._read_timestamp, self._read_counter
        double._stamper = _core.FrameStamper("uint64")
        return double

    @contextmanager
    def following(self, nodes: Nodes, stream: str, delivered: Delivered) -> Iterator[None]:
        """Within, frames come from a camera that grabs; its clock is read beside them where it has one."""
        kind: CounterKind = "uint32" if self._read_counter else counter_kind(nodes, stream)
        if self._stamper is None:
            self._stamper = _core.FrameStamper(kind, highest_rate_hz=delivered.rate_hz or 0.0)
        self._stamper.begin(round(delivered.exposure_us * 1000))
        self._reader = latching(nodes)
        if self._reader is None:
            yield
            return
        with ClockKeeper(self._reader, self._stamper.clock.add):
            yield

    def stamps(self, result: Any, received_ns: int) -> _core.FrameStamps:
        """Of a result that was retrieved at `received_ns`."""
        assert self._stamper is not None
        number = self._read_counter(result) if self._read_counter else None
        if number is None:
            number = result.BlockID
        return self._stamper.stamp(number, self._camera_ns(result), received_ns)

    def report(self) -> str:
        """How well the clock is known, in words; empty: the camera shows none."""
        if self._stamper is None or not self._stamper.clock.fitted:
            return ""
        clock = self._stamper.clock
        drift_ppm, residual_ns = clock.drift_ppm, clock.residual_ns
        return f"clock {drift_ppm:+.1f} ppm from the host's, residual {residual_ns:.0f} ns"

    def _camera_ns(self, result: Any) -> int:
        ticks = self._read_timestamp(result) if self._read_timestamp else None
        if ticks is None:
            ticks = self._stamp_of_transport(result)
        return self._reader.to_ns(ticks) if self._reader is not None else ticks

    def _stamp_of_transport(self, result: Any) -> int:
        """0 where there is none; a transport that does not stamp the first frame stamps none."""
        if self._stamped is False:
            return 0
        ticks = int(result.TimeStamp)
        self._stamped = bool(ticks)
        return ticks


def counter_kind(nodes: Nodes, stream: str) -> CounterKind:
    """How far a camera's block ids count: GigE Vision never uses 0, and 16 bits unless they are extended."""
    if stream != _GIGE:
        return "uint64"
    return "gvsp64" if nodes.text("GevGVSPExtendedIDMode") == "On" else "gvsp16"

"""When a RealSense frame was exposed, on the host's clock: by readings of both clocks, else by arrival."""

from __future__ import annotations

from collections.abc import Callable

from fastpose import _core
from fastpose.hosts.realsense_frames import CameraMicroseconds
from fastpose.hosts.stream_clock import ExposureClock

__all__ = ["RealSenseClock"]

_PERIOD_NS = 1_000_000_000
_FIRST_READINGS = 8  # at once, so that the first frames are placed well


class RealSenseClock:
    """Places the frames of one connection.

    Parameters
    ----------
    read_us : callable
        The camera's clock now, us in 32 bits; None where it cannot be read.
    clock : callable
        Host time, ns.
    """

    def __init__(self, read_us: Callable[[], float | None], *, clock: Callable[[], int]) -> None:
        self._read_us, self._clock = read_us, clock
        self._counter = CameraMicroseconds()
        self._fit = _core.ClockFit()
        self._arrivals = ExposureClock("arrival")
        self._next_ns = 0
        self._half_gap_ns: int | None = None  # the best reading may be off by so much
        for _ in range(_FIRST_READINGS):
            self._read()

    @property
    def is_read(self) -> bool:
        """The camera's clock can be read; else frames are placed by their arrival: a guess."""
        return self._half_gap_ns is not None

    @property
    def error_ns(self) -> int:
        """How far an exposure may be off; 0: not known."""
        if self._half_gap_ns is None:
            return 0
        return round(self._half_gap_ns + self._fit.residual_ns)

    def place(self, start_us: float | None, received_ns: int) -> tuple[int, int]:
        """The camera's stamp as ns that go on (0: none), and the exposure's start on the host's clock."""
        if start_us is None:
            return 0, received_ns
        camera_ns = self._counter.ns(start_us)
        if self._half_gap_ns is not None and received_ns >= self._next_ns:
            self._read()
        if self._half_gap_ns is None:
            return camera_ns, self._arrivals.place(camera_ns, received_ns)
        return camera_ns, self._fit.to_host_ns(camera_ns)

    def describe(self) -> str:
        """What is known of the frames' age, in a line."""
        if self._half_gap_ns is None:
            return "age of frames unknown: the camera's clock cannot be read"
        return f"clock of the camera {self._fit.drift_ppm:+.1f} ppm, read to {self.error_ns / 1e3:.0f} us"

    def _read(self) -> None:
        before_ns = self._clock()
        counter_us = self._read_us()
        after_ns = self._clock()
        if counter_us is None:
            return
        self._fit.add(before_ns, self._counter.ns(counter_us), after_ns)
        half_gap_ns = (after_ns - before_ns) // 2
        self._half_gap_ns = min(self._half_gap_ns or half_gap_ns, half_gap_ns)
        self._next_ns = after_ns + _PERIOD_NS

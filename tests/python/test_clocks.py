"""Cameras' clocks and counters as hosted drivers use them, against clocks and counts whose truth is known."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastpose import _core
from fastpose.errors import ConfigError
from fastpose.hosts.common import FRAME_COUNTER_RESET

MS, S = 1_000_000, 1_000_000_000
START_NS = 7_000_000 * S
RANGES = {
    "uint16": (0, 2**16 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
    "gvsp16": (1, 2**16 - 1),
    "gvsp64": (1, 2**64 - 1),
}


def camera_ns(host_ns: int, *, offset_ns: int, drift_ppm: float) -> int:
    """A clock that showed offset_ns at START_NS and runs drift_ppm fast."""
    elapsed_ns = host_ns - START_NS
    return offset_ns + elapsed_ns + round(elapsed_ns * drift_ppm * 1e-6)


def raw_number(kind: str, begin: int, index: int) -> int:
    """What the camera calls its exposure `index` when it called the first one `begin`."""
    first, last = RANGES[kind]
    return first + (begin - first + index) % (last - first + 1)


@settings(deadline=None)
@given(
    offset_ns=st.integers(0, 2**62),
    drift_ppm=st.floats(-90, 90),
    widths_ns=st.lists(st.integers(100, MS), min_size=1, max_size=80),
    lean=st.floats(0, 1),
    ahead_ms=st.integers(0, 500),
)
def test_the_truth_lies_within_the_stated_error(
    offset_ns: int, drift_ppm: float, widths_ns: list[int], lean: float, ahead_ms: int
) -> None:
    """However long the readings take, and wherever in them the camera looks at its clock."""
    clock = _core.ClockFit()
    for i, width_ns in enumerate(widths_ns):
        host_ns = START_NS + i * 250 * MS
        read_ns = host_ns + round(lean * width_ns)
        clock.add(host_ns, camera_ns(read_ns, offset_ns=offset_ns, drift_ppm=drift_ppm), host_ns + width_ns)
    exposed_ns = host_ns + ahead_ms * MS
    stamp_ns = camera_ns(exposed_ns, offset_ns=offset_ns, drift_ppm=drift_ppm)
    start_ns, error_ns, fitted = clock.exposure(stamp_ns, exposed_ns + 5 * MS)
    assert fitted
    assert abs(start_ns - exposed_ns) <= error_ns
    report = clock.report()
    assert (report["source"], report["readings"]) == ("latched", len(widths_ns))
    assert (report["outliers"], report["restarts"]) == (0, 0)


def test_what_is_not_known_is_a_guess() -> None:
    clock = _core.ClockFit()
    clock.set_delay(4 * MS)
    assert not clock.fitted and clock.source == "none"
    assert clock.exposure(5, START_NS) == (START_NS - 4 * MS, 0, False)
    assert clock.report()["source"] == "none"
    with pytest.raises(ValueError, match="no reading"):
        clock.to_host_ns(5)
    with pytest.raises(ValueError, match="no reading"):
        clock.error_ns(5)


def test_a_reset_clock_is_suspect_until_it_is_read_again() -> None:
    clock = _core.ClockFit()
    for i in range(10):
        clock.add(START_NS + i * S, 900 * S + i * S, START_NS + i * S + 500)
    assert clock.exposure(909 * S, START_NS + 9 * S + MS)[2] and not clock.suspect
    now_ns = START_NS + 10 * S
    assert not clock.exposure(3 * MS, now_ns)[2] and clock.suspect
    for i in range(3):
        clock.add(now_ns + i * MS, (3 + i) * MS, now_ns + i * MS + 500)
    start_ns, _, fitted = clock.exposure(4 * MS, now_ns + 6 * MS)
    assert fitted and not clock.suspect
    assert start_ns == pytest.approx(now_ns + MS, abs=1000)
    assert clock.report()["restarts"] == 1


def test_a_host_tells_the_session_through_its_ring() -> None:
    ring = _core.Ring.create(f"/fastpose-{os.getpid()}-clock", width=8, height=8)
    host = _core.Ring.attach(ring.name)
    assert ring.clock()["source"] == "none"
    clock = _core.ClockFit()
    clock.add(START_NS, 5 * S, START_NS + 1000)
    host.set_clock(clock, ptp="Slave")
    assert ring.clock() == {**clock.report(), "ptp": "Slave"}


def test_frames_alone_say_so() -> None:
    """The shortest delay cannot be seen from frames: it is part of the stated error."""
    clock = _core.ClockFit()
    clock.set_delay(5 * MS, longer_ns=3 * MS)
    for i in range(500):
        clock.add_frame(i * 10 * MS, START_NS + i * 10 * MS + 6 * MS + (i * 7919 % 400) * 1000)
    start_ns, error_ns, fitted = clock.exposure(5 * S, START_NS + 5 * S + 7 * MS)
    assert fitted and clock.source == clock.report()["source"] == "frames"
    assert abs(start_ns - (START_NS + 5 * S)) <= error_ns
    assert error_ns > 1.5 * MS


class Counter:
    """Only the counter of a stamper."""

    def __init__(self, kind: Any, *, highest_rate_hz: float) -> None:
        self._stamper = _core.FrameStamper(kind, highest_rate_hz=highest_rate_hz)

    def next(self, raw: int, received_ns: int) -> tuple[int, bool]:
        stamps = self._stamper.stamp(raw, 0, received_ns)
        return stamps.camera_counter, bool(stamps.flags & FRAME_COUNTER_RESET)

    def restart(self) -> None:
        self._stamper.begin(0)


@settings(deadline=None)
@given(
    kind=st.sampled_from(sorted(RANGES)),
    begin=st.integers(0, 400),
    steps=st.lists(st.integers(1, 60), max_size=60),
)
def test_counters_run_on_through_their_wrap(kind: str, begin: int, steps: list[int]) -> None:
    first, last = RANGES[kind]
    counter = Counter(kind, highest_rate_hz=100)
    begin = max(first, last - begin)
    zero, reset = counter.next(begin, 0)
    assert zero >= 0 and not reset
    index = 0
    for step in steps:
        index += step
        assert counter.next(raw_number(kind, begin, index), index * 10 * MS) == (zero + index, False)


@settings(deadline=None)
@given(
    kind=st.sampled_from(sorted(RANGES)),
    raw=st.lists(st.integers(0, 2**64 - 1), max_size=50),
    rate_hz=st.sampled_from([0.0, 100.0]),
)
def test_counters_never_fall_whatever_a_camera_says(kind: str, raw: list[int], rate_hz: float) -> None:
    counter = Counter(kind, highest_rate_hz=rate_hz)
    last = -1
    for i, number in enumerate(raw):
        count, _ = counter.next(number, i * MS)
        assert count > last or count == -1
        last = max(last, count)


def test_a_counter_after_a_reconnect() -> None:
    counter = Counter("uint32", highest_rate_hz=100)
    assert counter.next(7, 0) == (7, False)
    counter.restart()
    assert counter.next(9, 10 * MS) == (8, True)
    assert counter.next(10, 20 * MS) == (9, False)


def test_an_unknown_counter_is_refused() -> None:
    with pytest.raises(ConfigError, match="allowed are uint16, uint32, uint64, gvsp16, gvsp64"):
        _core.FrameStamper("uint8")  # type: ignore[arg-type]

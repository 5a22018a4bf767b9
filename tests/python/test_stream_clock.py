"""Tests of fastpose.hosts.stream_clock: where the exposure of a frame lies on the host's clock."""

from __future__ import annotations

import numpy as np
import pytest

from fastpose.errors import CameraError
from fastpose.hosts.stream_clock import ExposureClock

MS = 1_000_000
S = 1_000_000_000
PERIOD = 40 * MS


def arrivals(
    delays_ms: list[float], *, drift_ppm: float = 0.0, period_ns: int = PERIOD
) -> list[tuple[int, int]]:
    """Time stamp and arrival of frames exposed once a period from host time 100 s on."""
    exposed = [100 * S + i * period_ns for i in range(len(delays_ms))]
    stamps = [7 * S + round((t - 100 * S) * (1 + drift_ppm * 1e-6)) for t in exposed]
    return [
        (stamp, t + round(delay * MS)) for stamp, t, delay in zip(stamps, exposed, delays_ms, strict=True)
    ]


def test_a_late_frame_was_not_exposed_late() -> None:
    delays = [30.0] * 50
    delays[20], delays[30] = 90.0, 31.0
    clock = ExposureClock("arrival")
    placed = [clock.place(*frame) for frame in arrivals(delays)]
    steps = np.diff(placed)
    assert np.abs(steps - PERIOD).max() <= 100 * MS * 200 // 1_000_000  # what the tie may slip meanwhile
    assert placed[20] == pytest.approx(100 * S + 20 * PERIOD + 30 * MS, abs=MS)


def test_latency_of_the_config_is_taken_off() -> None:
    clock = ExposureClock("arrival", 30 * MS)
    placed = [clock.place(*frame) for frame in arrivals([30.0, 45.0, 30.0])]
    assert placed == pytest.approx([100 * S + i * PERIOD for i in range(3)], abs=0.1 * MS)
    assert clock.describe() == "age on arrival: 30 ms or more (latency_ms of the config)"


def test_jitter_and_drift_are_followed() -> None:
    rng = np.random.default_rng(1)
    delays = list(30.0 + rng.exponential(5.0, 15_000))  # ten minutes
    for drift in (-80.0, 80.0):
        clock = ExposureClock("arrival", 30 * MS)
        placed = [clock.place(*frame) for frame in arrivals(delays, drift_ppm=drift)]
        error = np.array(placed) - (100 * S + np.arange(len(placed)) * PERIOD)
        assert np.abs(error[100:]).max() < 1.5 * MS


def test_a_burst_after_a_stall_is_as_old_as_it_is() -> None:
    """Frames held up for 3 s keep the times at which they were exposed."""
    delays = [30.0] * 50 + [3000.0 - 40 * i for i in range(74)] + [30.0] * 50
    clock = ExposureClock("arrival", 30 * MS)
    placed = [clock.place(*frame) for frame in arrivals(delays)]
    assert placed == pytest.approx([100 * S + i * PERIOD for i in range(len(placed))], abs=2 * MS)


@pytest.mark.parametrize("jump_s", [-500.0, 500.0])
def test_time_stamps_that_begin_again(jump_s: float) -> None:
    frames = arrivals([30.0] * 100)
    frames = frames[:50] + [(stamp + round(jump_s * S), received) for stamp, received in frames[50:]]
    clock = ExposureClock("arrival", 30 * MS)
    placed = [clock.place(*frame) for frame in frames]
    assert placed == pytest.approx([100 * S + i * PERIOD for i in range(100)], abs=MS)


def test_time_stamps_that_stood_still_are_tied_anew() -> None:
    """A camera whose clock stood still for 5 s: after a minute its frames are no longer taken for old."""
    frames = arrivals([30.0] * 3000)
    frames = frames[:50] + [(stamp - 5 * S, received) for stamp, received in frames[175:]]
    clock = ExposureClock("arrival", 30 * MS)
    placed = [clock.place(*frame) for frame in frames]
    assert placed[-1] == pytest.approx(100 * S + 2999 * PERIOD, abs=10 * MS)


def test_a_stream_without_time_stamps_has_its_arrival() -> None:
    clock = ExposureClock("arrival", 12 * MS)
    assert clock.place(None, 5 * S) == 5 * S - 12 * MS


def test_sender_says_the_age() -> None:
    wall_minus_host = 1_700_000_000 * S
    clock = ExposureClock("sender", wall_minus_host_ns=lambda: wall_minus_host)
    frames = arrivals([34.0, 50.0, 34.0, 80.0])
    assert not clock.has_sender
    for i, (stamp, received) in enumerate(frames):
        exposed = 100 * S + i * PERIOD
        assert clock.place(stamp, received, exposed + wall_minus_host) == exposed
    assert clock.has_sender
    assert clock.describe() == "age on arrival by the camera's own clock: median 42.0, p99 80.0 ms"


def test_sender_is_remembered_until_it_speaks_again() -> None:
    """After an interruption frames come without a report at first; they are as old as the quickest before."""
    clock = ExposureClock("sender", wall_minus_host_ns=lambda: 0)
    for i, (stamp, received) in enumerate(arrivals([34.0] * 20)):
        clock.place(stamp, received, 100 * S + i * PERIOD)
    clock.restart()
    assert clock.place(3 * S, 200 * S) == pytest.approx(200 * S - 34 * MS, abs=MS)


def test_sender_with_another_time_is_refused() -> None:
    clock = ExposureClock("sender", wall_minus_host_ns=lambda: 0, camera="top")
    with pytest.raises(
        CameraError, match=r"camera 'top': by its own clock .* 3600.000 s old .* clock: arrival"
    ):
        clock.place(0, 4000 * S, 400 * S)


def test_arrival_says_what_the_sender_knows() -> None:
    clock = ExposureClock("arrival", wall_minus_host_ns=lambda: 0)
    assert "unknown" in clock.describe()
    clock.place(0, 100 * S + 34 * MS, 100 * S)
    assert "median 34.0" in clock.describe()
    clock.place(PERIOD, 100 * S + 74 * MS, 900 * S)  # nonsense is no knowledge
    assert "p99 34.0" in clock.describe()

"""Tests of fastpose.hosts.pylon_wait, with a camera that is told when its frames come."""

from __future__ import annotations

from typing import Any

import pytest

from fastpose.hosts import pylon_wait
from fastpose.hosts.pylon_wait import FrameWait

MS = 1_000_000


class Bench:
    """A clock that only moves when somebody waits, and a camera with a frame every 10 ms."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, spin_us: int = 300) -> None:
        self.now_ns, self.frames_ns, self.polls = 10_000 * MS, [10_000 * MS], 0
        self.rehearsed: list[int] = []
        monkeypatch.setattr(pylon_wait, "now_ns", lambda: self.now_ns)
        monkeypatch.setattr(pylon_wait.time, "sleep", self._sleep)
        self.wait = FrameWait(self._ready, self._poll, self.rehearsed.append, spin_us)
        for index in range(100):
            self.wait.note_received(self.now_ns - (100 - index) * 10 * MS)

    def _sleep(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)

    def _ready(self, timeout_ms: int) -> bool:
        end_ns = self.now_ns + timeout_ms * MS
        self.now_ns = min(end_ns, max(self.now_ns, self.frames_ns[0]))
        return self.now_ns >= self.frames_ns[0]

    def _poll(self) -> Any | None:
        self.polls += 1
        self.now_ns += 5_000
        return "frame" if self.now_ns >= self.frames_ns[0] else None


def test_it_is_awake_when_the_frame_comes_and_has_rehearsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    bench.now_ns -= 9 * MS
    assert bench.wait.take() == "frame"
    assert 0 <= bench.now_ns - bench.frames_ns[0] <= 5_000
    assert len(bench.rehearsed) == 1 and bench.rehearsed[0] < bench.frames_ns[0]


def test_a_late_frame_is_left_to_who_waits_asleep(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    bench.now_ns -= 9 * MS
    bench.frames_ns = [bench.frames_ns[0] + 5 * MS]
    assert bench.wait.take() is None
    assert 0 < bench.polls <= 300_000 // 5_000
    assert bench.now_ns < bench.frames_ns[0]


def test_an_early_frame_is_not_slept_through(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch)
    bench.now_ns -= 9 * MS
    bench.frames_ns = [bench.frames_ns[0] - 4 * MS]
    assert bench.wait.take() is None  # it waits: retrieve() has it at once
    assert bench.now_ns == bench.frames_ns[0] and not bench.polls


@pytest.mark.parametrize("spin_us", [0, 10])
def test_without_an_allowance_it_never_spins(monkeypatch: pytest.MonkeyPatch, spin_us: int) -> None:
    bench = Bench(monkeypatch, spin_us=spin_us)
    bench.now_ns -= 9 * MS
    assert bench.wait.take() is None
    assert not bench.polls and not bench.rehearsed

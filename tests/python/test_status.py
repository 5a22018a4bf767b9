"""The live status: all numbers on a terminal, two lines elsewhere."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from fastpose.status import Snapshot, Status, render

FULL = Snapshot(
    frames=250,
    processed=240,
    drops={"camera": 0, "ring": 7, "recorder": 3},
    rate_hz=99.96,
    age_ms=6.2,
    p50_ms=5.914,
    p99_ms=9.2,
    rules={"in_corner": True, "running": False},
    outputs={"laser": True, "[valve]": False},
    recorder_queue=2,
    elapsed_s=65.4,
    total_frames=1000,
    faults=["recorder: [disk] full"],
)


def shown(snapshot: Snapshot, width: int = 100) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as capture:
        console.print(render(snapshot, "session m001"))
    return [line.rstrip() for line in capture.get().splitlines()]


def terminal() -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    return Console(file=file, force_terminal=True, width=100, height=30), file


def test_it_shows_every_number() -> None:
    assert shown(FULL) == [
        "session m001",
        "camera    100.0 Hz   250 frames, 240 processed",
        "latency   p50 5.91 ms   p99 9.20 ms   newest pose 6.20 ms old",
        "drops     ring 7   recorder 3",
        "rules     ● in_corner   ○ running",
        "outputs   █ laser   ▁ [valve]",
        "recorder  2 frames behind",
        "fault     recorder: [disk] full",
        f"elapsed   {'━' * 40}  25 %   1:05",
        "Ctrl-C ends the session",
    ]


def test_it_shows_what_is_not_known_yet() -> None:
    assert shown(Snapshot()) == [
        "session m001",
        "camera    0.0 Hz   0 frames, 0 processed",
        "latency   p50 -   p99 -   newest pose - old",
        "drops     none",
        "recorder  0 frames behind",
        "elapsed   0:00",
        "Ctrl-C ends the session",
    ]


@pytest.mark.parametrize(
    ("snapshot", "text"),
    [
        (Snapshot(elapsed_s=30, duration_s=120), " 25 %   0:30"),
        (Snapshot(elapsed_s=30, duration_s=120, frames=500, total_frames=1000), " 50 %   0:30"),
        (Snapshot(elapsed_s=7325, duration_s=60), "100 %   2:02:05"),
    ],
)
def test_progress_is_of_whatever_ends_first(snapshot: Snapshot, text: str) -> None:
    assert shown(snapshot)[-2].endswith(text)


@given(
    rules=st.dictionaries(st.text(max_size=30), st.booleans(), max_size=20),
    faults=st.lists(st.text(), max_size=5),
    frames=st.integers(0),
    elapsed_s=st.floats(0, 1e7),
)
def test_it_shows_anything(rules: dict[str, bool], faults: list[str], frames: int, elapsed_s: float) -> None:
    assert shown(
        Snapshot(frames=frames, rules=rules, faults=faults, elapsed_s=elapsed_s, total_frames=10), 30
    )


def test_two_lines_where_there_is_no_terminal() -> None:
    file = io.StringIO()
    with Status(console=Console(file=file, width=20)) as status:
        status.start(Path("/data/sessions/m001_2026-01-02_10-11-12"))
        for frames in range(5):
            status.update(Snapshot(frames=frames, processed=frames, elapsed_s=frames / 100))
    assert file.getvalue().splitlines() == [
        "fastpose: running: session /data/sessions/m001_2026-01-02_10-11-12",
        "fastpose: ended: 0.0 s, 4 frames, 4 processed",
    ]


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Status(quiet=True) as status:
        status.start(Path("m001"))
        status.update(FULL)
    assert capsys.readouterr() == ("", "")


def test_snapshots_that_come_too_fast_are_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now_s)
    console, file = terminal()
    with Status(console=console, refresh_hz=5) as status:
        status.start(Path("m001"))
        for frames in range(10):
            status.update(Snapshot(frames=1000 + frames))
            now_s += 0.06
    assert [f"{1000 + frames} frames" in file.getvalue() for frames in range(10)] == [
        frames % 4 == 0 for frames in range(10)
    ]
    assert status.interval_s == pytest.approx(0.2)


def test_the_terminal_is_left_as_it_was_after_an_error() -> None:
    console, file = terminal()
    status = Status(console=console)
    with pytest.raises(RuntimeError), status:
        status.start(Path("m001"))
        status.update(FULL)
        raise RuntimeError
    status.stop()
    hide, show = "\x1b[?25l", "\x1b[?25h"
    assert file.getvalue().count(hide) == file.getvalue().count(show) == 1
    assert file.getvalue().rindex(show) > file.getvalue().rindex("Ctrl-C")

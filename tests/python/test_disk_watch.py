"""A disk that fills up is told in time, and once; the log keeps its room."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastpose.assembly.disk_watch import DiskWatch, Forecast
from fastpose.disk import MIB, DiskRoom, disk_room, kept_free

GIB = 1024 * MIB
FOLDER = Path("sessions/m001")


@pytest.mark.parametrize(
    ("total", "expected"), [(100 * GIB, 256 * MIB), (GIB, int(0.05 * GIB)), (2 * MIB, int(0.1 * MIB))]
)
def test_what_the_video_leaves_free(total: int, expected: int) -> None:
    assert kept_free(DiskRoom(total, 0)) == expected


def test_room_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    room = disk_room(tmp_path / "a" / "b")
    assert 0 < room.free <= room.total


def said(needs_s: float | None, rate_mib: float, seconds: range, free_mib: float) -> list[tuple[int, str]]:
    """What is said while the disk fills at a rate."""
    forecast = Forecast(FOLDER, lambda: needs_s)
    told = []
    for now_s in seconds:
        room = DiskRoom(100 * GIB, int((256 + free_mib - rate_mib * now_s) * MIB))
        if text := forecast.look(float(now_s), room):
            told.append((now_s, text))
    return told


def test_two_warnings_before_it_is_full() -> None:
    told = said(None, 10, range(0, 1000, 5), 10_000)
    assert [now_s for now_s, _ in told] == [405, 885]  # 10 and 2 minutes before the end at 1,000 s
    assert told[0][1].startswith("the disk of 'sessions/m001' is nearly full: 5,950 MiB for about 9.9 min")


def test_nothing_is_said_where_the_session_ends_before() -> None:
    assert said(60.0, 10, range(0, 900, 5), 10_000) == []
    (warning,) = said(110.0, 10, range(0, 900, 5), 10_000)[:1]
    assert warning[0] == 895


def test_a_disk_that_gets_emptier_says_nothing() -> None:
    assert said(None, -10, range(0, 1000, 5), 10) == []


def test_the_thread_looks_and_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rooms = iter([DiskRoom(100 * GIB, 10 * GIB), DiskRoom(100 * GIB, GIB)])
    told: list[str] = []
    monkeypatch.setattr("fastpose.assembly.disk_watch.LOOK_S", 0.01)
    monkeypatch.setattr("fastpose.assembly.disk_watch.disk_room", lambda _: next(rooms))
    watch = DiskWatch(tmp_path, lambda: None, told.append)
    monkeypatch.setattr(watch, "_warn", lambda text: (told.append(text), watch.stop()))
    watch.start()
    watch._thread.join(30.0)
    assert not watch._thread.is_alive()
    assert len(told) == 1 and "nearly full" in told[0]

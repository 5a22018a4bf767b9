"""Tests of fastpose.hosts.video: pacing, stamps, flags and ends of a played file."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from fake_ring import FakeClock, FakeRing, Published
from fastpose.errors import CameraError
from fastpose.hosts.common import FRAME_LAST, FRAME_LATE, FRAME_UNREADABLE, creator_watch
from fastpose.hosts.spawn import VideoOptions
from fastpose.hosts.video import VideoPlayer
from make_videos import RATE_HZ, damage, frame_number, make_video, text_file, truncate

PERIOD_NS = 1_000_000_000 // RATE_HZ
START_NS = 5_000_000_000


def play(ring: FakeRing, path: Path, clock: FakeClock | None = None, **options: object) -> str:
    clock = clock or FakeClock()
    player = VideoPlayer(ring, VideoOptions("fake", str(path), **options), clock=clock, sleep=clock.sleep)
    return player.play(START_NS)


def number(frame: Published, ring: FakeRing) -> int:
    shape = (ring.height, ring.width, 3) if ring.pixel_format == "rgb8" else (ring.height, ring.width)
    return frame_number(np.frombuffer(frame.pixels, np.uint8).reshape(shape))


@pytest.fixture
def ring() -> FakeRing:
    return FakeRing(320, 240)


def test_realtime_is_due_at_the_files_time_stamps(tmp_path: Path, ring: FakeRing) -> None:
    path = make_video(tmp_path / "a.mp4", frames=20, skip=[0])
    clock = FakeClock()
    seen_ns: list[int] = []
    ring.on_publish = lambda _: seen_ns.append(clock.time_ns)
    play(ring, path, clock)
    due = [START_NS + i * PERIOD_NS for i in range(19)]
    assert [frame.exposure_start_ns for frame in ring.published] == due
    assert seen_ns == due
    assert [frame.received_ns for frame in ring.published] == due
    assert [frame.camera_counter for frame in ring.published] == list(range(19))
    assert [number(frame, ring) for frame in ring.published] == list(range(1, 20))
    assert np.diff([frame.camera_timestamp_ns for frame in ring.published]).tolist() == [PERIOD_NS] * 18


def test_rate_of_the_config_goes_before_the_files(tmp_path: Path, ring: FakeRing) -> None:
    play(ring, make_video(tmp_path / "a.mp4", frames=10), rate_hz=200.0)
    assert [frame.exposure_start_ns - START_NS for frame in ring.published] == [
        i * 5_000_000 for i in range(10)
    ]
    assert ring.published[3].camera_timestamp_ns == 3 * PERIOD_NS


def test_a_slow_consumer_delays_no_deadline(tmp_path: Path, ring: FakeRing) -> None:
    """A frame that comes late keeps its due time as its exposure, says so, and the next is on time again."""
    clock = FakeClock()

    def dawdle(ring: FakeRing) -> None:
        if len(ring.published) == 5:
            clock.time_ns += 3 * PERIOD_NS - 1

    ring.on_publish = dawdle
    play(ring, make_video(tmp_path / "a.mp4", frames=12), clock)
    assert [frame.exposure_start_ns for frame in ring.published] == [
        START_NS + i * PERIOD_NS for i in range(12)
    ]
    assert [i for i, frame in enumerate(ring.published) if frame.flags & FRAME_LATE] == [5]
    assert ring.published[5].received_ns == START_NS + 7 * PERIOD_NS - 1
    assert ring.published[8].received_ns == START_NS + 8 * PERIOD_NS


def test_max_pace_never_waits(tmp_path: Path, ring: FakeRing) -> None:
    clock = FakeClock(step_ns=1000)
    summary = play(ring, make_video(tmp_path / "a.mp4", frames=30), clock, pace="max")
    assert clock.time_ns < START_NS
    assert all(frame.received_ns > frame.exposure_start_ns for frame in ring.published)
    assert not any(frame.flags & FRAME_LATE for frame in ring.published)
    assert summary == f"30 frames of '{tmp_path / 'a.mp4'}'"


def test_last_frame_says_so(tmp_path: Path, ring: FakeRing) -> None:
    play(ring, make_video(tmp_path / "a.mp4", frames=10), pace="max")
    assert [frame.flags & FRAME_LAST for frame in ring.published] == [0] * 9 + [FRAME_LAST]


def test_unreadable_frames_are_rows(tmp_path: Path, ring: FakeRing) -> None:
    path = make_video(tmp_path / "a.mp4", codec="mjpeg", pix_fmt="yuvj420p", frames=20)
    summary = play(ring, damage(path, [4, 5]))
    assert [i for i, frame in enumerate(ring.published) if frame.flags & FRAME_UNREADABLE] == [4, 5]
    assert [frame.camera_counter for frame in ring.published] == list(range(20))
    assert not any(ring.published[4].pixels)
    assert number(ring.published[6], ring) == 6
    assert "20 frames" in summary and "2 unreadable" in summary


def test_truncated_file_ends_with_a_summary(tmp_path: Path, ring: FakeRing) -> None:
    path = make_video(tmp_path / "a.mp4", frames=60, container_options={"movflags": "faststart"})
    summary = play(ring, truncate(path, 0.6), pace="max")
    good = [number(frame, ring) for frame in ring.published if not frame.flags & FRAME_UNREADABLE]
    assert good == list(range(len(good))) and len(good) > 20
    assert summary.endswith("the file ends early: its header promises 60")


def test_loop_goes_on_where_the_file_ended(tmp_path: Path, ring: FakeRing) -> None:
    def stop_after_25(ring: FakeRing) -> None:
        ring.stop_requested = len(ring.published) == 25

    ring.on_publish = stop_after_25
    play(ring, make_video(tmp_path / "a.mp4", frames=10), loop=True)
    assert [number(frame, ring) for frame in ring.published] == [i % 10 for i in range(25)]
    assert [frame.camera_counter for frame in ring.published] == list(range(25))
    assert [frame.camera_timestamp_ns for frame in ring.published] == [i * PERIOD_NS for i in range(25)]
    assert [frame.exposure_start_ns - START_NS for frame in ring.published] == [
        i * PERIOD_NS for i in range(25)
    ]


def test_stops_when_told(tmp_path: Path, ring: FakeRing) -> None:
    ring.on_publish = FakeRing.request_stop
    summary = play(ring, make_video(tmp_path / "a.mp4", frames=50))
    assert len(ring.published) == 1
    assert "1 frames" in summary and "promises" not in summary


def test_watch_asks_for_a_stop_once_the_creator_is_gone(ring: FakeRing) -> None:
    ring.alive = False
    with creator_watch(ring):
        deadline = time.monotonic() + 30
        while not ring.stop_requested and time.monotonic() < deadline:
            time.sleep(0.01)
    assert ring.stop_requested


def test_colour(tmp_path: Path) -> None:
    ring = FakeRing(641, 479, "rgb8")
    path = make_video(tmp_path / "a.mkv", pix_fmt="yuvj444p", width=641, height=479, frames=4)
    play(ring, path, pace="max")
    assert [number(frame, ring) for frame in ring.published] == list(range(4))


def test_refuses_at_once(tmp_path: Path) -> None:
    good = make_video(tmp_path / "a.mp4", frames=5)
    with pytest.raises(CameraError, match=r"pixel_format 'yuyv' .* allowed: mono8, rgb8, bgr8"):
        play(FakeRing(320, 240, "yuyv"), good)
    with pytest.raises(CameraError, match="no video"):
        play(FakeRing(320, 240), text_file(tmp_path / "b.mp4"))
    broken = make_video(tmp_path / "c.mp4", frames=3)
    with pytest.raises(CameraError, match="may be cut off or damaged"):
        play(FakeRing(320, 240), damage(broken, range(3)))

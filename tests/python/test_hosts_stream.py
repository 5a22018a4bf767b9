"""Tests of fastpose.hosts.stream: what goes into the ring, interruptions, real servers that die."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from fake_ring import FakeClock, FakeRing
from fastpose import drivers
from fastpose.config import StreamCamera
from fastpose.errors import CameraDisconnected, CameraError, CameraTimeout
from fastpose.hosts import Host
from fastpose.hosts.common import (
    FRAME_CLOCK_UNFITTED,
    FRAME_COUNTER_RESET,
    FRAME_TORN,
    FRAME_UNREADABLE,
    slot_array,
)
from fastpose.hosts.live import LostError
from fastpose.hosts.stream import StreamPlayer
from fastpose.hosts.stream_options import StreamOptions, StreamSource
from fastpose.hosts.stream_reader import StreamItem
from make_videos import frame_number, grey_frame
from stream_servers import HEIGHT, RATE_HZ, WIDTH, http_camera, rtsp_camera, wait_until

MS = 1_000_000
PERIOD_NS = 1_000_000_000 // RATE_HZ


def item(number: int, *, size: tuple[int, int] = (WIDTH, HEIGHT), **more: Any) -> StreamItem:
    frame = av.VideoFrame.from_ndarray(grey_frame(number, *size), format="gray")
    return StreamItem(
        **{"frame": frame, "pts_ns": number * PERIOD_NS, "received_ns": number * PERIOD_NS, **more}
    )


class ScriptedReader:
    """Gives what it was told, one batch a call; an error is raised; at the end the player is told to stop."""

    def __init__(self, ring: FakeRing, *script: list[StreamItem] | Exception, size: tuple[int, int]) -> None:
        self.width, self.height = size
        self._ring, self._script = ring, list(script)
        self.closed = False

    def read(self, _timeout_s: float) -> Iterator[StreamItem]:
        if not self._script:
            self._ring.stop_requested = True
            return
        step = self._script.pop(0)
        if isinstance(step, Exception):
            raise step
        yield from step

    def close(self) -> None:
        self.closed = True


def player(
    ring: FakeRing, *connections: Any, time: FakeClock | None = None, **options: Any
) -> tuple[StreamPlayer, list[ScriptedReader]]:
    """A player of scripted connections: a script, an error, or a script with a size."""
    clock = time or FakeClock()
    left, opened = list(connections), []

    def connect() -> Any:
        script = left.pop(0)
        if isinstance(script, Exception):
            raise script
        size = (WIDTH, HEIGHT)
        if isinstance(script, tuple):
            script, size = script
        opened.append(ScriptedReader(ring, *script, size=size))
        return opened[-1]

    return (
        StreamPlayer(
            ring,
            StreamOptions("fake", "top", StreamSource("http://camera/video"), **options),
            clock=clock,
            sleep=clock.sleep,
            open_reader=connect,
        ),
        opened,
    )


@pytest.fixture
def ring() -> FakeRing:
    return FakeRing(WIDTH, HEIGHT)


def test_frames_with_their_stamps(ring: FakeRing) -> None:
    late = item(2, received_ns=2 * PERIOD_NS + 9 * MS)
    host, _ = player(ring, [[item(0), item(1)], [], [late]], latency_ms=7.0)
    assert host.play().startswith("3 frames of 'http://camera/video', age on arrival: 7 ms or more")
    published = ring.published
    assert [p.camera_counter for p in published] == [0, 1, 2]
    assert [frame_number(np.frombuffer(p.pixels, np.uint8).reshape(HEIGHT, WIDTH)) for p in published] == [
        0,
        1,
        2,
    ]
    assert [p.camera_timestamp_ns for p in published] == [0, PERIOD_NS, 2 * PERIOD_NS]
    assert published[2].received_ns - published[2].exposure_start_ns == pytest.approx(16 * MS, abs=0.1 * MS)
    assert not any(p.flags for p in published)


def test_an_age_that_nobody_knows_is_said(ring: FakeRing) -> None:
    host, _ = player(ring, [[item(0)]])
    assert "age on arrival unknown" in host.play()
    assert ring.published[0].flags == FRAME_CLOCK_UNFITTED


def test_what_did_not_come_whole_has_its_place(ring: FakeRing) -> None:
    script = [
        item(0),
        item(1, frame=None, flags=FRAME_UNREADABLE),
        item(2, frame=None, flags=FRAME_UNREADABLE, missing=True),
        item(3, flags=FRAME_TORN),
        item(4, size=(160, 120)),
    ]
    host, _ = player(ring, [script], latency_ms=1.0)
    summary = host.play()
    assert [(p.camera_counter, p.flags) for p in ring.published] == [(0, 0), (3, FRAME_TORN)]
    assert [(p.camera_counter, p.flags) for p in ring.failed] == [(1, FRAME_UNREADABLE), (4, 0)]
    assert "4 frames" in summary and "2 unreadable" in summary and "1 never came" in summary


def test_a_lost_stream_ends_the_session_unless_it_may_come_back(ring: FakeRing) -> None:
    host, opened = player(ring, [[item(0)], LostError("it fell silent")])
    with pytest.raises(
        CameraDisconnected, match=r"camera 'top' is lost: it fell silent; with reconnect: true"
    ):
        host.play()
    assert opened[0].closed and len(ring.published) == 1


def test_reconnects_once_a_second(ring: FakeRing, capsys: pytest.CaptureFixture[str]) -> None:
    clock = FakeClock()
    refused = CameraError("refused")
    host, opened = player(
        ring,
        [[item(0), item(1)], LostError("it ended")],
        refused,
        refused,
        [[item(7), item(8)]],
        time=clock,
        reconnect=True,
    )
    before_ns = clock.time_ns
    summary = host.play()
    assert 2.0 <= (clock.time_ns - before_ns) / 1e9 < 3.0
    assert [p.camera_counter for p in ring.published] == [0, 1, 2, 3]
    assert [bool(p.flags & FRAME_COUNTER_RESET) for p in ring.published] == [False, False, True, False]
    assert ring.states == [("lost", "camera 'top' is lost: it ended"), ("ready", "")]
    assert "1 interruptions, 2.0 s in all" in summary and opened[0].closed
    said = capsys.readouterr().err.splitlines()
    assert [line.split("'top' ")[1] for line in said] == [
        "lost: it ended",
        "not back: refused",
        "back after 2.0 s",
    ]


def test_stops_while_the_camera_is_gone(ring: FakeRing) -> None:
    class StopSoon(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            ring.stop_requested = self.time_ns > 5_000_000_000

    clock = StopSoon()
    refused = [CameraError("refused")] * 60
    host, _ = player(ring, [[item(0)], LostError("x")], *refused, time=clock, reconnect=True)
    assert "1 interruptions" in host.play()


def test_another_size_is_refused(ring: FakeRing) -> None:
    with pytest.raises(CameraError, match=r"sends 160x120 px; expected: 320x240"):
        player(ring, ([], (160, 120)))


def test_warm_up_throws_away_what_waited(ring: FakeRing) -> None:
    host, _ = player(ring, [[], [item(0, frame=None)], [item(1), item(2)], [item(3)]])
    host.warm_up()
    host.play()
    assert [p.camera_timestamp_ns // PERIOD_NS for p in ring.published] == [3]


def test_a_clock_that_never_speaks_is_no_sender(ring: FakeRing) -> None:
    clock = FakeClock(step_ns=1_000_000_000)
    host, _ = player(ring, [[item(i)] for i in range(60)], time=clock, clock="sender")
    with pytest.raises(
        CameraTimeout, match=r"no sender report \(RTCP\) within 20 s; allowed: clock: arrival"
    ):
        host.warm_up()


# --- the process, over a real ring, with real servers ---

core = pytest.importorskip("fastpose._core", reason="the engine is not built")


class Session:
    """A camera's process and the ring it fills."""

    def __init__(self, folder: Path, spec: StreamCamera) -> None:
        driver = drivers.driver_of("stream")
        self.source = driver.open_source("top", spec)
        self.ring = self.source.ring = core.Ring.create(
            f"fastpose-{os.getpid()}-{uuid.uuid4().hex[:8]}",
            width=self.source.frame_size[0],
            height=self.source.frame_size[1],
            pixel_format=self.source.pixel_format,
            recorder=False,
            slots=16,
        )
        self.log = folder / "camera_top.txt"
        host = driver.spawn(self.source, drivers.Hosting(self.log))
        assert host is not None
        self.host: Host = host
        self.numbers: list[int] = []

    def begin(self) -> None:
        self.host.wait_ready(60)
        self.ring.start()

    def take(self, count: int) -> None:
        """Wait until so many more frames have come."""
        wanted = len(self.numbers) + count
        wait_until(lambda: self._take_one() or len(self.numbers) >= wanted, f"{count} frames")

    def _take_one(self) -> None:
        slot = self.ring.take(100.0)
        if slot >= 0:
            pixels = slot_array(self.ring, slot)
            self.numbers.append(frame_number(pixels if pixels.ndim == 2 else pixels.copy()))
            self.ring.release(slot)

    def end(self) -> str:
        self.ring.request_stop()
        assert self.host.wait(30)
        return self.host.text


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Callable[..., Session]]:
    opened: list[Session] = []

    def make(url: str | None, **more: Any) -> Session:
        spec = StreamCamera(driver="stream", url=url, timeout_s=1.0, **more)
        opened.append(Session(tmp_path, spec))
        return opened[-1]

    yield make
    for one in opened:
        one.ring.request_stop()
        with suppress(Exception):
            one.host.stop()


@pytest.mark.parametrize("kind", ["mjpeg", "ts"])
def test_frames_come_live(kind: Any, session: Callable[..., Session]) -> None:
    with http_camera(kind) as camera:
        top = session(camera.url, pixel_format="mono8")
        top.begin()
        top.take(50)
        assert (np.diff(top.numbers) % 256 >= 1).all()
        summary = top.end()
    assert top.host.returncode == 0
    assert f"frames of '{camera.url}'" in summary and "age on arrival unknown" in summary


@pytest.mark.parametrize("kind", ["mjpeg", "ts"])
def test_a_camera_that_dies_and_comes_back(kind: Any, session: Callable[..., Session]) -> None:
    with http_camera(kind) as camera:
        top = session(camera.url, pixel_format="mono8", reconnect=True)
        top.begin()
        top.take(10)
        camera.die()
        wait_until(lambda: top.ring.producer_state == "lost", "the loss")
        assert "camera 'top' is lost: it " in top.ring.producer_text
        time.sleep(1.5)
        camera.start()
        wait_until(lambda: top.ring.producer_state == "ready", "the return")
        top.take(10)
        summary = top.end()
    assert "1 interruptions" in summary
    log = top.log.read_text()
    assert "lost: it " in log and "not back: " in log and "back after " in log
    assert top.ring.counts()["times_lost"] == 1


def test_a_stream_that_stalls_and_goes_on(session: Callable[..., Session]) -> None:
    with http_camera("ts") as camera:
        top = session(camera.url, pixel_format="mono8", reconnect=True)
        top.begin()
        top.take(10)
        camera.fall_silent()
        wait_until(lambda: top.ring.producer_state == "lost", "the loss")
        assert "it fell silent" in top.ring.producer_text
        camera.speak()
        wait_until(lambda: top.ring.producer_state == "ready", "the return")
        top.take(10)
        assert "1 interruptions" in top.end()


@pytest.mark.skipif("lavfi" not in av.formats_available, reason="this FFmpeg has no lavfi")
def test_an_input_device(session: Callable[..., Session]) -> None:
    top = session(None, device="testsrc=size=160x120:rate=30,realtime", input="lavfi")
    assert (top.source.frame_size, top.source.pixel_format, top.source.rate_hz) == ((160, 120), "rgb8", 30.0)
    top.begin()
    top.take(10)
    assert "frames of 'testsrc" in top.end()


def test_a_camera_that_dies_for_good(session: Callable[..., Session]) -> None:
    with http_camera("ts") as camera:
        top = session(camera.url)
        top.begin()
        top.take(5)
        camera.die()
        assert top.host.wait(30)
    assert top.host.returncode == 2 and top.ring.producer_state == "failed"
    assert "with reconnect: true the session goes on" in top.ring.producer_text


def test_rtsp_dies_and_comes_back_with_ages_known(session: Callable[..., Session]) -> None:
    with rtsp_camera() as camera:
        top = session(camera.url, clock="sender", reconnect=True)
        top.begin()
        top.take(10)
        camera.die()
        wait_until(lambda: top.ring.producer_state == "lost", "the loss")
        camera.start()
        wait_until(lambda: top.ring.producer_state == "ready", "the return")
        top.take(10)
        summary = top.end()
    assert "1 interruptions" in summary and "by the camera's own clock: median" in summary
    median_ms = float(summary.split("median ")[1].split(",")[0])
    assert 0 < median_ms < 60_000

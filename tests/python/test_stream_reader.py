"""Tests of fastpose.hosts.stream_reader: every frame of a live stream, and every one that was lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from fastpose.hosts.common import FRAME_TORN, FRAME_UNREADABLE
from fastpose.hosts.live import LostError
from fastpose.hosts.pixels import luma
from fastpose.hosts.stream_options import StreamSource
from fastpose.hosts.stream_pump import PacketPump
from fastpose.hosts.stream_reader import StreamItem, StreamReader
from make_videos import frame_number
from stream_servers import RATE_HZ, http_camera, rtsp_camera, wait_until

PERIOD_NS = 1_000_000_000 // RATE_HZ


@contextmanager
def reader_of(url: str, **more: object) -> Iterator[StreamReader]:
    reader = StreamReader(StreamSource(url, timeout_s=1.0, **more), clock=time.monotonic_ns)  # type: ignore[arg-type]
    try:
        yield reader
    finally:
        reader.close()


def read(reader: StreamReader, count: int) -> list[StreamItem]:
    items: list[StreamItem] = []
    wait_until(lambda: items.extend(reader.read(0.1)) or len(items) >= count, f"{count} frames")
    return items


def number(item: StreamItem) -> int | None:
    grey = None if item.frame is None else luma(item.frame)
    return None if grey is None else frame_number(np.asarray(grey))


def test_transport_stream_has_every_frame_with_its_time_stamp() -> None:
    with http_camera("ts") as camera, reader_of(camera.url) as reader:
        items = read(reader, 60)
    numbers = [number(item) for item in items]
    assert numbers == list(range(numbers[0], numbers[0] + len(items)))  # type: ignore[arg-type]
    stamps = [item.pts_ns for item in items]
    assert np.abs(np.diff(stamps) - PERIOD_NS).max() < 20_000  # of 90 kHz  # type: ignore[arg-type]
    received = np.diff([item.received_ns for item in items])
    assert (received >= 0).all() and received.max() > PERIOD_NS // 4
    assert not any(item.flags or item.missing for item in items)


def test_mjpeg_has_no_time_stamps() -> None:
    with http_camera() as camera, reader_of(camera.url) as reader:
        items = read(reader, 30)
    assert [number(item) for item in items] == list(range(len(items)))
    assert {item.pts_ns for item in items} == {None}


def test_frames_that_the_camera_never_sent_are_missing() -> None:
    with http_camera("ts") as camera:
        camera.skip = {40, 41}
        with reader_of(camera.url) as reader:
            items = read(reader, 70)
    lost = [i for i, item in enumerate(items) if item.missing]
    assert len(lost) == 2 and number(items[lost[0] - 1]) == 39 and number(items[lost[1] + 1]) == 42
    assert all(items[i].flags == FRAME_UNREADABLE for i in lost)
    assert np.abs(np.diff([item.pts_ns for item in items]) - PERIOD_NS).max() < 20_000  # type: ignore[arg-type]


def test_a_decoder_that_is_behind_skips_to_a_keyframe(monkeypatch: pytest.MonkeyPatch) -> None:
    """And says which frames it skipped; none of those after is built upon one that it did not see."""
    with http_camera("ts") as camera, reader_of(camera.url) as reader:
        items = read(reader, 20)
        time.sleep(1.0)  # a second of frames waits
        items += read(reader, 20)
    skipped = [item for item in items if item.frame is None]
    assert len(skipped) >= 10 and not any(item.missing for item in skipped)
    numbers = [number(item) for item in items]
    assert numbers[-1] - numbers[0] + 1 == len(items)  # type: ignore[operator]
    assert not any(item.flags & FRAME_TORN for item in items)


@pytest.mark.parametrize("kind", ["mjpeg", "ts"])
def test_a_server_that_dies(kind: str) -> None:
    with http_camera(kind) as camera, reader_of(camera.url) as reader:  # type: ignore[arg-type]
        read(reader, 10)
        camera.die()
        with pytest.raises(LostError, match=r"it (ended|broke off)"):
            read(reader, 1000)


@pytest.mark.parametrize("kind", ["mjpeg", "ts"])
def test_a_server_that_falls_silent(kind: str) -> None:
    with http_camera(kind) as camera, reader_of(camera.url) as reader:  # type: ignore[arg-type]
        read(reader, 10)
        camera.fall_silent()
        with pytest.raises(LostError, match=r"it fell silent"):
            read(reader, 1000)


def test_rtsp_tells_the_cameras_own_clock() -> None:
    """On this machine that is ours, so the age is right."""
    with rtsp_camera() as camera, reader_of(camera.url) as reader:
        items: list[StreamItem] = []
        wait_until(
            lambda: items.extend(reader.read(0.1)) or (items and items[-1].sender_ns), "a sender report"
        )
        items += read(reader, 20)
    wall_minus_host_ns = time.time_ns() - time.monotonic_ns()
    ages_ms = [(i.received_ns + wall_minus_host_ns - i.sender_ns) / 1e6 for i in items if i.sender_ns]
    assert -1 < np.median(ages_ms) < 1000
    stamps = np.diff([i.sender_ns for i in items if i.sender_ns])
    assert np.median(stamps) == pytest.approx(PERIOD_NS, abs=1_000_000)


def test_the_pump_closes_when_asked() -> None:
    with http_camera() as camera, reader_of(camera.url) as reader:
        read(reader, 3)
        pump: PacketPump = reader._pump
        reader.close()
        assert not pump._thread.is_alive()

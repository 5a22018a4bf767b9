"""The recorder's queue: frames keep their order through ring and memory, and the memory its bound."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from fastpose.hosts.frame_queue import FrameQueue

core = pytest.importorskip("fastpose._core", reason="the engine is not built")

SIZE = (64, 48)
BYTES = 64 * 48
MakeRing = Callable[..., Any]


@pytest.fixture
def make_ring() -> Iterator[MakeRing]:
    rings: list[Any] = []

    def make(slots: int = 16, **spec: Any) -> Any:
        name = f"fastpose-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        ring = core.Ring.create(name, slots=slots, width=SIZE[0], height=SIZE[1], loop=False, **spec)
        rings.append(ring)
        return ring

    yield make
    for ring in rings:
        ring.request_stop()


def publish(ring: Any, number: int) -> None:
    """A frame whose pixels all hold its number."""
    slot = ring.acquire(1000.0)
    assert slot >= 0
    np.frombuffer(ring.memory(slot), np.uint8)[:] = number % 251
    ring.publish(
        slot,
        camera_counter=number,
        camera_timestamp_ns=number,
        exposure_start_ns=number,
        received_ns=number,
    )


def drain(queue: FrameQueue) -> list[tuple[int, int, bool]]:
    """What comes out: frame id, its pixels' value, whether it was copied."""
    found = []
    while (frame := queue.next()) is not None:
        assert (frame.pixels == frame.pixels.flat[0]).all()
        found.append((frame.frame_id, int(frame.pixels.flat[0]), frame.in_memory))
        queue.done(frame)
    return found


def test_few_frames_stay_in_the_ring(make_ring: MakeRing) -> None:
    ring = make_ring()
    queue = FrameQueue(ring, memory_bytes=100 * BYTES)
    for number in range(4):
        publish(ring, number)
    queue.relieve()
    assert queue.waiting == 0
    assert drain(queue) == [(number, number, False) for number in range(4)]


def test_more_than_the_ring_holds_waits_in_memory(make_ring: MakeRing) -> None:
    ring = make_ring()
    queue = FrameQueue(ring, memory_bytes=100 * BYTES)
    for number in range(90):
        publish(ring, number)
        queue.relieve()
    counts = ring.counts()
    assert counts["not_recorded"] == 0
    assert (counts["recorder_queue"], counts["recorder_waiting"]) == (90, 86)
    found = drain(queue)
    assert [frame_id for frame_id, _, _ in found] == list(range(90))
    assert [value for _, value, _ in found] == list(range(90))
    assert [copied for _, _, copied in found] == [True] * 86 + [False] * 4
    assert ring.counts()["recorded"] == 90 and ring.counts()["recorder_queue"] == 0
    assert queue.most_waiting == 86


@pytest.mark.parametrize("places", [0, 1, 20])
def test_beyond_the_bound_frames_are_lost_and_counted(make_ring: MakeRing, places: int) -> None:
    ring = make_ring()
    queue = FrameQueue(ring, memory_bytes=places * BYTES + BYTES // 2)
    for number in range(90):
        publish(ring, number)
        queue.relieve()
    kept = places + 12  # 16 slots less the 4 that the ring keeps free
    assert ring.counts()["not_recorded"] == 90 - kept
    found = drain(queue)
    assert [frame_id for frame_id, _, _ in found] == list(range(kept))
    assert [value for _, value, _ in found] == list(range(kept))


def test_memory_is_used_again_and_given_back(make_ring: MakeRing) -> None:
    ring = make_ring()
    queue = FrameQueue(ring, memory_bytes=20 * BYTES)
    number = 0
    for _ in range(7):
        for _ in range(24):
            publish(ring, number)
            queue.relieve()
            number += 1
        found = drain(queue)
        assert [frame_id for frame_id, _, _ in found] == list(range(number - 24, number))
        assert [value for _, value, _ in found] == [each % 251 for each in range(number - 24, number)]
    assert ring.counts()["not_recorded"] == 0


def test_order_holds_while_both_sides_run(make_ring: MakeRing) -> None:
    """A camera, the thread that relieves the ring, and a recorder that stops now and then."""
    ring = make_ring(slots=12, pixel_format="mono8")
    total = 3000

    def produce() -> None:
        for number in range(total):
            while ring.counts()["recorder_queue"] - ring.counts()["recorder_waiting"] > 6:
                pass  # the ring never overflows: what is lost here would be the queue's fault
            publish(ring, number)
        ring.set_producer_state("finished")

    camera = threading.Thread(target=produce)
    found: list[tuple[int, int]] = []
    with FrameQueue(ring, memory_bytes=500 * BYTES, rate_hz=5000.0) as queue:
        camera.start()
        while len(found) < total:
            frame = queue.next()
            if frame is None:
                continue
            if frame.frame_id % 100 == 0:
                threading.Event().wait(0.01)
            found.append((frame.frame_id, int(frame.pixels[5, 7])))
            queue.done(frame)
    camera.join()
    assert found == [(number, number % 251) for number in range(total)]


def test_frames_of_sixteen_bits(make_ring: MakeRing) -> None:
    ring = make_ring(slots=8, pixel_format="mono12")
    queue = FrameQueue(ring, memory_bytes=10 * 2 * BYTES)
    for number in range(6):
        slot = ring.acquire(1000.0)
        np.frombuffer(ring.memory(slot), np.uint16)[:] = 4000 + number
        ring.publish(slot, camera_counter=number, camera_timestamp_ns=0, exposure_start_ns=0, received_ns=0)
        queue.relieve()
    values = []
    while (frame := queue.next()) is not None:
        assert frame.pixels.shape == (48, 64) and frame.pixels.dtype == np.uint16
        values.append(int(frame.pixels[0, 0]))
        queue.done(frame)
    assert values == [4000 + number for number in range(6)]

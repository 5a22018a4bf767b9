"""The video camera: plays a file into a frame ring, as a process of its own.

Run by the engine as ``python -m fastpose.hosts.video '<json>'``; the JSON holds the fields of
`fastpose.hosts.spawn.VideoOptions`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator

from fastpose.errors import CameraError
from fastpose.hosts.common import (
    FRAME_LAST,
    FRAME_LATE,
    FRAME_UNREADABLE,
    WAIT_MS,
    ProducerRing,
    StopFlag,
    clip,
    creator_watch,
    host_main,
    now_ns,
    report,
    slot_array,
)
from fastpose.hosts.cores import Cores
from fastpose.hosts.pixels import SlotFiller
from fastpose.hosts.reader import VideoItem, VideoReader
from fastpose.hosts.spawn import VideoOptions

__all__ = ["VideoPlayer", "run"]

_NS = 1_000_000_000


class VideoPlayer:
    """Plays one file into one ring.

    Parameters
    ----------
    ring : ProducerRing
        Where the frames go; its pixel format must be mono8, rgb8 or bgr8.
    options : VideoOptions
    clock : callable
        Host time, ns.
    sleep : callable
        Sleeps for so many seconds.
    stop : StopFlag

    Raises
    ------
    CameraError
        The file cannot be played into this ring.
    """

    def __init__(
        self,
        ring: ProducerRing,
        options: VideoOptions,
        *,
        clock: Callable[[], int] = now_ns,
        sleep: Callable[[float], None] = time.sleep,
        stop: StopFlag | None = None,
    ) -> None:
        if not SlotFiller.supports(ring.pixel_format):
            raise CameraError(
                f"pixel_format '{ring.pixel_format}' is not what a video delivers; allowed: mono8, rgb8, bgr8"
            )
        self._ring, self._options, self._clock, self._sleep = ring, options, clock, sleep
        self._stop = stop or StopFlag()
        self._slots = [slot_array(ring, slot) for slot in range(ring.slots)]
        self._filler = SlotFiller(ring.width, ring.height, ring.pixel_format)
        self._counter = 0
        self._wrong_size = 0
        self._reader = self._open()
        self._items = iter(self._reader)
        self._first = self._first_readable()

    def play(self, start_ns: int) -> str:
        """Publish every frame, the first one due at `start_ns`; returns a summary in one line."""
        schedule = _Schedule(start_ns, self._options.rate_hz)
        for item, is_last in _with_last(self._all_items()):
            slot = self._acquire()
            if slot is None:
                break
            if not self._publish(slot, item, schedule.due_ns(self._counter, item.pts_ns), is_last):
                break
            self._counter += 1
        return self._summary()

    def _open(self) -> VideoReader:
        return VideoReader(self._options.path, threads=self._options.threads)

    def _first_readable(self) -> list[VideoItem]:
        """Everything up to the first frame that can be read: before it there is nothing to be ready with."""
        head: list[VideoItem] = []
        for item in self._items:
            head.append(item)
            if item.frame is not None:
                return head
        raise CameraError(
            f"'{self._options.path}' holds no frame that can be decoded; it may be cut off or damaged"
        )

    def _all_items(self) -> Iterator[VideoItem]:
        yield from self._first
        last_ns = self._first[-1].pts_ns
        offset_ns = 0
        while True:
            for item in self._items:
                last_ns = offset_ns + item.pts_ns
                yield VideoItem(item.frame, last_ns, item.flags)
            if not self._options.loop or self._stopping():
                return
            offset_ns = last_ns + self._reader.period_ns - self._first[0].pts_ns
            self._reader = self._open()
            self._items = iter(self._reader)

    def _publish(self, slot: int, item: VideoItem, due_ns: int, is_last: bool) -> bool:
        exposure_ns = due_ns if self._options.pace == "realtime" else self._clock()
        flags = item.flags | (FRAME_LAST if is_last else 0)
        if not self._filler.fill(item.frame, self._slots[slot]):
            flags |= FRAME_UNREADABLE
            self._wrong_size += item.frame is not None
        if self._options.pace == "realtime":
            if not self._wait_until(due_ns):
                return False
            flags |= FRAME_LATE if self._clock() > due_ns + self._period_ns() else 0
        self._ring.publish(
            slot,
            camera_counter=self._counter,
            camera_timestamp_ns=item.pts_ns,
            exposure_start_ns=exposure_ns,
            received_ns=self._clock(),
            flags=flags,
        )
        return True

    def _period_ns(self) -> int:
        rate = self._options.rate_hz
        return round(_NS / rate) if rate else self._reader.period_ns

    def _acquire(self) -> int | None:
        while not self._stopping():
            slot = self._ring.acquire(WAIT_MS)
            if slot >= 0:
                return slot
        return None

    def _wait_until(self, due_ns: int) -> bool:
        """False if a stop came first."""
        while (left_ns := due_ns - self._clock()) > 0:
            if self._stopping():
                return False
            self._sleep(min(left_ns / _NS, WAIT_MS / 1000))
        return True

    def _stopping(self) -> bool:
        return self._stop.is_set or self._ring.stop_requested

    def _summary(self) -> str:
        reader = self._reader
        unreadable = reader.unreadable + self._wrong_size
        parts = [f"{self._counter} frames of '{self._options.path}'"]
        if unreadable:
            parts.append(f"{unreadable} unreadable")
        if reader.torn:
            parts.append(f"{reader.torn} built upon an unreadable one")
        if reader.pauses:
            parts.append(f"{reader.pauses} pauses of more than a second in the file")
        announced, found = reader.announced, reader.readable + reader.unreadable
        if reader.gave_up:
            parts.append(f"the rest cannot be read: {reader.gave_up}")
        elif announced and found < announced and not self._stopping():
            parts.append(f"the file ends early: its header promises {announced}")
        return ", ".join(parts)


class _Schedule:
    """When each frame is due, counted from the first one, so that delays do not add up."""

    def __init__(self, start_ns: int, rate_hz: float | None) -> None:
        self._start_ns, self._rate_hz = start_ns, rate_hz
        self._first_pts_ns: int | None = None

    def due_ns(self, index: int, pts_ns: int) -> int:
        if self._rate_hz:
            return self._start_ns + round(index * _NS / self._rate_hz)
        if self._first_pts_ns is None:
            self._first_pts_ns = pts_ns
        return self._start_ns + pts_ns - self._first_pts_ns


def _with_last(items: Iterable[VideoItem]) -> Iterator[tuple[VideoItem, bool]]:
    """Each item with whether it is the last; reads one ahead, so that a frame is decoded before it is due."""
    iterator = iter(items)
    previous = next(iterator, None)
    for item in iterator:
        assert previous is not None
        yield previous, False
        previous = item
    if previous is not None:
        yield previous, True


def run(ring: ProducerRing, options: VideoOptions, stop: StopFlag) -> None:
    """The life of the process once it has its ring; every error but ours ends as a state of the ring."""
    Cores(options.cpus)
    ring.set_producer_state("starting")
    player = VideoPlayer(ring, options, stop=stop)
    ring.set_producer_state("ready")
    report("ready")
    with creator_watch(ring):
        while not ring.wait_started(WAIT_MS) and not (stop.is_set or ring.stop_requested):
            pass
        summary = clip(player.play(now_ns()))
    ring.set_producer_state("finished", summary)
    report("finished", summary)


def main(arguments: list[str]) -> int:
    """Entry of the process; returns its exit code."""
    return host_main(
        arguments, VideoOptions, run, lambda ring, reason: ring.set_producer_state("failed", reason)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

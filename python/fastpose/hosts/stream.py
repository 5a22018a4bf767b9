"""The stream camera: a network camera or webcam through FFmpeg into a frame ring, as a process of its own.

Run by the engine as ``python -m fastpose.hosts.stream '<json>'``; the JSON holds the fields of
`fastpose.hosts.stream_options.StreamOptions`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from fastpose.errors import CameraDisconnected, CameraError, CameraTimeout
from fastpose.hosts.common import (
    FRAME_CLOCK_UNFITTED,
    FRAME_COUNTER_RESET,
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
from fastpose.hosts.stream_clock import ExposureClock
from fastpose.hosts.stream_options import StreamOptions
from fastpose.hosts.stream_pump import StreamLostError
from fastpose.hosts.stream_reader import StreamItem, StreamReader

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

__all__ = ["StreamPlayer", "run"]

RETRY_S = 1.0
SENDER_PATIENCE_S = 20.0  # sender reports come every 5 s or so
_NS = 1_000_000_000
OpenReader = Callable[[], StreamReader]


class StreamPlayer:
    """Plays one stream into one ring, through as many connections as it takes.

    Parameters
    ----------
    ring : ProducerRing
        Where the frames go; its pixel format must be mono8, rgb8 or bgr8.
    options : StreamOptions
    clock : callable
        Host time, ns.
    sleep : callable
        Sleeps for so many seconds.
    stop : StopFlag
    open_reader : callable
        Makes a connection; default: to the source of the options.

    Raises
    ------
    CameraError
        The stream cannot be opened or does not fit into this ring.
    """

    def __init__(
        self,
        ring: ProducerRing,
        options: StreamOptions,
        *,
        clock: Callable[[], int] = now_ns,
        sleep: Callable[[float], None] = time.sleep,
        stop: StopFlag | None = None,
        open_reader: OpenReader | None = None,
    ) -> None:
        self._ring, self._options, self._clock, self._sleep = ring, options, clock, sleep
        self._stop = stop or StopFlag()
        self._open_reader = open_reader or self._connect
        self._slots = [slot_array(ring, slot) for slot in range(ring.slots)]
        self._filler = SlotFiller(ring.width, ring.height, ring.pixel_format)
        self._exposure = ExposureClock(options.clock, round(options.latency_ms * 1e6), camera=options.camera)
        self._counter = self._unreadable = self._missing = self._interruptions = 0
        self._lost_ns = 0
        self._begins_again = False
        self._reader = self._open_checked()

    def warm_up(self) -> None:
        """Throw away what waits in buffers, until frames come live and the clock is known.

        Raises
        ------
        CameraError
            The stream ends, or clock "sender" hears no sender report.
        """
        began_ns = self._clock()
        while not self._stopping():
            fresh = [self._exposure_of(item) for item in self._read() if item.frame is not None]
            waited_s = (self._clock() - began_ns) / _NS
            if fresh and self._clock_is_known():
                return
            if waited_s > SENDER_PATIENCE_S:
                raise CameraTimeout(self._why_not_warm())

    def play(self) -> str:
        """Publish every frame from now on; returns a summary in one line.

        Raises
        ------
        CameraDisconnected
            The stream is lost, and the config does not say ``reconnect: true``.
        """
        while not self._stopping():
            try:
                for item in self._reader.read(WAIT_MS / 1000):
                    self._publish(item)
            except StreamLostError as lost:
                self._reader.close()
                self._wait_for_connection(str(lost))
        self._reader.close()
        return self._summary()

    def discard(self) -> None:
        """Take the frames of a moment without publishing them: nobody waits for them yet."""
        for item in self._read():
            self._exposure_of(item)

    def _connect(self) -> StreamReader:
        options = self._options
        return StreamReader(options.source, threads=options.threads, clock=self._clock)

    def _open_checked(self) -> StreamReader:
        reader, ring = self._open_reader(), self._ring
        if (reader.width, reader.height) != (ring.width, ring.height):
            reader.close()
            raise CameraError(
                f"camera '{self._options.camera}' sends {reader.width}x{reader.height} px; "
                f"expected: {ring.width}x{ring.height}"
            )
        return reader

    def _read(self) -> Iterator[StreamItem]:
        try:
            yield from self._reader.read(WAIT_MS / 1000)
        except StreamLostError as lost:
            raise CameraDisconnected(f"camera '{self._options.camera}' is lost: {lost}") from lost

    def _publish(self, item: StreamItem) -> None:
        """A frame that never came is a gap in our counter; one that is not whole has a row of its own."""
        if item.missing:
            self._counter += 1
            self._missing += 1
            return
        stamps = {
            "camera_counter": self._counter,
            "camera_timestamp_ns": item.pts_ns or 0,
            "exposure_start_ns": self._exposure_of(item),
            "received_ns": item.received_ns,
            "flags": item.flags | self._flags(),
        }
        self._begins_again = False
        self._counter += 1
        if not self._fits(item.frame):
            self._unreadable += 1
            self._ring.note_failed(**stamps)
            return
        slot = self._acquire()
        if slot is not None:
            self._filler.fill(item.frame, self._slots[slot])
            self._ring.publish(slot, **stamps)

    def _flags(self) -> int:
        return (FRAME_COUNTER_RESET if self._begins_again else 0) | (
            0 if self._exposure.is_known else FRAME_CLOCK_UNFITTED
        )

    def _fits(self, frame: VideoFrame | None) -> bool:
        return frame is not None and (frame.width, frame.height) == (self._ring.width, self._ring.height)

    def _exposure_of(self, item: StreamItem) -> int:
        return self._exposure.place(item.pts_ns, item.received_ns, item.sender_ns)

    def _acquire(self) -> int | None:
        while not self._stopping():
            slot = self._ring.acquire(WAIT_MS)
            if slot >= 0:
                return slot
        return None

    def _wait_for_connection(self, reason: str) -> None:
        if self._stopping():
            return
        if not self._options.reconnect:
            raise CameraDisconnected(
                f"camera '{self._options.camera}' is lost: {reason}; with reconnect: true the session goes on"
            )
        lost_ns = self._clock()
        self._interruptions += 1
        self._say(f"lost: {reason}")
        self._ring.set_producer_state("lost", f"camera '{self._options.camera}' is lost: {reason}")
        if self._reconnect():
            self._lost_ns += self._clock() - lost_ns
            self._begins_again = True
            self._exposure.restart()
            self._ring.set_producer_state("ready")
            self._say(f"back after {(self._clock() - lost_ns) / _NS:.1f} s")

    def _reconnect(self) -> bool:
        """Try once a second; False if a stop came first."""
        said = ""
        while not self._stopping():
            try:
                self._reader = self._open_checked()
            except CameraError as error:
                if str(error) != said:
                    said = str(error)
                    self._say(f"not back: {said}")
            else:
                return True
            self._pause(RETRY_S)
        return False

    def _pause(self, seconds: float) -> None:
        end_ns = self._clock() + round(seconds * _NS)
        while self._clock() < end_ns and not self._stopping():
            self._sleep(WAIT_MS / 1000)

    def _clock_is_known(self) -> bool:
        return self._options.clock == "arrival" or self._exposure.has_sender

    def _why_not_warm(self) -> str:
        camera = self._options.camera
        if not self._clock_is_known():
            return (
                f"camera '{camera}' sent no sender report (RTCP) within {SENDER_PATIENCE_S:g} s; "
                "allowed: clock: arrival"
            )
        return f"camera '{camera}' sent no frame that can be decoded within {SENDER_PATIENCE_S:g} s"

    def _stopping(self) -> bool:
        return self._stop.is_set or self._ring.stop_requested

    def _say(self, text: str) -> None:
        """Into the session's log/camera_<name>.txt."""
        print(
            time.strftime("%H:%M:%S"), f"camera '{self._options.camera}'", text, file=sys.stderr, flush=True
        )

    def _summary(self) -> str:
        parts = [f"{self._counter - self._missing} frames of '{self._options.source.address}'"]
        if self._unreadable:
            parts.append(f"{self._unreadable} unreadable or skipped by a decoder that was behind")
        if self._missing:
            parts.append(f"{self._missing} never came")
        if self._interruptions:
            parts.append(f"{self._interruptions} interruptions, {self._lost_ns / _NS:.1f} s in all")
        return ", ".join([*parts, self._exposure.describe()])


def run(ring: ProducerRing, options: StreamOptions, stop: StopFlag) -> None:
    """The life of the process once it has its ring; every error but ours ends as a state of the ring."""
    Cores(options.cpus)
    ring.set_producer_state("starting")
    player = StreamPlayer(ring, options, stop=stop)
    player.warm_up()
    ring.set_producer_state("ready")
    report("ready")
    with creator_watch(ring):
        while not ring.wait_started(0) and not (stop.is_set or ring.stop_requested):
            player.discard()
        summary = clip(player.play())
    ring.set_producer_state("finished", summary)
    report("finished", summary)


def main(arguments: list[str]) -> int:
    """Entry of the process; returns its exit code."""
    return host_main(
        arguments, StreamOptions, run, lambda ring, reason: ring.set_producer_state("failed", reason)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The stream camera: a network camera or webcam through FFmpeg into a frame ring, as a process of its own.

Run by the engine as ``python -m fastpose.hosts.stream '<json>'``; the JSON holds the fields of
`fastpose.hosts.stream_options.StreamOptions`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastpose.errors import CameraError, CameraTimeout
from fastpose.hosts.common import (
    FRAME_CLOCK_UNFITTED,
    FRAME_COUNTER_RESET,
    WAIT_MS,
    ProducerRing,
    StopFlag,
    host_main,
    slot_array,
)
from fastpose.hosts.cores import Cores
from fastpose.hosts.live import LivePlayer, play_live
from fastpose.hosts.pixels import SlotFiller
from fastpose.hosts.stream_clock import ExposureClock
from fastpose.hosts.stream_options import StreamOptions
from fastpose.hosts.stream_reader import StreamItem, StreamReader

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

__all__ = ["StreamPlayer", "run"]

SENDER_PATIENCE_S = 20.0  # sender reports come every 5 s or so
OpenReader = Callable[[], StreamReader]


class StreamPlayer(LivePlayer):
    """Plays one stream into one ring.

    Parameters
    ----------
    ring : ProducerRing
        Its pixel format must be mono8, rgb8 or bgr8.
    options : StreamOptions
    open_reader : callable
        Makes a connection; default: to the source of the options.
    **life
        clock, sleep and stop of `LivePlayer`.

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
        open_reader: OpenReader | None = None,
        **life: Any,
    ) -> None:
        super().__init__(ring, options.camera, reconnect=options.reconnect, **life)
        self._options = options
        self._open_reader = open_reader or self._open
        self._slots = [slot_array(ring, slot) for slot in range(ring.slots)]
        self._filler = SlotFiller(ring.width, ring.height, ring.pixel_format)
        self._exposure = ExposureClock(options.clock, round(options.latency_ms * 1e6), camera=options.camera)
        self._counter = self._unreadable = self._missing = self._live = 0
        self._connect()

    def warm_up(self) -> None:
        """Throw away what waits in buffers, until frames come live and the clock is known.

        Raises
        ------
        CameraError
            The stream ends, or clock "sender" hears no sender report.
        """
        give_up_ns = self._clock() + round(SENDER_PATIENCE_S * 1e9)
        while not (self._live and self._clock_is_known()) and not self._stopping():
            self.discard()
            if self._clock() > give_up_ns:
                raise CameraTimeout(self._why_not_warm())

    def _connect(self) -> None:
        reader, ring = self._open_reader(), self._ring
        if (reader.width, reader.height) != (ring.width, ring.height):
            reader.close()
            raise CameraError(
                f"camera '{self._camera}' sends {reader.width}x{reader.height} px; "
                f"expected: {ring.width}x{ring.height}"
            )
        self._reader = reader
        self._exposure.restart()

    def _open(self) -> StreamReader:
        return StreamReader(self._options.source, threads=self._options.threads, clock=self._clock)

    def _disconnect(self) -> None:
        self._reader.close()

    def _step(self, *, publish: bool) -> None:
        for item in self._reader.read(WAIT_MS / 1000):
            if publish:
                self._publish(item)
            elif item.frame is not None:
                self._exposure_of(item)
                self._live += 1

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
        again = FRAME_COUNTER_RESET if self._begins_again else 0
        return again | (0 if self._exposure.is_known else FRAME_CLOCK_UNFITTED)

    def _fits(self, frame: VideoFrame | None) -> bool:
        return frame is not None and (frame.width, frame.height) == (self._ring.width, self._ring.height)

    def _exposure_of(self, item: StreamItem) -> int:
        return self._exposure.place(item.pts_ns, item.received_ns, item.sender_ns)

    def _clock_is_known(self) -> bool:
        return self._options.clock == "arrival" or self._exposure.has_sender

    def _why_not_warm(self) -> str:
        if not self._clock_is_known():
            return (
                f"camera '{self._camera}' sent no sender report (RTCP) within {SENDER_PATIENCE_S:g} s; "
                "allowed: clock: arrival"
            )
        return f"camera '{self._camera}' sent no frame that can be decoded within {SENDER_PATIENCE_S:g} s"

    def _summary(self) -> list[str]:
        parts = [f"{self._counter - self._missing} frames of '{self._options.source.address}'"]
        if self._unreadable:
            parts.append(f"{self._unreadable} unreadable or skipped by a decoder that was behind")
        if self._missing:
            parts.append(f"{self._missing} never came")
        return [*parts, self._exposure.describe()]


def run(ring: ProducerRing, options: StreamOptions, stop: StopFlag) -> None:
    """The life of the process once it has its ring; every error but ours ends as a state of the ring."""
    Cores(options.cpus)
    ring.set_producer_state("starting")
    player = StreamPlayer(ring, options, stop=stop)
    player.warm_up()
    play_live(ring, player, stop)


def main(arguments: list[str]) -> int:
    """Entry of the process; returns its exit code."""
    return host_main(
        arguments, StreamOptions, run, lambda ring, reason: ring.set_producer_state("failed", reason)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Takes the packets of a stream off the network as they come: their arrival is known, and no buffer fills."""

from __future__ import annotations

import struct
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import av.error

from fastpose.hosts.live import LostError
from fastpose.hosts.stream_open import reason_of

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

__all__ = ["Arrival", "PacketPump"]

_PRODUCER_TIME: Literal["prft"] = (
    "prft"  # FFmpeg's AVProducerReferenceTime: int64 wall clock in us, int flags
)
_SHORT_S = 0.5


@dataclass(frozen=True)
class Arrival:
    """A packet that came.

    Attributes
    ----------
    received_ns : int
        Host clock.
    sender_ns : int or None
        The camera's own clock for this packet, ns since 1970; None: it has not said.
    skipped : bool
        The decoder is too far behind to see it.
    """

    packet: Packet[VideoStream]
    received_ns: int
    sender_ns: int | None
    skipped: bool = False


class PacketPump:
    """A thread that reads a container until it ends, then closes it.

    Parameters
    ----------
    container : InputContainer
        The pump's from now on.
    clock : callable
        Host time, ns.
    backlog_ns : int
        Packets that have waited longer for the decoder are skipped up to the newest keyframe.
    """

    def __init__(
        self, container: InputContainer, *, clock: Callable[[], int], backlog_ns: int = 500_000_000
    ) -> None:
        self._container, self._clock, self._backlog_ns = container, clock, backlog_ns
        self._changed = threading.Condition()
        self._queue: deque[Arrival] = deque()
        self._end: str | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="stream", daemon=True)
        self._thread.start()

    def take(self, timeout_s: float) -> list[Arrival]:
        """Everything that came since the last call; empty if nothing did in time.

        Raises
        ------
        LostError
            There will be no more.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._queue or self._end is not None, timeout_s):
                return []
            if not self._queue:
                raise LostError(self._end)
            arrivals = list(self._queue)
            self._queue.clear()
        return self._skip_stale(arrivals)

    def close(self) -> None:
        """Let the thread end: with the next packet, or when the stream's timeout is over."""
        self._closing = True
        self._thread.join(_SHORT_S)

    def _skip_stale(self, arrivals: list[Arrival]) -> list[Arrival]:
        if self._clock() - arrivals[0].received_ns < self._backlog_ns:
            return arrivals
        keys = [i for i, arrival in enumerate(arrivals) if arrival.packet.is_keyframe]
        newest = keys[-1] if keys else 0
        stale = [Arrival(a.packet, a.received_ns, a.sender_ns, skipped=True) for a in arrivals[:newest]]
        return stale + arrivals[newest:]

    def _run(self) -> None:
        try:
            reason = self._read()
        except (av.error.FFmpegError, OSError) as error:
            silent = isinstance(error, av.error.ExitError)
            reason = "it fell silent" if silent else f"it broke off ({reason_of(error)})"
        self._container.close()
        with self._changed:
            self._end = reason
            self._changed.notify_all()

    def _read(self) -> str:
        for packet in self._container.demux(video=0):
            if self._closing:
                return "closed"
            if packet.size:
                self._put(Arrival(packet, self._clock(), _sender_ns(packet)))
        return "it ended"

    def _put(self, arrival: Arrival) -> None:
        with self._changed:
            self._queue.append(arrival)
            self._changed.notify_all()


def _sender_ns(packet: Packet[VideoStream]) -> int | None:
    if not packet.has_sidedata(_PRODUCER_TIME):
        return None
    wall_us: int = struct.unpack_from("<q", bytes(packet.get_sidedata(_PRODUCER_TIME)))[0]
    return wall_us * 1000

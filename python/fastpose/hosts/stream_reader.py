"""A live stream as frames with their arrival: what was lost on the way is an item of its own.

Note [lost frames of a stream]: A network camera counts nothing. What is known: a packet whose frame never
came out of the decoder, a packet skipped because the decoder was behind, and a gap in an otherwise steady
train of time stamps (see `fastpose.hosts.reader`, note [missing frames]). Frames of an interruption are
nobody's to count.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import av.error
from av.codec.context import Flags as CodecFlags

from fastpose.hosts.common import FRAME_TORN, FRAME_UNREADABLE
from fastpose.hosts.stream_open import UNTIMED, open_stream
from fastpose.hosts.stream_options import StreamSource
from fastpose.hosts.stream_pump import Arrival, PacketPump
from fastpose.hosts.timeline import Timeline

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

__all__ = ["StreamItem", "StreamReader"]

_NS = 1_000_000_000
_Key = int  # time stamp in the stream's time base; of an untimed stream, the number of the packet


@dataclass(frozen=True)
class StreamItem:
    """A frame of the stream, or one that was lost.

    Attributes
    ----------
    frame : av.VideoFrame or None
        None: lost or unreadable.
    pts_ns : int or None
        Time stamp of the stream; None: it has none.
    received_ns : int
        Arrival of its packet, host clock; of a frame that never came, of the one after it.
    sender_ns : int or None
        The camera's own clock, ns since 1970.
    flags : int
        FrameFlag bits.
    missing : bool
        Its packet never came: known from the time stamps alone.
    """

    frame: VideoFrame | None
    pts_ns: int | None
    received_ns: int
    sender_ns: int | None = None
    flags: int = 0
    missing: bool = False


class StreamReader:
    """One connection to a stream.

    Parameters
    ----------
    source : StreamSource
    threads : int
        Threads of the decoder; they share a frame, as frames held back would be late.
    clock : callable
        Host time, ns.

    Raises
    ------
    CameraError
        It cannot be opened.
    """

    def __init__(self, source: StreamSource, *, threads: int = 1, clock: Callable[[], int]) -> None:
        container, self._stream = open_stream(source)
        context = self._stream.codec_context
        context.thread_count, context.thread_type = threads, "SLICE"
        context.options = {"err_detect": "explode"}  # say what is broken instead of painting over it
        context.flags |= CodecFlags.low_delay
        self.width, self.height = self._stream.width, self._stream.height
        self._timed = container.format.name not in UNTIMED
        self._timeline = Timeline(self._nominal_period_ns())
        self._waiting: deque[tuple[_Key, Arrival]] = deque()  # packets whose frame has not come out
        self._packets = 0
        self._begun = False  # a frame came out: before the first keyframe nothing can
        self._broken_since: _Key | None = None
        self._pump = PacketPump(container, clock=clock)

    def read(self, timeout_s: float) -> Iterator[StreamItem]:
        """What came since the last call, in order of the time stamps.

        Raises
        ------
        LostError
            There will be no more.
        """
        for arrival in self._pump.take(timeout_s):
            key = self._key(arrival)
            self._waiting.append((key, arrival))
            if not arrival.skipped:
                for frame in self._decode(key, arrival):
                    yield from self._place(frame)

    def close(self) -> None:
        """End the connection."""
        self._pump.close()

    def _nominal_period_ns(self) -> int:
        rate = self._stream.average_rate or self._stream.guessed_rate
        return round(_NS / rate) if rate else _NS // 25

    def _key(self, arrival: Arrival) -> _Key:
        self._packets += 1
        pts = arrival.packet.pts
        return pts if self._timed and pts is not None else self._packets

    def _decode(self, key: _Key, arrival: Arrival) -> list[VideoFrame]:
        if not self._timed:
            arrival.packet.pts = arrival.packet.dts = key  # comes out again with the frame
        try:
            return self._stream.codec_context.decode(arrival.packet)
        except (av.error.FFmpegError, OSError):
            self._broken_since = key
            return []

    def _place(self, frame: VideoFrame) -> Iterator[StreamItem]:
        key = frame.pts if frame.pts is not None else (self._waiting[0][0] if self._waiting else 0)
        for lost_key, arrival in self._passed(key):
            if lost_key == key:
                yield from self._emit(frame, key, arrival)
            elif self._begun:
                self._broken_since = self._broken_since if arrival.skipped else lost_key
                yield from self._emit(None, lost_key, arrival)
        self._begun = True

    def _passed(self, key: _Key) -> list[tuple[_Key, Arrival]]:
        """Packets up to this one, in order of the time stamps; they have given their frames or never will."""
        passed = sorted((entry for entry in self._waiting if entry[0] <= key), key=lambda entry: entry[0])
        self._waiting = deque(entry for entry in self._waiting if entry[0] > key)
        return passed

    def _emit(self, frame: VideoFrame | None, key: _Key, arrival: Arrival) -> Iterator[StreamItem]:
        pts_ns = self._to_ns(key)
        if pts_ns is not None:
            for gap_ns in self._timeline.gap_before(pts_ns):
                self._timeline.step(gap_ns)
                yield StreamItem(None, gap_ns, arrival.received_ns, flags=FRAME_UNREADABLE, missing=True)
            pts_ns = self._timeline.step(pts_ns)
        if frame is None or frame.is_corrupt:
            flags, frame = FRAME_UNREADABLE, None
        else:
            flags = FRAME_TORN if self._is_torn(frame, key) else 0
        yield StreamItem(frame, pts_ns, arrival.received_ns, arrival.sender_ns, flags)

    def _is_torn(self, frame: VideoFrame, key: _Key) -> bool:
        if self._broken_since is not None and key >= self._broken_since and frame.key_frame:
            self._broken_since = None
        return self._broken_since is not None and key >= self._broken_since

    def _to_ns(self, key: _Key) -> int | None:
        base = self._stream.time_base
        if not self._timed or base is None:
            return None
        return key * base.numerator * _NS // base.denominator

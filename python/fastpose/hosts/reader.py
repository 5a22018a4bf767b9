"""A video file as a stream of frames that hides nothing: what cannot be decoded is an item of its own.

Note [missing frames]: A packet that cannot be decoded, a packet that the file lost and a frame that the
decoder holds back until the next keyframe all look the same from outside: a time stamp without a frame.
So each packet's time stamp is expected, in order; those that pass without a frame are unreadable frames.
Where a file lost whole packets, the gap in an otherwise steady train of time stamps says how many. AVI
and raw streams carry no time stamps of frames; there the decoder's complaints are counted. A decoder may
also deliver frames built upon one that it lost: they are marked torn until the next keyframe.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import av.error

from fastpose.hosts.common import FRAME_TORN, FRAME_UNREADABLE
from fastpose.hosts.hardware import SOFTWARE, Decoding
from fastpose.hosts.probe import open_video
from fastpose.hosts.timeline import Timeline

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

__all__ = ["VideoItem", "VideoReader"]

_UNTIMED = {"avi", "h264", "hevc", "m4v", "mpegvideo", "mjpeg", "ivf"}
_RAW = {"rawvideo", "v210", "v410", "r210", "yuv4", "y41p"}  # black frames of these are zeros
_DEMUX_ERRORS = 100  # in a row; then the rest of the file is given up
_NS = 1_000_000_000


@dataclass(frozen=True)
class VideoItem:
    """One frame of the file, or the place where one should be.

    Attributes
    ----------
    frame : av.VideoFrame or None
        None: unreadable.
    pts_ns : int
        Time stamp of the file, ns.
    flags : int
        FrameFlag bits.
    """

    frame: VideoFrame | None
    pts_ns: int
    flags: int = 0


class VideoReader:
    """Iterates once over the frames of a file.

    Parameters
    ----------
    path : path
        The file.
    threads : int
        Threads of the decoder; 0: as many as it likes. One where a GPU decodes.
    decoding : Decoding
        What decodes it: software, or what `choose_decoding` found.

    Raises
    ------
    CameraError
        The file cannot be opened; never later.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, threads: int = 1, decoding: Decoding = SOFTWARE
    ) -> None:
        self._container, self._stream = open_video(path, decoding.hwaccel)
        context = self._stream.codec_context
        context.thread_count = threads if decoding.device is None else 1
        context.thread_type = "AUTO"
        context.options = {"err_detect": "explode"}  # say what is broken instead of painting over it
        self._timed = self._container.format.name not in _UNTIMED
        self._expected: list[int] = []  # heap of time stamps in the stream's time base
        self._timeline = Timeline(self._nominal_period_ns())
        self._broken_since: int | None = None
        self._errors_pending = 0  # untimed files only
        self.readable = 0
        self.unreadable = 0
        self.torn = 0
        self.gave_up: str | None = None  # why the rest of the file was not read

    def __iter__(self) -> Iterator[VideoItem]:
        with self._container:
            for packet in self._packets():
                self._expect(packet)
                for frame in self._decode(packet):
                    yield from self._place(frame)
            yield from self._lost_before(None)

    @property
    def announced(self) -> int | None:
        """Frames that the file's header promises."""
        return self._stream.frames or None

    @property
    def period_ns(self) -> int:
        """Time between two frames: as seen where enough were, else as the header says."""
        return self._timeline.period_ns

    @property
    def pauses(self) -> int:
        """Silences longer than a second in a steady file."""
        return self._timeline.pauses

    def _nominal_period_ns(self) -> int:
        rate = self._stream.guessed_rate or self._stream.average_rate
        return round(_NS / rate) if rate else _NS // 25

    def _packets(self) -> Iterator[Packet[VideoStream]]:
        errors = 0
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.error.FFmpegError, OSError) as error:
                errors += 1
                if errors == _DEMUX_ERRORS:
                    self.gave_up = str(error)
                    return
                packets = self._container.demux(self._stream)
                continue
            errors = 0
            yield packet

    def _expect(self, packet: Packet[VideoStream]) -> None:
        if self._timed and packet.size and packet.pts is not None and not packet.is_discard:
            heapq.heappush(self._expected, packet.pts)

    def _decode(self, packet: Packet[VideoStream]) -> list[VideoFrame]:
        if self._is_hole(packet):
            self._note_broken(packet)
            return []
        for _ in range(_DEMUX_ERRORS):
            try:
                return self._stream.codec_context.decode(packet)
            except av.error.EOFError:
                break
            except (av.error.FFmpegError, OSError):
                self._note_broken(packet)
                if packet.size:  # at the end of the file, what follows in the decoder is still to come
                    break
        return []

    def _is_hole(self, packet: Packet[VideoStream]) -> bool:
        """Space that a file system gave and never filled; some decoders repeat an old frame for it."""
        if not packet.size or self._stream.codec_context.name in _RAW:
            return False
        content = memoryview(packet)
        return not any(content[:16]) and not any(content)

    def _note_broken(self, packet: Packet[VideoStream]) -> None:
        self._errors_pending += 1
        if packet.pts is not None:
            self._broken_since = packet.pts

    def _place(self, frame: VideoFrame) -> Iterator[VideoItem]:
        pts = self._pts(frame)
        yield from self._lost_before(pts)
        if frame.is_corrupt:
            yield from self._emit(None, self._to_ns(pts))
        else:
            yield from self._emit(frame, self._to_ns(pts), FRAME_TORN if self._is_torn(frame) else 0)

    def _lost_before(self, pts: int | None) -> Iterator[VideoItem]:
        """What should have come before this time stamp; None: before the end of the file."""
        if not self._timed:
            lost, self._errors_pending = self._errors_pending, 0
            for _ in range(lost):
                yield from self._emit(None, None)
        while self._expected and (pts is None or self._expected[0] <= pts):
            expected = heapq.heappop(self._expected)
            if expected != pts:
                yield from self._emit(None, self._to_ns(expected))

    def _emit(self, frame: VideoFrame | None, pts_ns: int | None, flags: int = 0) -> Iterator[VideoItem]:
        for gap_ns in self._timeline.gap_before(pts_ns):
            self.unreadable += 1
            yield VideoItem(None, self._timeline.step(gap_ns), FRAME_UNREADABLE)
        if frame is None:
            self.unreadable += 1
            flags = FRAME_UNREADABLE
        else:
            self.readable += 1
            self.torn += flags != 0
        yield VideoItem(frame, self._timeline.step(pts_ns), flags)

    def _is_torn(self, frame: VideoFrame) -> bool:
        if self._broken_since is None or (frame.pts is not None and frame.pts < self._broken_since):
            return False
        if frame.key_frame:
            self._broken_since = None
        return self._broken_since is not None

    def _pts(self, frame: VideoFrame) -> int | None:
        if not self._timed:
            return None
        if frame.pts is None and self._expected:
            return self._expected[0]
        return frame.pts

    def _to_ns(self, pts: int | None) -> int | None:
        base = self._stream.time_base
        if pts is None or base is None:
            return None
        return pts * base.numerator * _NS // base.denominator

"""A recorded video after the fact: how many frames it holds, and a clean copy of one that was cut off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
import numpy.typing as npt

from fastpose.errors import RecordError
from fastpose.session.atomic import replacing, write_json

__all__ = [
    "VideoState",
    "VideoTimes",
    "is_cut",
    "repair_notes",
    "repair_video",
    "video_rate",
    "video_size_px",
    "video_state",
    "video_times",
]

_SEGMENT_ID = b"\x18\x53\x80\x67"
_UNKNOWN_SIZE = b"\x01\xff\xff\xff\xff\xff\xff\xff"


@dataclass(frozen=True)
class VideoState:
    """What a video file holds.

    Attributes
    ----------
    frames : int
        Frames that can be decoded, from the first on.
    cut : bool
        The file was not closed: it has no index and its length is unknown to players.
    """

    frames: int
    cut: bool


def is_cut(path: Path) -> bool:
    """The Matroska file was never closed: the size of its segment is still open."""
    with path.open("rb") as file:
        head = file.read(4096)
    at = head.find(_SEGMENT_ID)
    return at < 0 or head[at + 4 : at + 12] == _UNKNOWN_SIZE


def video_state(path: Path) -> VideoState:
    """Count the frames of a video.

    Packets are counted, and the last group of pictures is decoded when the file was cut: what lies before it
    was written whole.

    Raises
    ------
    RecordError
        The file cannot be opened.
    """
    try:
        cut = is_cut(path)
    except OSError as error:
        raise RecordError(f"cannot read '{path}': {error.strerror}") from error
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                return VideoState(0, True)
            before, group = _split_last_group(container)
            if cut:
                group = group[: _presentable(group)]
                return VideoState(before + _count_decodable(container.streams.video[0], group), cut)
            return VideoState(before + len(group), cut)
    except av.error.FFmpegError:
        return VideoState(0, True)


@dataclass(frozen=True)
class VideoTimes:
    """When each frame of a video is shown.

    Attributes
    ----------
    frames : int
        Frames that can be decoded.
    seconds : ndarray
        (frames,) float64, ascending, from the first frame.
    """

    frames: int
    seconds: npt.NDArray[np.float64]


def video_times(path: Path) -> VideoTimes:
    """The presentation times of a video's frames; nothing is decoded but the end of a file that was cut.

    Raises
    ------
    RecordError
        The file cannot be opened.
    """
    state = video_state(path)
    if state.frames == 0:
        return VideoTimes(0, np.zeros(0))
    with av.open(str(path)) as container:
        time_base = container.streams.video[0].time_base
        times = np.sort([packet.pts for packet in _packets(container) if packet.pts is not None])
    seconds = (times - times[:1]) * float(time_base or 1)
    return VideoTimes(state.frames, np.asarray(seconds[: state.frames], np.float64))


def _packets(container: Any) -> Iterator[Any]:
    """The video packets up to the first that cannot be read."""
    try:
        for packet in container.demux(video=0):
            if packet.size and not packet.is_corrupt:
                yield packet
    except av.error.FFmpegError:
        return


def _split_last_group(container: Any) -> tuple[int, list[Any]]:
    """How many packets come before the last key frame, and the packets from it on."""
    before: int = 0
    group: list[Any] = []
    for packet in _packets(container):
        if packet.is_keyframe:
            before += len(group)
            group = []
        group.append(packet)
    return before, group


def _presentable(packets: list[Any]) -> int:
    """How many packets from the first on hold all frames up to their last one, though the rest is lost.

    Packets lie in decoding order. What is lost has a presentation time after the last decoding time.
    """
    if not packets or any(packet.pts is None or packet.dts is None for packet in packets):
        return len(packets)
    pts = np.array([packet.pts for packet in packets])
    first_after = np.append(np.minimum.accumulate(pts[::-1])[::-1][1:], packets[-1].dts + 1)
    whole = np.maximum.accumulate(pts) < np.minimum(first_after, packets[-1].dts + 1)
    return int(np.flatnonzero(whole).max(initial=-1)) + 1


def _count_decodable(stream: Any, packets: list[Any]) -> int:
    """Frames that the packets of a group of pictures give before the first error."""
    count = 0
    try:
        for packet in [*packets, None]:
            count += len(stream.codec_context.decode(packet))
    except av.error.FFmpegError:
        pass
    return min(count, len(packets))


def repair_video(path: Path) -> VideoState:
    """Give a video that was cut off an index and a length; the pixels are copied, not encoded again.

    The file is replaced only when the copy holds as many frames. A video that was closed is left as it is, so
    repairing twice does nothing.

    Raises
    ------
    RecordError
        The file cannot be read or the copy cannot be written.
    """
    state = video_state(path)
    if not state.cut or state.frames == 0:
        return state
    copy = path.with_name(f".{path.stem}.copy{path.suffix}")
    try:
        try:
            _remux(path, copy, state.frames)
        except av.error.FFmpegError as error:
            raise RecordError(f"cannot write an index for '{path}': {error}") from error
        copied = video_state(copy)
        if copied.frames == state.frames and not copied.cut:
            copy.replace(path)
            write_json(_repair_record(path), {"frames": copied.frames})
            return copied
    finally:
        copy.unlink(missing_ok=True)
    return state


def repair_notes(path: Path) -> list[str]:
    """What was once repaired on a video, in a line."""
    if not _repair_record(path).exists():
        return []
    return [f"{path.name} was cut off and got a new index; the frames are as they were recorded"]


def _repair_record(path: Path) -> Path:
    """Lies with the log, so that every later look at the session says the same."""
    return path.parent / "log" / f"{path.stem}.repaired.json"


def _remux(path: Path, copy: Path, frames: int) -> None:
    with (
        replacing(copy) as temporary,
        av.open(str(path)) as source,
        av.open(str(temporary), "w", options={"allow_raw_vfw": "1"}) as target,
    ):
        stream = _stream_like(target, source.streams.video[0])
        target.metadata.update(source.metadata)  # what the camera delivered, and when
        for number, packet in enumerate(_packets(source)):
            if number >= frames:
                break
            packet.stream = stream
            target.mux(packet)


def _stream_like(target: Any, source: Any) -> Any:
    """A stream that takes the packets of another one."""
    if source.codec_context.name != "rawvideo":
        return target.add_stream_from_template(source)
    # A template forgets the four letters by which Matroska knows raw formats.
    stream = target.add_stream("rawvideo", rate=source.average_rate)
    own, other = stream.codec_context, source.codec_context
    own.width, own.height, own.pix_fmt, own.time_base = (
        other.width,
        other.height,
        other.pix_fmt,
        source.time_base,
    )
    return stream


def video_rate(path: Path) -> Fraction:
    """Frames a second that the file states, 30 where it states none."""
    with av.open(str(path)) as container:
        return container.streams.video[0].average_rate or Fraction(30)


def video_size_px(path: Path) -> tuple[int, int]:
    """Width and height of the frames."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return stream.codec_context.width, stream.codec_context.height

"""Raw frames into a Matroska file of which a kill or a power cut takes less than the last second."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import av
import av.error
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame

from fastpose.errors import RecordError
from fastpose.hosts.encoders import TIME_BASE, configure, encoder_name, nominal_rate, target_format
from fastpose.hosts.fidelity import Fidelity
from fastpose.hosts.frame_makers import frame_maker
from fastpose.hosts.pixels import GREY_FORMATS
from fastpose.session.recorded import PIXEL_FORMAT_TAG

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream

    from fastpose.hosts.common import Pixels
    from fastpose.hosts.spawn import EncoderOptions

__all__ = ["VideoWriter"]

_KEYFRAME_MS = 1000
_CONTAINER = {
    "cluster_time_limit": "250",  # ms in memory before they are written
    "flush_packets": "1",
    "allow_raw_vfw": "1",  # raw colour
}


class VideoWriter:
    """One video file.

    Parameters
    ----------
    options : EncoderOptions
    width, height : int
        px.
    pixel_format : str
        Of the frames to come. Bayer frames are stored as the raw grey mosaic; the file's metadata name the
        pattern.

    Attributes
    ----------
    stored_as : str
        FFmpeg's name of the pixel format in the file.
    encoding_s, writing_s : float
        Time spent in the encoder and in giving the file to the system, so far.

    Raises
    ------
    RecordError
        The file cannot be made, or the encoder does not take these frames or options.
    """

    def __init__(self, options: EncoderOptions, width: int, height: int, pixel_format: str) -> None:
        self._path = Path(options.path)
        self._pending: deque[int] = deque()  # frame ids inside the encoder
        self._first_ns: int | None = None
        self._last_ms = -1
        self._keyframe_ms = -_KEYFRAME_MS
        self._closed = False
        self.encoding_s = 0.0
        self.writing_s = 0.0
        with self._saying("make the file"):
            self._path.open("xb").close()
            self._container = av.open(str(self._path), "w", format="matroska", options=_CONTAINER)
        self.stored_as = target = target_format(options.codec, pixel_format, width, height)
        self._to_frame = frame_maker(pixel_format, target, width, height)
        self._stream = self._container.add_stream(encoder_name(options.codec), rate=nominal_rate(options))
        self._context = cast("VideoCodecContext", self._stream.codec_context)
        self._open_encoder(options, target, (width, height), pixel_format)
        self._fidelity = Fidelity(self._context, pixel_format)
        self._container.metadata.update({PIXEL_FORMAT_TAG: pixel_format, "FASTPOSE_CAMERA": options.camera})

    @property
    def fidelity(self) -> dict[str, Any]:
        """What was measured of the recorded pixels against the camera's; see `Fidelity.as_json`."""
        return self._fidelity.as_json()

    def write(self, pixels: Pixels, frame_id: int, exposure_start_ns: int) -> list[int]:
        """Encode one frame; its memory is free when this returns.

        Returns
        -------
        list of int
            Frame ids that have reached the file by now, in its order.

        Raises
        ------
        RecordError
            The disk is full, or the encoder failed.
        """
        frame = self._to_frame(pixels)
        frame.time_base = TIME_BASE
        frame.pts = self._pts_ms(exposure_start_ns)
        if frame.pts - self._keyframe_ms >= _KEYFRAME_MS:
            frame.pict_type = PictureType.I
            self._keyframe_ms = frame.pts
            self._fidelity.begin_group(frame.pts)
        self._fidelity.keep(pixels, frame.pts)
        self._pending.append(frame_id)
        with self._saying("write"):
            return self._mux(self._encode(frame))

    def close(self) -> list[int]:
        """Finish the file; returns the frame ids that were still inside the encoder."""
        if self._closed:
            return []
        self._closed = True
        with self._saying("finish"):
            try:
                return self._mux(self._encode(None)) if self._first_ns is not None else []
            finally:
                self._container.close()

    def abandon(self) -> None:
        """Close after an error, whatever can still be written."""
        self._closed = True
        try:
            self._container.close()
        except (av.error.FFmpegError, OSError):
            return  # already said

    def _encode(self, frame: VideoFrame | None) -> list[Packet[VideoStream]]:
        start_s = time.perf_counter()
        packets = self._context.encode(frame)
        self.encoding_s += time.perf_counter() - start_s
        return packets

    def _mux(self, packets: list[Packet[VideoStream]]) -> list[int]:
        for packet in packets:
            self._fidelity.take(packet)
        start_s = time.perf_counter()
        for packet in packets:
            packet.stream = self._stream
            self._container.mux(packet)
        self.writing_s += time.perf_counter() - start_s
        return [self._pending.popleft() for _ in packets]

    def _pts_ms(self, exposure_start_ns: int) -> int:
        if self._first_ns is None:
            self._first_ns = exposure_start_ns
            self._container.metadata["FASTPOSE_FIRST_EXPOSURE_NS"] = str(exposure_start_ns)
        self._last_ms = max(self._last_ms + 1, round((exposure_start_ns - self._first_ns) / 1e6))
        return self._last_ms

    def _open_encoder(
        self, options: EncoderOptions, target: str, size: tuple[int, int], pixel_format: str
    ) -> None:
        try:
            configure(self._context, options, target, size, grey=pixel_format in GREY_FORMATS)
        except RecordError as error:
            raise RecordError(f"video of camera '{options.camera}': {error}") from error

    def _saying(self, action: str) -> _Saying:
        return _Saying(self._path, action)


class _Saying:
    """Turns what FFmpeg and the system raise into one line with the path."""

    def __init__(self, path: Path, action: str) -> None:
        self._path, self._action = path, action

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, (av.error.FFmpegError, OSError)) and not isinstance(error, RecordError):
            reason = getattr(error, "strerror", None) or str(error)
            raise RecordError(f"video '{self._path}': cannot {self._action}: {reason}") from error

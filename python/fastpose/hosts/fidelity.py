"""Compares recorded pixels with those of the camera, on a few frames now and then while they are recorded."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import av.error
import numpy as np
from av.codec.context import CodecContext
from av.packet import Packet

from fastpose.session.recorded import WHITE, recorded_pixels

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext

    from fastpose.hosts.common import Pixels

__all__ = ["Fidelity", "psnr_db"]

_FRAMES = 4  # from a key frame on: one that stands alone, and three that were predicted
_EVERY_MS = 30_000
_DECODERS = {
    "libx264": "h264",
    "libx264rgb": "h264",
    "libx265": "hevc",
    "h264_nvenc": "h264",
    "hevc_nvenc": "hevc",
}


def psnr_db(mean_square: float, white: int) -> float | None:
    """Peak signal-to-noise ratio, dB; None where there is no difference.

    10 log10(white^2 / mean square error), as ITU-T J.340 has it.
    """
    return 10 * math.log10(white**2 / mean_square) if mean_square > 0 else None


class Fidelity:
    """Decodes what the encoder made of a few frames and compares it with what it was given.

    Parameters
    ----------
    context : VideoCodecContext
        The encoder, open.
    pixel_format : str
        Of the camera; frames are compared in it, so that what a conversion loses counts too.
    """

    def __init__(self, context: VideoCodecContext, pixel_format: str) -> None:
        self._context, self._pixel_format = context, pixel_format
        self._next_ms = 0
        self._kept: dict[int, Pixels] = {}  # pts: what the camera gave
        self._packets: list[tuple[bytes, int | None, int | None]] = []
        self._open = False
        self._compared, self._failed = 0, False
        self._sum_square, self._samples, self._largest = 0.0, 0, 0

    def begin_group(self, pts: int) -> None:
        """A key frame comes next."""
        self._compare()
        self._open = not self._failed and pts >= self._next_ms
        if self._open:
            self._next_ms = pts + _EVERY_MS

    def keep(self, pixels: Pixels, pts: int) -> None:
        """What is given to the encoder."""
        if self._open and len(self._kept) < _FRAMES:
            self._kept[pts] = pixels.copy()

    def take(self, packet: Packet[Any]) -> None:
        """What came out of the encoder."""
        if not self._open:
            return
        self._packets.append((bytes(packet), packet.pts, packet.dts))
        if len(self._packets) >= _FRAMES:
            self._compare()

    def as_json(self) -> dict[str, Any]:
        """How many frames were compared, and how they differ; `psnr_db` is None where they do not."""
        if not self._compared:
            return {"compared_frames": 0}
        mean_square = self._sum_square / self._samples
        return {
            "compared_frames": self._compared,
            "exact": self._largest == 0,
            "psnr_db": psnr_db(mean_square, WHITE.get(self._pixel_format, 255)),
            "largest_difference": self._largest,
        }

    def _compare(self) -> None:
        kept, packets = self._kept, self._packets
        self._kept, self._packets, self._open = {}, [], False
        if not packets:
            return
        try:
            for pts, got in self._decoded(packets):
                if (camera := kept.get(pts)) is not None:
                    self._add(camera, got)
        except (av.error.FFmpegError, ValueError):
            self._failed = True  # no decoder for it: nothing is claimed

    def _decoded(self, packets: list[tuple[bytes, int | None, int | None]]) -> list[tuple[int, Pixels]]:
        own = self._context
        decoder = cast("VideoCodecContext", CodecContext.create(_DECODERS.get(own.name, own.name), "r"))
        decoder.extradata, decoder.thread_count = own.extradata, 1
        decoder.width, decoder.height, decoder.pix_fmt = own.width, own.height, own.pix_fmt
        frames = []
        for content, pts, dts in [*packets, (b"", None, None)]:
            packet = Packet(content)
            packet.pts, packet.dts = pts, dts
            frames += decoder.decode(packet if content else None)
        return [
            (frame.pts, recorded_pixels(frame, self._pixel_format))
            for frame in frames
            if frame.pts is not None
        ]

    def _add(self, camera: Pixels, got: Pixels) -> None:
        difference = np.abs(camera.astype(np.int32) - got)
        self._largest = max(self._largest, int(difference.max(initial=0)))
        self._sum_square += float(np.square(difference, dtype=np.float32).sum(dtype=np.float64))
        self._samples += difference.size
        self._compared += 1

"""Makes small test videos whose every frame tells its number, whole or damaged in chosen places."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorRange

Pixels = npt.NDArray[np.uint8]

RATE_HZ = 50
_BITS = 8  # of the frame number, as blocks along the upper edge


def grey_frame(index: int, width: int = 320, height: int = 240) -> Pixels:
    """A ramp over the full range 0..255, a moving square, and the frame number in blocks."""
    frame = np.tile(np.linspace(0, 255, width).astype(np.uint8), (height, 1))
    top, left = 40 + index * 3 % (height - 80), index * 5 % (width - 40)
    frame[top : top + 30, left : left + 30] = 255 - frame[top : top + 30, left : left + 30]
    for bit in range(_BITS):
        frame[:16, bit * 16 : bit * 16 + 16] = 235 if index >> bit & 1 else 16
    return frame


def frame_number(frame: Pixels) -> int:
    """The number that `grey_frame` wrote; takes (H, W) or (H, W, 3)."""
    grey = frame if frame.ndim == 2 else frame[:, :, 1]
    return sum(int(grey[8, bit * 16 + 8] > 128) << bit for bit in range(_BITS))


def make_video(
    path: Path,
    *,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    frames: int = 60,
    width: int = 320,
    height: int = 240,
    keyframe_every: int = 10,
    skip: Iterable[int] = (),
    first_pts: int = 0,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Write `grey_frame`s as luma of full range; `skip` leaves time stamps out."""
    defaults = {"preset": "ultrafast", "tune": "zerolatency", "crf": "5"} if codec == "libx264" else {}
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=RATE_HZ)
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        stream.options = defaults | (options or {})
        stream.codec_context.gop_size = keyframe_every
        stream.codec_context.color_range = ColorRange.JPEG
        for index in sorted(set(range(frames)) - set(skip)):
            frame = _as_video_frame(grey_frame(index, width, height), pix_fmt)
            frame.pts = index + first_pts
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _as_video_frame(grey: Pixels, pix_fmt: str) -> av.VideoFrame:
    if pix_fmt == "gray":
        return av.VideoFrame.from_ndarray(grey, format="gray")
    frame = av.VideoFrame(grey.shape[1], grey.shape[0], pix_fmt)
    for index, plane in enumerate(frame.planes):
        rows = np.full((plane.height, plane.line_size), 128, np.uint8)
        if index == 0:
            rows[:, : grey.shape[1]] = grey
        plane.update(rows)
    return frame


def packets(path: Path) -> list[tuple[int, int]]:
    """Position and size of each packet, bytes."""
    with av.open(str(path)) as container:
        return [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]


def damage(path: Path, broken: Iterable[int], *, noise: bool = False) -> Path:
    """Zero the bytes of some packets of a file, or all but their heads with noise, in place."""
    content = bytearray(path.read_bytes())
    found = packets(path)
    for index in broken:
        position, size = found[index]
        if noise:
            content[position + 20 : position + size] = np.random.default_rng(index).bytes(size - 20)
        else:
            content[position : position + size] = bytes(size)
    path.write_bytes(content)
    return path


def truncate(path: Path, share: float) -> Path:
    """Cut a file off after this share of its bytes, in place."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def text_file(path: Path) -> Path:
    """A file that is no video, whatever its name says."""
    path.write_text("subject,weight\nm001,24.1\n" * 50)
    return path

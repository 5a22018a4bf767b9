"""Which decoder reads a file for a GPU: what is tried, what is said, and that the frames are the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from av.codec.hwaccel import HWAccel
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange

from fastpose.errors import CameraError, DeviceError
from fastpose.hosts import hardware
from fastpose.hosts.hardware import SOFTWARE, choose_decoding, in_planes
from fastpose.hosts.pixels import SlotFiller
from fastpose.hosts.probe import open_video
from fastpose.hosts.reader import VideoReader
from fastpose.session.recorded import plane
from gpu import require_gpu
from make_videos import make_video

SIZE = {"width": 162, "height": 122}


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return make_video(tmp_path / "v.mp4", frames=8, **SIZE)


def as_nv12(frame: VideoFrame) -> VideoFrame:
    """The frame as a card gives it: luma, then both chromas by turns."""
    made = VideoFrame(frame.width, frame.height, "nv12")
    width = frame.planes[1].width
    plane(made, 0)[:, : frame.width] = plane(frame, 0)[:, : frame.width]
    for index in (0, 1):
        plane(made, 1)[:, index : 2 * width : 2] = plane(frame, index + 1)[:, :width]
    made.color_range, made.colorspace = frame.color_range, frame.colorspace
    return made


class Card:
    """Opens files as FFmpeg with a card does: frames in NV12; `broken` changes a number of each."""

    def __init__(self, *, broken: bool = False, refuses: str = "") -> None:
        self.broken, self.refuses, self.asked = broken, refuses, 0

    def open(self, path: Any, hwaccel: HWAccel | None = None) -> tuple[Any, Any]:
        container, stream = open_video(path)
        if hwaccel is None:
            return container, stream
        self.asked += 1
        if self.refuses:
            container.close()
            raise av.error.ExternalError(1, self.refuses)
        return SimpleNamespace(
            close=container.close, decode=lambda which: self._frames(container, which)
        ), stream

    def _frames(self, container: Any, stream: Any) -> Iterator[VideoFrame]:
        for frame in container.decode(stream):
            made = as_nv12(frame)
            if self.broken:
                plane(made, 1)[3, 5] += 1
            yield made


@contextmanager
def built_with(*devices: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hardware, "hwdevices_available", lambda: list(devices))
        yield


def knows_cuda(path: Path) -> bool:
    container, stream = open_video(path)
    with container:
        return any(each.device_type.name == "cuda" for each in stream.codec_context.codec.hardware_configs)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuvj420p"])
@pytest.mark.parametrize("pixel_format", ["mono8", "rgb8", "bgr8"])
def test_frames_of_a_card_are_those_of_software(tmp_path: Path, pixel_format: str, pix_fmt: str) -> None:
    path = make_video(tmp_path / "v.mp4", frames=5, pix_fmt=pix_fmt, **SIZE)
    filler = SlotFiller(*SIZE.values(), pixel_format)
    shape = (SIZE["height"], SIZE["width"]) + (() if pixel_format == "mono8" else (3,))
    random = np.random.default_rng(1)
    for item in VideoReader(path):
        assert item.frame is not None
        for index in (1, 2):  # colours, which the grey test video lacks
            chroma = plane(item.frame, index)
            chroma[...] = random.integers(16, 240, chroma.shape)
        theirs, ours = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
        assert filler.fill(item.frame, theirs)
        found = in_planes(as_nv12(item.frame))
        assert found.format.name == item.frame.format.name
        assert (found.color_range == ColorRange.JPEG) == (item.frame.color_range == ColorRange.JPEG)
        assert filler.fill(found, ours)
        np.testing.assert_array_equal(ours, theirs)
        assert in_planes(item.frame) is item.frame


def test_a_card_that_gives_the_same_frames_is_taken(video: Path) -> None:
    if not knows_cuda(video):
        pytest.skip("this FFmpeg was built without NVDEC")
    card = Card()
    with built_with("vaapi", "cuda"):
        found = choose_decoding(video, 1, opened=card.open)
    assert (found.text, found.device, card.asked) == ("NVDEC of cuda:1", 1, 1)
    assert found.hwaccel is not None


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        (Card(broken=True), "its first 3 frames are not those of software decoding"),
        (Card(refuses="no such device"), "no such device"),
    ],
)
def test_another_one_is_not_and_the_reason_is_said(video: Path, card: Card, reason: str) -> None:
    if not knows_cuda(video):
        pytest.skip("this FFmpeg was built without NVDEC")
    with built_with("cuda"):
        found = choose_decoding(video, 0, opened=card.open)
        assert found.device is None and found.hwaccel is None
        assert found.text.startswith("software (NVDEC: ") and reason in found.text
        with pytest.raises(DeviceError, match=f"{reason}.*allowed: decoder auto or software"):
            choose_decoding(video, 0, "nvdec", opened=card.open)


def test_what_is_not_even_tried(tmp_path: Path, video: Path) -> None:
    card = Card()
    with built_with("vaapi"):
        assert "built without it" in choose_decoding(video, 0, opened=card.open).text
    with built_with("cuda"):
        assert choose_decoding(video, 0, "software", opened=card.open).text == "software (asked for)"
        full = make_video(tmp_path / "444.mp4", pix_fmt="yuv444p", frames=3, **SIZE)
        text = choose_decoding(full, 0, opened=card.open).text
        assert "pixel format is yuvj444p; allowed: yuv420p, yuvj420p" in text
        plain = make_video(tmp_path / "v.mkv", codec="ffv1", frames=3, **SIZE)
        assert "does not decode ffv1" in choose_decoding(plain, 0, opened=card.open).text
        with pytest.raises(CameraError, match="does not exist"):
            choose_decoding(tmp_path / "none.mp4", 0, opened=card.open)
    assert card.asked == 0


def test_here_the_real_check_says_what_it_found(video: Path) -> None:
    found = choose_decoding(video, 0)
    assert found.text.startswith("NVDEC of cuda:0" if found.device == 0 else "software (NVDEC: ")


def test_nvdec_on_a_gpu(video: Path) -> None:
    require_gpu()
    found = choose_decoding(video, 0)
    if found.device is None:
        pytest.skip(found.text)
    for ours, theirs in zip(
        VideoReader(video, decoding=found), VideoReader(video, decoding=SOFTWARE), strict=True
    ):
        assert ours.frame is not None and theirs.frame is not None
        assert ours.pts_ns == theirs.pts_ns
        for index in range(3):
            np.testing.assert_array_equal(plane(in_planes(ours.frame), index), plane(theirs.frame, index))

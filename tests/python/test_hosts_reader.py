"""Tests of fastpose.hosts.reader: every frame of a file is there once, in order, or says that it is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fastpose.errors import CameraError
from fastpose.hosts.common import FRAME_TORN, FRAME_UNREADABLE
from fastpose.hosts.pixels import SlotFiller, luma
from fastpose.hosts.reader import VideoItem, VideoReader
from make_videos import RATE_HZ, damage, frame_number, grey_frame, make_video, text_file, truncate

PERIOD_NS = 1_000_000_000 // RATE_HZ


def read(path: Path, threads: int = 1) -> tuple[VideoReader, list[VideoItem]]:
    reader = VideoReader(path, threads=threads)
    return reader, list(reader)


def numbers(items: list[VideoItem]) -> list[int | None]:
    """The frame number in the pixels of each item, None where there are no pixels."""
    return [None if item.frame is None else frame_number(luma(item.frame)) for item in items]


def stamps_ms(items: list[VideoItem]) -> list[int]:
    return [round(item.pts_ns / 1e6) for item in items]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.ts"])
@pytest.mark.parametrize("threads", [1, 2])
def test_whole_file(tmp_path: Path, name: str, threads: int) -> None:
    reader, items = read(make_video(tmp_path / name, frames=30), threads)
    assert numbers(items) == list(range(30))
    assert [item.flags for item in items] == [0] * 30
    relative = np.array(stamps_ms(items)) - stamps_ms(items)[0]
    assert np.abs(relative - np.arange(30) * 1000 // RATE_HZ).max() <= 1
    assert (reader.readable, reader.unreadable, reader.torn, reader.gave_up) == (30, 0, 0, None)


@pytest.mark.parametrize("name", ["a.mp4", "a.avi"])
def test_frames_that_the_encoder_reordered(tmp_path: Path, name: str) -> None:
    options = {"preset": "medium", "tune": "film", "bf": "3"}
    _, items = read(make_video(tmp_path / name, frames=40, options=options))
    assert numbers(items) == list(range(40))
    assert np.diff([item.pts_ns for item in items]).min() > 0


@pytest.mark.parametrize(("codec", "threads"), [("ffv1", 1), ("mjpeg", 1), ("mjpeg", 2)])
def test_broken_packets_are_unreadable_frames_at_their_place(
    tmp_path: Path, codec: str, threads: int
) -> None:
    pix_fmt = "gray" if codec == "ffv1" else "yuvj420p"
    path = make_video(tmp_path / "a.mp4", codec=codec, pix_fmt=pix_fmt, frames=20, keyframe_every=1)
    damage(path, [0, 7, 8, 19])
    reader, items = read(path, threads)
    expected = [None if i in (0, 7, 8, 19) else i for i in range(20)]
    assert numbers(items) == expected
    assert [item.flags & FRAME_UNREADABLE for item in items] == [int(e is None) for e in expected]
    assert stamps_ms(items) == [i * 1000 // RATE_HZ for i in range(20)]
    assert reader.unreadable == 4


def test_broken_packets_of_a_predicted_stream(tmp_path: Path) -> None:
    path = damage(make_video(tmp_path / "a.mp4", frames=40, keyframe_every=10), [13, 14])
    reader, items = read(path)
    seen = numbers(items)
    assert len(items) == 40
    assert seen[:13] == list(range(13))
    assert seen[13:15] == [None, None]
    assert seen[20:] == list(range(20, 40))  # from the next keyframe on
    for item in items[15:20]:  # built upon what was lost
        assert item.flags in (FRAME_UNREADABLE, FRAME_TORN)
    assert all(item.flags == 0 for item in items[20:])
    assert stamps_ms(items) == [i * 1000 // RATE_HZ for i in range(40)]
    assert reader.readable + reader.unreadable == 40


@pytest.mark.parametrize("codec", ["mpeg4", "libx264"])
def test_noise_in_packets_is_not_painted_over(tmp_path: Path, codec: str) -> None:
    """The decoder would rather conceal damage; what it invents must not pass as a good frame."""
    options = {"preset": "veryfast", "tune": "film", "bf": "0"} if codec == "libx264" else {}
    path = make_video(tmp_path / "a.mp4", codec=codec, frames=40, options=options)
    reader, items = read(damage(path, [13, 23, 33], noise=True))
    assert len(items) == 40
    assert [i for i in (13, 23, 33) if not items[i].flags] == []
    assert [i for i in range(40) if items[i].flags and (i < 13 or i // 10 * 10 == i)] == []
    assert reader.torn > 0


def test_frames_before_the_edit_list_are_not_lost_but_cut(tmp_path: Path) -> None:
    reader, items = read(make_video(tmp_path / "a.mp4", frames=30, first_pts=-7))
    assert numbers(items) == list(range(7, 30))
    assert reader.unreadable == 0


def test_broken_packet_without_time_stamps(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.avi", codec="mjpeg", pix_fmt="yuvj420p", frames=20)
    _, items = read(damage(path, [7]))
    assert numbers(items) == [None if i == 7 else i for i in range(20)]


@pytest.mark.parametrize("skip", [[12], [12, 13, 14], [11, 25]])
def test_packets_missing_from_a_steady_file(tmp_path: Path, skip: list[int]) -> None:
    _, items = read(make_video(tmp_path / "a.mkv", frames=40, skip=skip))
    assert numbers(items) == [None if i in skip else i for i in range(40)]
    assert np.abs(np.array(stamps_ms(items)) - np.arange(40) * 1000 // RATE_HZ).max() <= 1


def test_a_pause_is_no_row_of_lost_frames(tmp_path: Path) -> None:
    reader, items = read(make_video(tmp_path / "a.mkv", frames=120, skip=range(20, 100)))
    assert numbers(items) == [*range(20), *range(100, 120)]
    assert reader.pauses == 1
    assert reader.unreadable == 0


def test_unsteady_files_have_no_gaps(tmp_path: Path) -> None:
    skip = [i for i in range(60) if i % 5 in (1, 2, 4)]
    reader, items = read(make_video(tmp_path / "a.mkv", frames=60, skip=skip))
    assert numbers(items) == [i for i in range(60) if i not in skip]
    assert reader.unreadable == 0


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_truncated_file_gives_what_is_there(tmp_path: Path, name: str) -> None:
    options = {"movflags": "faststart"} if name.endswith("mp4") else {}
    path = truncate(make_video(tmp_path / name, frames=60, container_options=options), 0.6)
    reader, items = read(path)
    good = [number for number in numbers(items) if number is not None]
    assert good == list(range(len(good)))
    assert 20 < len(good) < 60
    assert len(items) <= len(good) + 1  # the packet that was cut
    assert reader.announced == (60 if name.endswith("mp4") else None)


def test_no_video(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="no video"):
        VideoReader(text_file(tmp_path / "a.mp4"))


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "size"),
    [
        ("ffv1", "gray", (641, 479)),
        ("ffv1", "gray10le", (320, 240)),
        ("ffv1", "yuv420p10le", (320, 240)),
        ("libx264", "yuvj420p", (320, 240)),
        ("libx264", "yuvj444p", (641, 479)),
        ("libx264", "gray", (641, 479)),
        ("ffv1", "bgr0", (320, 240)),
    ],
)
def test_grey_stays_grey(tmp_path: Path, codec: str, pix_fmt: str, size: tuple[int, int]) -> None:
    width, height = size
    path = tmp_path / "a.mkv"
    if pix_fmt in ("gray10le", "yuv420p10le", "bgr0"):
        _write_converted(path, pix_fmt, width, height)
    else:
        make_video(path, codec=codec, pix_fmt=pix_fmt, width=width, height=height, frames=3)
    _, items = read(path)
    slot = np.zeros((height, width), np.uint8)
    tolerance = 6 if codec == "libx264" else 0
    for index, item in enumerate(items):
        assert SlotFiller(width, height, "mono8").fill(item.frame, slot)
        difference = np.abs(slot.astype(int) - grey_frame(index, width, height))
        assert difference.max() <= tolerance, f"frame {index}"


def _write_converted(path: Path, pix_fmt: str, width: int, height: int) -> None:
    """Three frames in a format that holds grey values exactly, made without any conversion of FFmpeg's."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=RATE_HZ)
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        for index in range(3):
            grey = grey_frame(index, width, height)
            frame = av.VideoFrame(width, height, pix_fmt)
            for number, plane in enumerate(frame.planes):
                if pix_fmt == "bgr0":
                    rows = np.zeros((height, plane.line_size), np.uint8)
                    rows[:, : width * 4] = np.repeat(grey, 4, axis=1)
                else:
                    rows = np.full((plane.height, plane.line_size // 2), 512, np.uint16)
                    if number == 0:
                        rows[:, :width] = grey.astype(np.uint16) << 2
                plane.update(rows.view(np.uint8))
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(("codec", "pix_fmt"), [("ffv1", "gray"), ("libx264", "yuvj420p")])
def test_colour_from_a_grey_scene(tmp_path: Path, codec: str, pix_fmt: str) -> None:
    _, items = read(make_video(tmp_path / "a.mkv", codec=codec, pix_fmt=pix_fmt, frames=1))
    slot = np.zeros((240, 320, 3), np.uint8)
    SlotFiller(320, 240, "rgb8").fill(items[0].frame, slot)
    expected = grey_frame(0)[:, :, np.newaxis]
    assert np.abs(slot.astype(int) - expected).max() <= (0 if codec == "ffv1" else 7)


@pytest.mark.parametrize(("pixel_format", "channel"), [("rgb8", 0), ("bgr8", 2)])
def test_channel_order(pixel_format: str, channel: int) -> None:
    import av

    red = np.zeros((32, 32, 3), np.uint8)
    red[:, :, 0] = 255
    slot = np.zeros((32, 32, 3), np.uint8)
    SlotFiller(32, 32, pixel_format).fill(av.VideoFrame.from_ndarray(red, format="rgb24"), slot)
    assert slot[:, :, channel].min() == 255
    assert slot.sum() == 32 * 32 * 255


def test_a_frame_of_another_size_is_no_frame(tmp_path: Path) -> None:
    _, items = read(make_video(tmp_path / "a.mkv", frames=1))
    slot = np.full((100, 320), 7, np.uint8)
    assert not SlotFiller(320, 100, "mono8").fill(items[0].frame, slot)
    assert not slot.any()

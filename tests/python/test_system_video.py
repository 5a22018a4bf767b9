"""Whole sessions on video files: every frame a row, damaged ones flagged, and what is no video refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from make_videos import damage, make_video, packets, text_file, truncate
from rigs import Session, run_here, run_process, video_camera, video_frames, write_rig

FRAMES = 60


def play(folder: Path, video: Path, **values: Any) -> Session:
    return run_here(folder, {"cameras.top": video_camera(video, **values)})


def check_rows(session: Session, count: int) -> None:
    frames = session.frames
    assert frames["frame_id"].tolist() == list(range(count))
    assert frames["processed"].all() and frames["recorded"].all()
    assert (frames["drop_reason"] == "").all()
    assert len(session.poses()) == video_frames(session.folder / "video_top.mkv") == count


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("plain.mkv", {}),
        ("grey.mkv", {"codec": "ffv1", "pix_fmt": "gray"}),
        ("full.mkv", {"pix_fmt": "yuv444p"}),
        ("index.mp4", {}),
    ],
)
def test_every_frame_of_a_file_is_a_row(tmp_path: Path, name: str, values: dict[str, Any]) -> None:
    video = make_video(tmp_path / name, frames=FRAMES, width=160, height=120, **values)
    session = play(tmp_path, video)
    check_rows(session, FRAMES)
    assert session.json["ended"] == "finished"
    assert not session.frames["unreadable"].any()


def test_odd_sizes(tmp_path: Path) -> None:
    video = make_video(tmp_path / "odd.mkv", codec="ffv1", pix_fmt="gray", frames=20, width=161, height=123)
    session = play(tmp_path, video)
    check_rows(session, 20)
    assert session.json["devices"]["cameras"]["top"]["size"] == [161, 123]


def test_colour_files_as_colour_or_grey(tmp_path: Path) -> None:
    video = make_video(tmp_path / "colour.mkv", frames=20, width=160, height=120)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    formats = [
        play(folder, video, **values).json["devices"]["cameras"]["top"]["pixel_format"]
        for folder, values in ((tmp_path / "a", {}), (tmp_path / "b", {"pixel_format": "mono8"}))
    ]
    assert formats == ["rgb8", "mono8"]


def test_paced_in_real_time(tmp_path: Path) -> None:
    """Frames lie at the file's own times, 50 a second, and are marked where they came late."""
    video = make_video(tmp_path / "v.mkv", frames=30, width=160, height=120)
    frames = play(tmp_path, video, pace="realtime").frames
    assert len(frames) == 30
    exposed_ns = frames["exposure_start_ns"]
    assert (exposed_ns.diff().dropna() == 20_000_000).all()
    assert (frames["received_ns"] >= exposed_ns).all()


def test_frames_that_cannot_be_read_are_rows_with_a_flag(tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.mp4", frames=FRAMES, width=160, height=120, keyframe_every=1)
    broken = {7, 8, 31}
    session = play(tmp_path, damage(video, broken))
    check_rows(session, FRAMES)
    frames, poses = session.frames, session.poses()
    assert set(frames.index[frames["unreadable"]]) == broken
    missing = poses[("snout", "x")].isna()
    assert set(missing.index[missing]) == broken
    assert frames.loc[sorted(broken), "preprocessed_ns"].isna().all()


def test_a_file_that_was_cut_off(tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.mkv", codec="ffv1", pix_fmt="gray", frames=FRAMES, width=160, height=120)
    whole = sum(position + size <= video.stat().st_size // 2 for position, size in packets(video))
    session = play(tmp_path, truncate(video, 0.5))
    frames = session.frames
    assert session.json["ended"] == "finished"
    assert whole <= len(frames) <= whole + 1
    assert not frames["unreadable"].iloc[:whole].any()
    assert len(session.poses()) == video_frames(session.folder / "video_top.mkv") == len(frames)


def text_mp4(folder: Path) -> Path:
    return text_file(folder / "table.mp4")


def empty(folder: Path) -> Path:
    (folder / "empty.mp4").touch()
    return folder / "empty.mp4"


def without_index(folder: Path) -> Path:
    return truncate(make_video(folder / "cut.mp4", frames=20, width=160, height=120), 0.5)


def gone(folder: Path) -> Path:
    return folder / "gone.mp4"


def all_broken(folder: Path) -> Path:
    return damage(make_video(folder / "b.mp4", frames=10, width=160, height=120), range(10))


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (text_mp4, "table.mp4"),
        (empty, "empty.mp4' is no video that FFmpeg can read"),
        (without_index, "cut.mp4' is no video that FFmpeg can read"),
        (gone, "gone.mp4' does not exist"),
        (all_broken, "it may be cut off or damaged"),
    ],
)
def test_what_is_no_video_is_one_line_before_anything_starts(tmp_path: Path, make: Any, text: str) -> None:
    ended = run_process(write_rig(tmp_path, {"cameras.top": video_camera(make(tmp_path))}))
    assert ended.code == 2
    assert text in ended.complaint
    assert list((tmp_path / "sessions").glob("*")) == []


def test_a_file_that_loops_goes_on_until_the_duration(tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.mkv", frames=5, width=160, height=120)
    session = run_here(
        tmp_path, {"cameras.top": video_camera(video, loop=True, pace="realtime"), "session.duration_s": 1.0}
    )
    frames = session.frames
    assert session.json["ended"] == "duration"
    assert len(frames) > 5
    assert (frames["exposure_start_ns"].diff().dropna() > 0).all()

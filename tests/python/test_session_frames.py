"""The frames table: every exposure is a row with its stamps, its drop reason and its place in the video."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from fastpose.session.frames import CameraFrames, camera_frames, write_frames
from fastpose.session.source import read_session
from synthetic_session import Camera, Session, drop, make_frames, make_poses, make_video_log, simple_session

COLUMNS = [
    "camera",
    "frame_id",
    "camera_counter",
    "camera_timestamp_ns",
    "exposure_start_ns",
    "received_ns",
    "dequeued_ns",
    "preprocessed_ns",
    "inferred_ns",
    "decoded_ns",
    "filtered_ns",
    "decided_ns",
    "acted_ns",
    "roi_x",
    "roi_y",
    "roi_width",
    "roi_height",
    "exposure_error_ns",
    "drop_reason",
    "processed",
    "recorded",
    "video_frame",
    "unreadable",
    "torn",
    "late",
    "clock_unfitted",
    "pose_failed",
    "counter_reset",
    "unmatched",
    "set_id",
]


def frames_of(
    folder: Path, frames: np.ndarray, video: np.ndarray | None = None, **options: int
) -> CameraFrames:
    poses = make_poses(frames)
    Session([Camera("top", frames, poses, video)]).write(folder)
    return camera_frames(read_session(folder).cameras["top"], **options)


def table(folder: Path, *cameras: CameraFrames) -> pd.DataFrame:
    write_frames(folder / "frames.parquet", cameras)
    return pq.read_table(folder / "frames.parquet").to_pandas(integer_object_nulls=True)


def test_columns_are_the_contract(tmp_path: Path) -> None:
    found = table(tmp_path, frames_of(tmp_path / "s", make_frames(5)))
    assert list(found.columns) == COLUMNS


def test_stamps_are_whole_nanoseconds_and_null_where_not_reached(tmp_path: Path) -> None:
    frames = drop(make_frames(6), [2], 2)
    found = table(tmp_path, frames_of(tmp_path / "s", frames))
    assert found["exposure_start_ns"].tolist() == frames["exposure_start_ns"].tolist()
    assert found["decided_ns"].isna().tolist() == [False, False, True, False, False, False]
    assert found["drop_reason"].tolist() == ["", "", "ring", "", "", ""]
    assert found["processed"].tolist() == [True, True, False, True, True, True]
    assert found["acted_ns"].isna().all()


def test_exposures_that_the_camera_lost_are_rows_in_their_place(tmp_path: Path) -> None:
    frames = drop(make_frames(8), [3, 4], 1)
    shuffled = frames[[0, 1, 2, 5, 3, 6, 7, 4]]  # the ledger is written when the gap is seen
    found = table(tmp_path, frames_of(tmp_path / "s", shuffled))
    assert found["camera_counter"].tolist() == list(range(1000, 1008))
    assert found["frame_id"].isna().tolist() == [False] * 3 + [True] * 2 + [False] * 3
    assert found["drop_reason"].tolist() == ["", "", "", "camera", "camera", "", "", ""]


def test_a_gap_in_the_counter_that_nobody_logged_becomes_rows(tmp_path: Path) -> None:
    frames = drop(make_frames(8), [3, 4], 1)
    found = frames_of(tmp_path / "s", frames[[0, 1, 2, 3, 5, 6, 7]])
    assert found.records["camera_counter"].tolist() == list(range(1000, 1008))
    assert found.drops() == {"camera": 2, "ring": 0, "recorder": 0, "transport": 0}
    assert found.notes == ["1 exposure(s) found missing by a gap in the camera's counter"]


def test_a_counter_that_restarts_invents_no_exposures(tmp_path: Path) -> None:
    frames = make_frames(10)
    frames["camera_counter"][5:] = np.arange(5)
    found = frames_of(tmp_path / "s", frames)
    assert len(found.records) == 10 and found.notes == []
    assert found.records["frame_id"].tolist() == list(range(10))


def test_a_frame_without_a_record_is_listed_as_lost(tmp_path: Path) -> None:
    frames = make_frames(10)
    Session([Camera("top", frames[:7], make_poses(frames[:8]), make_video_log(range(9)))]).write(
        tmp_path / "s"
    )
    found = camera_frames(read_session(tmp_path / "s").cameras["top"])
    assert found.records["frame_id"].tolist() == list(range(9))
    assert found.records["drop_reason"].tolist() == [0] * 7 + [3, 3]
    assert found.notes == ["2 frame(s) whose record was lost are listed without stamps, reason recorder"]


def test_two_records_of_one_frame_are_one_row(tmp_path: Path) -> None:
    frames = make_frames(4)
    ledger = drop(frames, [1, 2], 3)[1:3].copy()
    for name in ("dequeued_ns", "decided_ns", "decoded_ns"):
        ledger[name] = 0
    frames[2] = drop(frames, [2], 2)[2]  # the loop did not get frame 2 either
    found = frames_of(tmp_path / "s", np.concatenate([ledger, frames]))
    assert found.records["frame_id"].tolist() == [0, 1, 2, 3]
    assert found.processed.tolist() == [True, True, False, True]
    assert found.drops() == {"camera": 0, "ring": 1, "recorder": 1, "transport": 0}


def test_rows_know_their_place_in_the_video(tmp_path: Path) -> None:
    frames = drop(make_frames(6), [1], 1)  # ids 0..4
    found = table(tmp_path, frames_of(tmp_path / "s", frames, make_video_log([0, 1, 3, 4])))
    assert found["recorded"].tolist() == [True, False, True, False, True, True]
    assert found["video_frame"].dropna().tolist() == [0, 1, 2, 3]


def test_the_mapping_ends_with_the_video(tmp_path: Path) -> None:
    found = frames_of(tmp_path / "s", make_frames(6), make_video_log(range(6)), video_frames=4)
    assert found.video_frame.tolist() == [0, 1, 2, 3, -1, -1]


def test_flags_become_columns(tmp_path: Path) -> None:
    frames = make_frames(6)
    frames["flags"] = [0, 1, 2, 4, 16, 32]
    found = table(tmp_path, frames_of(tmp_path / "s", frames))
    names = ["unreadable", "torn", "late", "clock_unfitted", "pose_failed"]
    np.testing.assert_array_equal(found[names].to_numpy(), np.eye(6, 5, k=-1, dtype=bool))


def test_cameras_follow_each_other(tmp_path: Path) -> None:
    top = frames_of(tmp_path / "a", make_frames(3))
    side = CameraFrames("side", make_frames(2), np.zeros(0, np.int64), [])
    assert table(tmp_path, top, side)["camera"].tolist() == ["top"] * 3 + ["side"] * 2


def test_no_frames_is_a_table_without_rows(tmp_path: Path) -> None:
    simple_session(0).write(tmp_path / "s")
    found = camera_frames(read_session(tmp_path / "s").cameras["top"])
    assert table(tmp_path, found).shape == (0, len(COLUMNS))

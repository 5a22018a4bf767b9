"""SLEAP: sleap-io reads back instances, tracks, skeleton and events on the frames of the video."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from export_session import (
    FRAMES,
    GONE,
    NO_SNOUT,
    NOT_PROCESSED,
    NOT_RECORDED,
    edges,
    expected,
    individuals_camera,
    single_camera,
    write_session,
)
from fastpose.errors import RecordError
from fastpose.session.export import export
from synthetic_session import BODYPARTS, Camera, Session, make_frames, make_poses

sleap_io = pytest.importorskip("sleap_io")


def keypoints(instance: Any) -> np.ndarray:
    """(K, 3) x, y, likelihood."""
    return np.column_stack([instance.numpy(), instance.points["score"]]).astype(np.float32)


def test_instances_lie_on_the_frames_of_the_video(tmp_path: Path) -> None:
    camera = individuals_camera()
    path, notes = export(write_session(tmp_path / "s", [camera]), "slp")
    assert notes == ["camera top: 1 pose(s) of frames that the video lacks are left out"]
    labels = sleap_io.load_slp(str(path))
    ids = camera.video["frame_id"]
    wanted = expected(camera, ids)
    assert NOT_RECORDED not in ids
    empty = ids.tolist().index(NOT_PROCESSED)
    assert [frame.frame_idx for frame in labels] == [row for row in range(len(ids)) if row != empty]
    for frame in labels:
        for instance in frame.instances:
            place = ("anna", "bert").index(instance.track.name)
            found, told = keypoints(instance), wanted[frame.frame_idx, place]
            np.testing.assert_array_equal(found[:, :2], told[:, :2])
            seen = np.isfinite(told[:, 0])
            np.testing.assert_array_equal(found[seen, 2], told[seen, 2])


def test_what_was_not_found_is_not_there(tmp_path: Path) -> None:
    camera = individuals_camera()
    path, _ = export(write_session(tmp_path / "s", [camera]), "slp")
    row = camera.video["frame_id"].tolist().index
    frames = {frame.frame_idx: frame for frame in sleap_io.load_slp(str(path))}
    (anna,) = [found for found in frames[row(NO_SNOUT)].instances if found.track.name == "anna"]
    assert np.isnan(anna.numpy()).all(axis=1).tolist() == [True, False, False, False]
    assert [found.track.name for found in frames[row(GONE)].instances] == ["anna"]


def test_skeleton_and_videos(tmp_path: Path) -> None:
    top, side = individuals_camera(), single_camera()
    folder = write_session(tmp_path / "s", [top, side])
    path, _ = export(folder, "slp")
    labels = sleap_io.load_slp(str(path))
    assert [Path(video.filename) for video in labels.videos] == [
        folder / "video_top.mkv",
        folder / "video_side.mkv",
    ]
    for skeleton in labels.skeletons:
        assert skeleton.node_names == list(BODYPARTS)
        assert [tuple(pair) for pair in skeleton.edge_inds] == edges()
    assert {track.name for track in labels.tracks} == {"top_anna", "top_bert"}
    on_side = [frame for frame in labels if frame.video is labels.videos[1]]
    assert len(on_side) == FRAMES - 2
    assert {instance.track for frame in on_side for instance in frame.instances} == {None}


def test_frames_are_those_of_the_recorded_video(tmp_path: Path) -> None:
    """The picture that sleap-io shows with a pose is the one that the pose was found on."""
    camera = single_camera()
    path, _ = export(write_session(tmp_path / "s", [camera]), "slp")
    labels = sleap_io.load_slp(str(path))
    for number in (0, 17, 57):  # the video has a bright block that begins in column n
        picture = np.asarray(labels.video[labels[number].frame_idx])[40, :, 0]
        assert int(np.flatnonzero(picture > 180)[0]) == pytest.approx(number, abs=1)


def test_events_are_bouts_of_frames(tmp_path: Path) -> None:
    camera = single_camera()
    path, _ = export(write_session(tmp_path / "s", [camera]), "slp")
    events = sleap_io.load_slp(str(path)).events
    kinds = {event.type.name for event in events}
    assert kinds == {"rule:in_corner", "output:laser", "state:idle"}
    bouts = [(event.start_frame, event.end_frame) for event in events if event.type.name == "rule:in_corner"]
    assert [start for start, _ in bouts] == [0, 20, 40]  # decided on that very frame; it ends 40 ms later
    assert all(end - start in (2, 3, 4) for start, end in bouts)
    starts_s = [float(event.metadata["time_s"]) for event in events if event.type.name == "rule:in_corner"]
    assert starts_s[0] == pytest.approx(0.5)


def test_a_camera_without_video_is_refused(tmp_path: Path) -> None:
    frames = make_frames(5)
    Session([Camera("top", frames, make_poses(frames))]).write(tmp_path / "s")
    with pytest.raises(RecordError, match=r"camera top has no video.*--to nwb, alf or dlc"):
        export(tmp_path / "s", "slp")


def test_the_clock_is_told(tmp_path: Path) -> None:
    path, _ = export(write_session(tmp_path / "s", [single_camera()]), "slp")
    told = sleap_io.load_slp(str(path)).provenance
    assert told["session"] == "s" and told["keypoints"] == "raw"
    assert "start of its exposure" in told["clock"]
    assert told["session_start"].startswith("2026-09-21T")

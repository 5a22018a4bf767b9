"""NWB: pynwb and ndx-pose read back what the log says, and pynwb's validator finds no fault."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from export_session import (
    FRAMES,
    NOT_PROCESSED,
    NOT_RECORDED,
    edges,
    expected,
    individuals_camera,
    single_camera,
    times_s,
    write_session,
)
from fastpose.session.export import export
from synthetic_session import BODYPARTS, START_NS, Camera, Session, make_frames

pynwb = pytest.importorskip("pynwb")
pytest.importorskip("ndx_pose")


@contextmanager
def reading(path: Path) -> Iterator[Any]:
    with pynwb.NWBHDF5IO(str(path), "r") as io:
        yield io.read()


def test_one_camera_and_one_animal_have_the_name_that_readers_look_for(tmp_path: Path) -> None:
    camera = single_camera()
    path, notes = export(write_session(tmp_path / "s", [camera]), "nwb")
    assert (path, notes) == (tmp_path / "s" / "s.nwb", [])
    with reading(path) as file:
        found = file.processing["behavior"]["PoseEstimation"]
        ids = np.arange(FRAMES - 2)
        assert list(found.pose_estimation_series) == sorted(BODYPARTS)
        for place, bodypart in enumerate(BODYPARTS):
            series = found[bodypart]
            np.testing.assert_array_equal(series.data[:], expected(camera, ids)[:, 0, place, :2])
            np.testing.assert_array_equal(series.confidence[:], expected(camera, ids)[:, 0, place, 2])
            np.testing.assert_allclose(series.timestamps[:], times_s(camera, ids), rtol=0, atol=1e-9)
        assert found.scorer == "fastpose_mouse"
        assert found.source_software == "fastpose" and found.source_software_version == "0.1.0"
        assert list(found.skeleton.nodes) == list(BODYPARTS)
        assert [tuple(edge) for edge in found.skeleton.edges[:]] == edges()


def test_individuals_and_cameras_are_told_apart(tmp_path: Path) -> None:
    top, side = individuals_camera(), single_camera()
    path, _ = export(write_session(tmp_path / "s", [top, side]), "nwb", tmp_path / "out.nwb")
    with reading(path) as file:
        behaviour = file.processing["behavior"]
        names = {"PoseEstimation_top_anna", "PoseEstimation_top_bert", "PoseEstimation_side", "Skeletons"}
        assert set(behaviour.data_interfaces) == names
        ids = np.arange(FRAMES)
        for place, name in enumerate(("anna", "bert")):
            found = behaviour[f"PoseEstimation_top_{name}"]
            assert found.device.name == "top" and found.source_video.name == "video_top"
            np.testing.assert_array_equal(found["snout"].data[:], expected(top, ids)[:, place, 0, :2])
        assert np.isnan(behaviour["PoseEstimation_top_anna"]["tailbase"].data[NOT_PROCESSED]).all()
        assert len(behaviour["PoseEstimation_side"]["snout"].data) == FRAMES - 2


def test_poses_of_frames_that_the_video_lacks_are_there(tmp_path: Path) -> None:
    camera = individuals_camera()
    path, _ = export(write_session(tmp_path / "s", [camera]), "nwb")
    with reading(path) as file:
        series = file.processing["behavior"]["PoseEstimation_anna"]["snout"]
        video = file.acquisition["video_top"]
        assert len(series.data) == FRAMES and len(video.timestamps) == FRAMES - 1
        assert np.isfinite(series.data[NOT_RECORDED]).all()
        assert series.timestamps[NOT_RECORDED] not in video.timestamps[:]
        assert list(video.external_file[:]) == ["video_top.mkv"]
        np.testing.assert_allclose(video.timestamps[:], times_s(camera, camera.video["frame_id"]), atol=1e-9)


def test_every_exposure_and_its_fate(tmp_path: Path) -> None:
    camera = single_camera()
    path, _ = export(write_session(tmp_path / "s", [camera]), "nwb")
    with reading(path) as file:
        table = file.acquisition["exposures_side"].to_dataframe()
        assert len(table) == FRAMES
        assert table["drop_reason"].tolist() == ["camera" if row in (3, 4) else "" for row in range(FRAMES)]
        assert table["frame_id"][3:6].tolist() == [-1, -1, 3]
        assert np.isnan(table["time_s"][3]) and table["time_s"][5] == pytest.approx(0.55)
        assert table["camera_counter"].tolist() == list(range(1000, 1000 + FRAMES))


def test_events_lie_on_the_clock_of_the_frames(tmp_path: Path) -> None:
    camera = single_camera()
    folder = write_session(tmp_path / "s", [camera])
    events = Session([camera]).events
    path, _ = export(folder, "nwb")
    from fastpose.session.events import event_records
    from fastpose.session.source import read_session

    events = event_records(read_session(folder))
    with reading(path) as file:
        assert set(file.events) == {"rule_events", "output_events"}
        found = file.events["output_events"].to_dataframe()
        own = events[events["kind"] == 2]
        np.testing.assert_allclose(found["timestamp"], (own["stamp_ns"] - START_NS) / 1e9, rtol=0, atol=1e-9)
        assert found["source"].unique().tolist() == ["laser"]
        assert found["value"].tolist() == own["value"].tolist()
        assert found["cause"].tolist() == ["protocol", "timer"] * (len(own) // 2)
        assert found["frame_id"].tolist() == own["frame_id"].tolist()
        assert "start of the session" in file.events["output_events"].description


def test_the_session_start_is_the_wall_clock_at_time_zero(tmp_path: Path) -> None:
    path, _ = export(write_session(tmp_path / "s", [single_camera()]), "nwb")
    with reading(path) as file:
        assert file.session_start_time.timestamp() == pytest.approx(1_790_000_000.25, abs=1e-6)
        assert file.timestamps_reference_time == file.session_start_time
        assert file.session_id == "s"
        assert file.subject.subject_id == "s"


def test_filtered_keypoints_on_request(tmp_path: Path) -> None:
    camera = single_camera()
    path, _ = export(write_session(tmp_path / "s", [camera]), "nwb", filtered=True)
    with reading(path) as file:
        found = file.processing["behavior"]["PoseEstimation"]
        wanted = expected(camera, np.arange(FRAMES - 2), "filtered")
        np.testing.assert_array_equal(found["snout"].data[:], wanted[:, 0, 0, :2])
        assert "after the filter" in found.description


def test_a_camera_without_network_or_video_gives_its_exposures(tmp_path: Path) -> None:
    poses: Any = None
    Session([Camera("top", make_frames(5), poses)]).write(tmp_path / "s")
    path, _ = export(tmp_path / "s", "nwb")
    with reading(path) as file:
        assert set(file.acquisition) == {"exposures_top"}
        assert dict(file.processing) == {}


def test_pynwb_finds_no_fault(tmp_path: Path) -> None:
    path, _ = export(write_session(tmp_path / "s", [individuals_camera(), single_camera()]), "nwb")
    assert pynwb.validate(path=str(path)) == []

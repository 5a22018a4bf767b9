"""ALF: ONE's own reader finds every file, with one row a frame of the video."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from export_session import (
    FRAMES,
    NOT_PROCESSED,
    expected,
    individuals_camera,
    single_camera,
    times_s,
    write_session,
)
from fastpose.errors import RecordError
from fastpose.session.export import export
from synthetic_session import BODYPARTS, START_NS, Camera, Session, make_frames, make_poses

alf_io = pytest.importorskip("one.alf.io", exc_type=ImportError)
spec = pytest.importorskip("one.alf.spec")


def test_one_loads_a_camera_with_rows_that_fit(tmp_path: Path) -> None:
    camera = single_camera()
    folder, notes = export(write_session(tmp_path / "s", [camera]), "alf")
    assert (folder, notes) == (tmp_path / "s" / "alf", [])
    found = alf_io.load_object(folder, "sideCamera")  # refuses attributes of other lengths
    ids = np.arange(FRAMES - 2)
    np.testing.assert_allclose(found["times"], times_s(camera, ids), rtol=0, atol=1e-9)
    np.testing.assert_array_equal(found["frameIds"], ids)
    poses = found["dlc"]
    assert list(poses.columns) == [
        f"{part}_{coord}" for part in BODYPARTS for coord in ("x", "y", "likelihood")
    ]
    np.testing.assert_array_equal(poses.to_numpy(np.float32), expected(camera, ids).reshape(len(ids), -1))


def test_every_file_name_is_alf(tmp_path: Path) -> None:
    folder, _ = export(write_session(tmp_path / "s", [individuals_camera(), single_camera()]), "alf")
    names = sorted(path.name for path in folder.iterdir())
    assert len(names) == 12
    assert [name for name in names if not spec.is_valid(name)] == []


def test_an_individual_each_has_its_table(tmp_path: Path) -> None:
    camera = individuals_camera()
    folder, notes = export(write_session(tmp_path / "s", [camera]), "alf")
    assert notes == ["camera top: 1 pose(s) of frames that the video lacks are left out"]
    found = alf_io.load_object(folder, "topCamera")
    wanted = expected(camera, camera.video["frame_id"])
    for place, name in enumerate(("anna", "bert")):
        poses = found[f"dlc.{name}"]
        np.testing.assert_array_equal(poses.to_numpy(np.float32), wanted[:, place].reshape(len(poses), -1))
        assert np.isnan(poses.to_numpy()[NOT_PROCESSED]).all()


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # of ONE's reader, under pandas 3
def test_events_and_exposures_share_the_clock(tmp_path: Path) -> None:
    camera = single_camera()
    folder, _ = export(write_session(tmp_path / "s", [camera]), "alf")
    events = alf_io.load_object(folder, "events")
    lasers = np.flatnonzero((events["event"] == "output") & (events["value"] == 1))  # columns of its table
    frame_ids = np.asarray(events["frame_id"])[lasers].astype(int)
    acted = dict(zip(camera.frames["frame_id"], camera.frames["acted_ns"], strict=True))
    wanted = [(acted[number] - START_NS) / 1e9 for number in frame_ids]
    np.testing.assert_allclose(events["times"][lasers], wanted, rtol=0, atol=1e-9)
    exposures = pd.read_parquet(folder / "_fastpose_sideExposures.table.pqt")
    assert len(exposures) == FRAMES
    assert (exposures["drop_reason"] == "camera").sum() == 2
    info = json.loads((folder / "_fastpose_session.info.json").read_text())
    assert "monotonic clock" in info["clock"] and info["cameras"]["side"]["object"] == "sideCamera"
    assert info["cameras"]["side"]["skeleton"][0] == ["snout", "leftear"]


@pytest.mark.parametrize(
    ("camera", "name"), [("top", "topCamera"), ("side_left", "sideLeftCamera"), ("bodyCamera", "bodyCamera")]
)
def test_names_of_cameras(tmp_path: Path, camera: str, name: str) -> None:
    folder, _ = export(write_session(tmp_path / "s", [single_camera(camera)]), "alf")
    assert (folder / f"_fastpose_{name}.times.npy").exists()


def test_names_that_alf_cannot_hold(tmp_path: Path) -> None:
    folder = write_session(tmp_path / "a", [single_camera("höhle")])
    with pytest.raises(RecordError, match="camera 'höhle': ALF has no file name"):
        export(folder, "alf")
    folder = write_session(tmp_path / "b", [single_camera("top_left"), single_camera("topLeft")])
    with pytest.raises(RecordError, match="cameras top_left, topLeft have the same ALF name 'topLeftCamera'"):
        export(folder, "alf")
    camera = individuals_camera()
    camera.individuals = ["anna", "bert.2"]
    with pytest.raises(RecordError, match=r"individual 'bert.2': ALF has no file name"):
        export(write_session(tmp_path / "c", [camera]), "alf")


def test_a_camera_without_network_gives_its_times(tmp_path: Path) -> None:
    poses: Any = None
    Session([Camera("top", make_frames(5), poses)]).write(tmp_path / "s")
    folder, _ = export(tmp_path / "s", "alf")
    assert len(np.load(folder / "_fastpose_topCamera.times.npy")) == 5
    assert not list(folder.glob("*.dlc*"))


def test_no_event_is_an_empty_table(tmp_path: Path) -> None:
    frames = make_frames(5)
    Session([Camera("top", frames, make_poses(frames))]).write(tmp_path / "s")
    folder, _ = export(tmp_path / "s", "alf")
    assert len(np.load(folder / "_fastpose_events.times.npy")) == 0

"""DeepLabCut: a project whose results it finds by its own rules of naming, and reads with its own pandas."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tables
import yaml

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
from synthetic_session import BODYPARTS, Camera, Session, make_frames, make_poses


def project_config(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((folder / "config.yaml").read_text())
    return content


def scorer(folder: Path) -> str:
    """DeepLabCut's rule (get_scorer_name, tensorflow): net type, task, date, shuffle, last snapshot."""
    config = project_config(folder)
    name = f"{config['Task']}{config['date']}"
    train = folder / "dlc-models" / "iteration-0" / f"{name}-trainset95shuffle1" / "train"
    network = yaml.safe_load((train / "pose_cfg.yaml").read_text())["net_type"]
    assert "resnet" in network
    (snapshot,) = [path.stem for path in train.iterdir() if "index" in path.name]
    return f"DLC_{network.replace('_', '')}_{name}shuffle1_{snapshot.split('-')[-1]}"


def test_results_of_one_animal(tmp_path: Path) -> None:
    camera = single_camera()
    folder, notes = export(write_session(tmp_path / "s", [camera]), "dlc")
    assert (folder, notes) == (tmp_path / "s" / "dlc", [])
    ids = np.arange(FRAMES - 2)
    found = pd.read_hdf(folder / "videos" / f"video_side{scorer(folder)}.h5")
    assert found.columns.names == ["scorer", "bodyparts", "coords"]
    assert set(found.columns.get_level_values("scorer")) == {scorer(folder)}
    np.testing.assert_array_equal(found.to_numpy(np.float32), expected(camera, ids).reshape(len(ids), -1))
    text = pd.read_csv(folder / "videos" / f"video_side{scorer(folder)}.csv", header=[0, 1, 2], index_col=0)
    assert text.columns.equals(found.columns)


def test_results_of_several_animals(tmp_path: Path) -> None:
    camera = individuals_camera()
    folder, notes = export(write_session(tmp_path / "s", [camera]), "dlc")
    assert notes == ["camera top: 1 pose(s) of frames that the video lacks are left out"]
    found = pd.read_hdf(folder / "videos" / f"video_top{scorer(folder)}_el.h5")
    assert found.columns.names == ["scorer", "individuals", "bodyparts", "coords"]
    wanted = expected(camera, camera.video["frame_id"])
    for place, name in enumerate(("anna", "bert")):
        own = found.xs(name, axis=1, level="individuals").to_numpy(np.float32)
        np.testing.assert_array_equal(own, wanted[:, place].reshape(len(own), -1))
    assert found.loc[NOT_PROCESSED].isna().all()
    config = project_config(folder)
    assert (config["multianimalproject"], config["individuals"]) == (True, ["anna", "bert"])
    assert (config["bodyparts"], config["multianimalbodyparts"]) == ("MULTI!", list(BODYPARTS))
    assert config["default_track_method"] == "ellipse"  # whose files end in _el


def test_unique_bodyparts_are_those_of_single(tmp_path: Path) -> None:
    frames = make_frames(5)
    poses = make_poses(frames, individuals=3)
    camera = Camera(
        "top", frames, poses, individuals=["anna", "bert", "arena"], unique_bodyparts=BODYPARTS[-1:]
    )
    Session([camera]).write(tmp_path / "s")
    folder, notes = export(tmp_path / "s", "dlc")
    assert notes == ["camera top has no video: DeepLabCut can plot its poses but draw none"]
    config = project_config(folder)
    assert config["individuals"] == ["anna", "bert"]
    assert (config["uniquebodyparts"], config["multianimalbodyparts"]) == (["tailbase"], list(BODYPARTS[:3]))
    found = pd.read_hdf(folder / "videos" / f"video_top{scorer(folder)}_el.h5")
    np.testing.assert_array_equal(
        found[scorer(folder)]["single"]["tailbase"].to_numpy(np.float32), poses["raw"][:, 2, 3]
    )
    assert len(found.columns) == (2 * 3 + 1) * 3


def test_the_project_has_the_videos(tmp_path: Path) -> None:
    session = write_session(tmp_path / "s", [single_camera("a"), single_camera("b")])
    folder, _ = export(session, "dlc")
    config = project_config(folder)
    assert config["project_path"] == str(folder)
    assert list(config["video_sets"]) == [str(folder / "videos" / f"video_{name}.mkv") for name in "ab"]
    assert config["video_sets"][str(folder / "videos" / "video_a.mkv")] == {"crop": "0, 160, 0, 120"}
    assert (folder / "videos" / "video_a.mkv").samefile(session / "video_a.mkv")
    assert config["skeleton"][0] == ["snout", "leftear"]
    session.rename(tmp_path / "moved")
    assert (tmp_path / "moved" / "dlc" / "videos" / "video_b.mkv").resolve().exists()


def test_a_project_elsewhere_links_the_session(tmp_path: Path) -> None:
    session = write_session(tmp_path / "s", [single_camera()])
    folder, _ = export(session, "dlc", tmp_path / "elsewhere" / "project")
    assert (folder / "videos" / "video_side.mkv").readlink() == session / "video_side.mkv"


def test_times_and_events_lie_beside(tmp_path: Path) -> None:
    camera = single_camera()
    folder, _ = export(write_session(tmp_path / "s", [camera]), "dlc")
    times = pd.read_csv(folder / "videos" / "video_side_times.csv")
    assert times["frame"].tolist() == list(range(FRAMES - 2))
    np.testing.assert_allclose(times["time_s"], times_s(camera, times["frame_id"]), rtol=0, atol=1e-9)
    events = pd.read_csv(folder / "events.csv")
    assert {"event", "name", "value", "time_s"} <= set(events.columns)
    first = events[(events["event"] == "rule") & (events["value"] == 1)].iloc[0]
    assert times["time_s"][0] < first["time_s"] < times["time_s"][2]


def test_meta_data_of_the_analysis(tmp_path: Path) -> None:
    folder, _ = export(write_session(tmp_path / "s", [single_camera()]), "dlc")
    path = folder / "videos" / f"video_side{scorer(folder)}_meta.pickle"
    told = pickle.loads(path.read_bytes())["data"]
    assert told["nframes"] == FRAMES - 2 and told["fps"] == pytest.approx(100)
    assert told["cropping"] is False and told["cropping_parameters"] == [0, 160, 0, 120]
    assert told["Scorer"] == scorer(folder)


@pytest.mark.parametrize("several", [False, True])
def test_pandas_2_can_read_it(tmp_path: Path, several: bool) -> None:
    """DeepLabCut needs pandas 2, which takes a table without `pandas_version` for one of before 2012."""
    camera = individuals_camera() if several else single_camera()
    folder, _ = export(write_session(tmp_path / "s", [camera]), "dlc")
    (path,) = (folder / "videos").glob("*.h5")
    with tables.open_file(path) as file:
        assert file.get_node_attr("/df_with_missing", "pandas_version") == "0.15.2"


def test_cameras_with_other_names_are_refused(tmp_path: Path) -> None:
    folder = write_session(tmp_path / "s", [individuals_camera(), single_camera()])
    with pytest.raises(RecordError, match="cameras top, side have networks with other body parts"):
        export(folder, "dlc")
    export(folder, "dlc", camera="side")

"""Whole sessions with several cameras: one network for both, one each, synchronised or not, one that dies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fastpose import Rig
from fastpose.config import config_from
from fastpose.errors import CameraDisconnected, ConfigError
from fastpose.runner import run
from fastpose.sim import Simulation
from fastpose.status import Status
from rigs import HEIGHT, WIDTH, Session, rig_config, run_here, video_frames
from test_system_examples import load_shortened

FAKE = {"path": "builtin:simulated_mouse", "device": "fake"}
COUNT = 100


def camera(line: str, source: str, **values: Any) -> dict[str, Any]:
    return {
        "driver": "sim",
        "size": [WIDTH, HEIGHT],
        "rate_hz": 200,
        "exposure_us": 1000,
        "frames_total": COUNT,
        "frames": "every",
        "camera_trigger": {"source": source, "line": line},
        **values,
    }


def on_one_trigger(line: str, **side: Any) -> dict[str, Any]:
    """Both cameras seen by one network, with a rule each; the side camera's moves the laser."""
    rule = {"type": "in_zone", "zone": "left", "bodyparts": ["snout"]}
    return {
        "cameras.top": camera(line, "internal", seed=1, clock={"offset_s": 3.0, "drift_ppm": 150}),
        "cameras.side": camera(line, "external_edge", seed=2, **side),
        "synchronise": {"by": "counter"},
        "model": {**FAKE, "cameras": ["top", "side"]},
        "rules": {"above": {**rule, "camera": "top"}, "beside": {**rule, "camera": "side"}},
        "protocol.when": "beside",
    }


def poses_of(session: Session, name: str) -> pd.DataFrame:
    table = pd.read_hdf(session.folder / f"poses_{name}.h5")
    assert isinstance(table, pd.DataFrame)
    return table


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return run_here(tmp_path_factory.mktemp("both"), on_one_trigger("both"))


def test_each_camera_has_its_poses_video_and_rows(both: Session) -> None:
    for name in ("top", "side"):
        rows = both.frames[both.frames["camera"] == name]
        assert (
            len(rows) == len(poses_of(both, name)) == video_frames(both.folder / f"video_{name}.mkv") == COUNT
        )
        assert rows["processed"].all() and rows["recorded"].all()
        assert not rows["unmatched"].any()
        assert rows["set_id"].tolist() == rows["camera_counter"].tolist() == list(range(COUNT))


def test_frames_of_a_set_were_exposed_together(both: Session) -> None:
    starts = both.frames.pivot_table(index="set_id", columns="camera", values="exposure_start_ns")
    assert (starts["top"] - starts["side"]).abs().median() < 0.5e6


def test_one_network_runs_once_for_both(both: Session) -> None:
    assert both.summary is not None
    assert both.summary.network == "top, side: batch of 2, fake"
    stamps = both.frames.pivot_table(index="set_id", columns="camera", values="inferred_ns")
    assert (stamps["top"] == stamps["side"]).all()
    assert set(both.json["models"]) == {"top", "side"}


def test_events_say_which_camera_they_came_of(both: Session) -> None:
    events = both.events
    rules = events[events["event"] == "rule"]
    assert set(zip(rules["name"], rules["camera"], strict=True)) == {("above", "top"), ("beside", "side")}
    rises = rules[(rules["name"] == "beside") & (rules["value"] == 1)]
    pulses = events[(events["event"] == "output") & (events["value"] == 1)]
    assert pulses["frame_id"].tolist() == rises["frame_id"].tolist()
    assert set(pulses["camera"]) == {"side"}
    acted = both.frames[both.frames["acted_ns"].notna()]
    assert set(acted["camera"]) == {"side"}


def test_latencies_and_counts_are_by_camera(both: Session) -> None:
    latency = json.loads((both.folder / "latency.json").read_text())["cameras"]
    assert latency["top"]["n"] == latency["side"]["n"] == COUNT
    assert latency["top"]["end_to_end"]["exposure_start->acted"]["n"] == 0
    assert latency["side"]["end_to_end"]["exposure_start->acted"]["n"] > 0
    assert both.summary is not None
    assert {name: latency["n"] for name, latency in both.summary.latencies_ms.items()} == {
        "top": COUNT,
        "side": COUNT,
    }
    engine = both.json["counts"]["engine"]
    assert engine["processed"] == COUNT  # of the acting camera
    assert {name: shot["processed"] for name, shot in engine["cameras"].items()} == {
        "top": COUNT,
        "side": COUNT,
    }


@pytest.mark.parametrize("by", ["counter", "time"])
def test_frames_without_a_partner_are_flagged(tmp_path: Path, by: str) -> None:
    changes = on_one_trigger(f"drop-{by}", faults={"drop": 0.1})
    changes["synchronise"] = {"by": by}
    session = run_here(tmp_path, changes)
    fates = Simulation(size=(WIDTH, HEIGHT), rate_hz=200.0, exposure_us=1000.0, seed=2, faults={"drop": 0.1})
    dropped = {index for index in range(COUNT) if fates.fate(index).dropped}
    assert len(dropped) > 3
    frames = session.frames
    top, side = (frames[frames["camera"] == name].set_index("camera_counter") for name in ("top", "side"))
    assert dropped <= set(top.index[top["unmatched"]])
    assert set(side.index[side["drop_reason"] == "camera"]) >= {i for i in dropped if i < side.index.max()}
    assert top["processed"].all()
    assert not session.json["notes"] or "same counter" not in " ".join(session.json["notes"])


def test_a_network_each_in_loops_of_their_own(tmp_path: Path) -> None:
    changes = on_one_trigger("each")
    changes |= {"model": None, "synchronise": None}
    changes["models"] = {"above": {**FAKE, "camera": "top"}, "beside": {**FAKE, "camera": "side"}}
    session = run_here(tmp_path, changes)
    frames = session.frames
    assert frames.groupby("camera")["processed"].sum().to_dict() == {"top": COUNT, "side": COUNT}
    assert frames["set_id"].isna().all()
    assert set(session.events.loc[session.events["event"] == "output", "camera"].dropna()) <= {"side"}


def test_cameras_whose_frames_differ_are_no_batch_and_work(tmp_path: Path) -> None:
    session = run_here(
        tmp_path,
        on_one_trigger("sizes", size=[96, 64])
        | {"zones.left.rectangle.width": 40}
        | {"zones.left.rectangle.height": 60},
    )
    assert session.frames["processed"].all()
    assert any("are not one batch: the cameras' frames differ in size" in w for w in session.json["warnings"])


def test_recorded_cameras_are_matched_too(tmp_path: Path) -> None:
    none: dict[str, Any] = {
        "model": None,
        "rules": {},
        "zones": {},
        "outputs": {},
        "protocol": {"type": "none"},
    }
    changes = on_one_trigger("recorded", faults={"drop": 0.1}) | {"synchronise": {"by": "time"}}
    changes = {key: value for key, value in changes.items() if not key.startswith("protocol")} | none
    session = run_here(tmp_path, changes)
    frames = session.frames
    top, side = (frames[frames["camera"] == name] for name in ("top", "side"))
    missing = set(range(COUNT)) - set(side.loc[side["frame_id"].notna(), "camera_counter"])
    assert set(top.loc[top["unmatched"], "camera_counter"]) == missing
    assert not side["unmatched"].any()


def test_poses_of_the_camera_that_is_asked_for(tmp_path: Path) -> None:
    with Rig(rig_config(tmp_path, on_one_trigger("poses"))) as rig:
        with pytest.raises(ConfigError, match="camera is missing; allowed: top, side"):
            next(rig.poses())
        with pytest.raises(ConfigError, match="camera is 'front'; allowed: top, side"):
            next(rig.poses("front"))
        poses = list(rig.poses("top"))
    assert len(poses) == COUNT
    assert set(poses[0].rules) == {"above"}


PROTOCOL = """
from fastpose import Protocol

class Count(Protocol):
    def on_pose(self, pose, outputs):
        assert set(pose.rules) == {"beside"}
        outputs.pulse("laser", 1.0)
"""


def test_a_python_protocol_belongs_to_its_camera(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(PROTOCOL)
    changes = on_one_trigger("python")
    del changes["protocol.when"]
    changes["protocol"] = {"type": "python", "path": "mine.py:Count", "camera": "side"}
    session = run_here(tmp_path, changes)
    assert session.json["ended"] == "finished"
    assert session.frames["processed"].all()


def test_one_camera_that_dies_ends_the_session_with_every_frame_told(tmp_path: Path) -> None:
    changes = on_one_trigger("dies", faults={"disconnect_after_s": 0.3}, frames_total=None)
    changes["cameras.top"]["frames_total"] = None
    with pytest.raises(CameraDisconnected, match="camera 'side' disconnected"):
        run(rig_config(tmp_path, changes), status=Status(quiet=True))
    (folder,) = (tmp_path / "sessions").iterdir()
    session = Session(folder)
    assert session.json["ended"] == "fault"
    for name, shot in session.json["counts"]["engine"]["cameras"].items():
        rows = session.frames[session.frames["camera"] == name]
        assert rows["frame_id"].notna().sum() == shot["published"]
    assert session.output_levels()[-1:] in ([], [0])


def test_the_example(tmp_path: Path) -> None:
    config = load_shortened("two_cameras", tmp_path)
    data = config.model_dump(mode="json")
    for each in data["cameras"].values():
        each["prerender_frames"] = 2
    summary = run(config_from(data), status=Status(quiet=True))
    frames = Session(summary.directory).frames
    assert set(frames["camera"]) == {"top", "side"}
    counters = {name: set(rows["camera_counter"]) for name, rows in frames.groupby("camera")}
    assert np.isclose(max(counters["top"]), max(counters["side"]), atol=1)
    assert not (summary.directory / "poses_side.h5").exists()

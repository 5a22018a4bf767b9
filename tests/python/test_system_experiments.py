"""The experiments of examples/ end to end: on the open-field video, and on the trajectories of three mice."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from examples import make_two_animals as pose_video

from fastpose.config import as_states, config_from, load_config
from fastpose.config.yaml import Loader
from fastpose.replay import replay_session
from fastpose.runner import run
from fastpose.status import Status
from rigs import Session
from test_system_openfield import VIDEO, beginning

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("FASTPOSE_DATA", ROOT.parent / "shared" / "data"))
TRACKLETS = DATA / "trimouse-poses" / "trimouse_tracklets.npz"
KINDS = ("conditional", "optogenetic", "trial", "states")
FRAMES = 180
FIRST = 100  # of the trajectories: an animal comes to the port soon


@pytest.fixture(scope="module")
def openfield(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    if not VIDEO.exists():
        pytest.skip("the open-field video is not here: set FASTPOSE_DATA")
    if not (ROOT / "models" / "openfield" / "model.onnx").exists():
        pytest.skip("no model package models/openfield")
    part = beginning(VIDEO, tmp_path_factory.mktemp("openfield") / "part.mp4", FRAMES)
    return {"cameras": {"top": {"path": str(part)}}}


@pytest.fixture(scope="module")
def trimouse(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    if not TRACKLETS.exists():
        pytest.skip("the trajectories of three mice are not here: set FASTPOSE_DATA")
    folder = tmp_path_factory.mktemp("trimouse")
    data = np.load(TRACKLETS, allow_pickle=False)
    poses = np.moveaxis(data["trk"], 0, 1)[FIRST : FIRST + FRAMES]
    pose_video.write_video(folder / "poses.mkv", poses)
    pose_video.write_package(folder / "poses", ("m1", "m2", "m3"), tuple(map(str, data["names"])))
    return {
        "cameras": {"top": {"path": str(folder / "poses.mkv")}},
        "model": {"path": str(folder / "poses"), "precision": "fp32", "identity": {"type": "none"}},
    }


def run_example(kind: str, folder: Path, changes: dict[str, Any]) -> Session:
    data = yaml.load((ROOT / "examples" / f"{kind}.yaml").read_text(), Loader)
    data["session"]["directory"] = str(folder / "sessions")
    data["record"] = {"video": None}
    data["protocol"].pop("deadline_ms", None)  # on a busy machine everything is late, which is not its matter
    for section, values in changes.items():
        if section == "cameras":
            data["cameras"]["top"] |= values["top"]
        else:
            data[section] |= values
    summary = run(config_from(data, base=ROOT / "examples"), status=Status(quiet=True))
    return Session(summary.directory, summary)


def check_session(kind: str, session: Session) -> None:
    """Nothing is lost: states lead to each other as the machine says, and every ON has its OFF."""
    config = load_config(session.folder / "config.yaml")
    machine = as_states(config.protocol)
    assert machine is not None
    assert session.json["ended"] in ("finished", "protocol")
    assert session.json["error"] is None
    events = session.events
    states = events[events["event"] == "state"]["name"].tolist()
    assert states[0] == machine.first
    assert len(states) >= 3, kind
    for before, after in pairwise(states):
        assert after in {target for each in machine.all_states[before].next for target in each.targets} | {
            "ended"
        }
    moved = 0
    for name, output in config.outputs.items():
        levels = session.output_levels(name)
        moved += len(levels)
        assert levels == [(index + 1) % 2 for index in range(len(levels))], name
        assert len(levels) % 2 == 0, name
        mine = events[(events["event"] == "output") & (events["name"] == name)]["stamp_ns"].to_numpy()
        if output.max_on_ms is not None:
            assert (np.diff(mine)[::2] < (output.max_on_ms + 1000) * 1e6).all()
    assert moved > 0, kind
    assert replay_session(session.folder).differences == []


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", KINDS)
def test_on_the_open_field_video(kind: str, openfield: dict[str, Any], tmp_path: Path) -> None:
    session = run_example(kind, tmp_path, openfield)
    check_session(kind, session)
    assert session.frames["processed"].all()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", KINDS)
def test_on_three_mice(kind: str, trimouse: dict[str, Any], tmp_path: Path) -> None:
    session = run_example(kind, tmp_path, trimouse)
    check_session(kind, session)
    raw = session.poses("_raw") if (session.folder / "poses_top_raw.h5").exists() else session.poses()
    assert raw.shape[1] == 3 * 12 * 3
    assert len(raw) == FRAMES


def test_trials_are_told_and_repeat_with_their_seed(trimouse: dict[str, Any], tmp_path: Path) -> None:
    events = run_example("trial", tmp_path, trimouse).events
    trials = events[events["event"] == "trial"]
    assert trials["value"].tolist() == list(range(1, len(trials) + 1))
    assert set(trials["name"]) <= {"tone", "silence"}
    results = events[(events["event"] == "state") & events["name"].isin(["success", "failure"])]
    assert len(results) in (len(trials), len(trials) - 1)
    # A state that time has ended carries its logical time: a trial lasts exactly as long as it should.
    for trial, result in zip(trials["stamp_ns"], results["stamp_ns"], strict=False):
        assert result - trial == 1_500_000_000


@pytest.mark.timeout(600)
def test_a_classifier_on_the_open_field_video(openfield: dict[str, Any], tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed (extra 'classify')")
    session = run_example("classifier", tmp_path, openfield)
    check_session("classifier", session)
    lingers = session.events.query("event == 'rule' and name == 'lingers'")["frame_id"].tolist()
    assert len(lingers) >= 2
    assert lingers[0] >= 14, "before its window is full it has no answer"


@pytest.mark.timeout(600)
def test_rules_between_mice(tmp_path: Path) -> None:
    if not TRACKLETS.exists():
        pytest.skip("the trajectories of three mice are not here: set FASTPOSE_DATA")
    pytest.importorskip("onnx", reason="onnx is not installed (extra 'classify')")
    script = ROOT / "examples" / "make_two_animals.py"  # mouse2 comes up to mouse3 in frame 53 of these
    command = [sys.executable, str(script), "--out", str(tmp_path), "--first", "1080", "--frames", "100"]
    subprocess.run(command, check=True, env={**os.environ, "FASTPOSE_DATA": str(DATA)})
    changes = {
        "cameras": {"top": {"path": str(tmp_path / "poses.mkv")}},
        "model": {"path": str(tmp_path / "model")},
    }
    session = run_example("two_animals", tmp_path, changes)
    check_session("two_animals", session)
    events = session.events
    states = events[events["event"] == "state"]["name"].tolist()
    assert states[:4] == ["apart", "together", "near", "left"]
    nears, sniffs = (
        events[(events["event"] == "rule") & (events["name"] == name)]["frame_id"].iloc[0]
        for name in ("nears", "sniffs")
    )
    assert nears < sniffs
    assert session.output_levels("speaker") == [1, 0]

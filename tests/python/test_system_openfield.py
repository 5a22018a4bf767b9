"""The real video through the whole loop: every frame a row, none lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from fastpose.config import load_config
from fastpose.runner import run
from fastpose.status import Status
from rigs import Session, video_frames

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "openfield.yaml"
DATA = Path(os.environ.get("FASTPOSE_DATA", ROOT.parent / "shared" / "data"))
VIDEO = DATA / "openfield-Pranav-2018-10-30" / "videos" / "m3v1mp4.mp4"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_whole_video_none_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not VIDEO.exists():
        pytest.skip("the open-field video is not here: set FASTPOSE_DATA")
    if not (ROOT / "models" / "openfield" / "model.onnx").exists():
        pytest.skip("no model package models/openfield")
    monkeypatch.setenv("FASTPOSE_DATA", str(DATA))
    config = yaml.safe_load(EXAMPLE.read_text())
    config["session"]["directory"] = str(tmp_path)
    config["model"]["path"] = str(ROOT / "models" / "openfield")
    file = tmp_path / "openfield.yaml"
    file.write_text(yaml.safe_dump(config))
    summary = run(load_config(file), status=Status(quiet=True))
    session = Session(summary.directory)
    frames = session.frames
    assert len(frames) == frames["processed"].sum() == frames["recorded"].sum() == 2330
    assert sum(summary.drops.values()) == 0
    assert len(session.poses()) == video_frames(session.folder / "video_top.mkv") == 2330
    events = session.events
    assert {"rule", "output"} <= set(events["event"])
    for kind, name in (("rule", "in_centre"), ("output", "laser")):
        values = events.loc[(events["event"] == kind) & (events["name"] == name), "value"].tolist()
        assert len(values) > 1
        assert values == [(index + 1) % 2 for index in range(len(values))]
    assert session.poses()[("snout", "likelihood")].median() > 0.6

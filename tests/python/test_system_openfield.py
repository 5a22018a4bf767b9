"""A real video through the whole loop: every frame a row, none lost. `--whole-video` for all of it."""

from __future__ import annotations

import os
from pathlib import Path

import av
import pytest
import yaml

from fastpose.config import config_from
from fastpose.runner import run
from fastpose.status import Status
from rigs import Session, video_frames

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "openfield.yaml"
DATA = Path(os.environ.get("FASTPOSE_DATA", ROOT.parent / "shared" / "data"))
VIDEO = DATA / "openfield-Pranav-2018-10-30" / "videos" / "m3v1mp4.mp4"
FRAMES = 2330
PACKETS = 250


def beginning(video: Path, part: Path, packets: int) -> Path:
    """At least so many packets of a video, as they are, up to the end of a group of pictures."""
    with av.open(str(video)) as source, av.open(str(part), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for count, packet in enumerate(source.demux(video=0)):
            if count >= packets and packet.is_keyframe:
                break
            packet.stream = stream
            target.mux(packet)
    return part


@pytest.mark.timeout(600)
def test_none_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    whole = bool(request.config.getoption("--whole-video"))
    if not VIDEO.exists():
        pytest.skip("the open-field video is not here: set FASTPOSE_DATA")
    if not (ROOT / "models" / "openfield" / "model.onnx").exists():
        pytest.skip("no model package models/openfield")
    monkeypatch.setenv("FASTPOSE_DATA", str(DATA))
    data = yaml.safe_load(EXAMPLE.read_text())
    data["session"]["directory"] = str(tmp_path / "sessions")
    if not whole:
        data["cameras"]["top"]["path"] = str(beginning(VIDEO, tmp_path / "part.mp4", PACKETS))
    summary = run(config_from(data, base=EXAMPLE.parent), status=Status(quiet=True))
    session = Session(summary.directory)
    frames = session.frames
    expected = FRAMES if whole else video_frames(tmp_path / "part.mp4")
    assert expected >= PACKETS
    assert len(frames) == frames["processed"].sum() == frames["recorded"].sum() == expected
    assert sum(summary.drops.values()) == 0
    assert len(session.poses()) == video_frames(session.folder / "video_top.mkv") == expected
    assert session.poses()[("snout", "likelihood")].median() > 0.6
    events = session.events
    for kind in ("rule", "output"):
        edges = events[events["event"] == kind]
        assert len(edges) > 0, kind
        for _, values in edges.groupby("name")["value"]:
            assert values.tolist() == [(index + 1) % 2 for index in range(len(values))]

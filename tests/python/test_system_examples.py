"""Every example runs, for a second; and what one does with a session afterwards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from fastpose import Rig
from fastpose.config import config_from
from fastpose.runner import run
from fastpose.status import Status
from rigs import Process, Session, run_here, video_camera, video_frames, write_rig

EXAMPLES = Path(__file__).parents[2] / "examples"


def load_shortened(name: str, folder: Path) -> Any:
    data = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text())
    data["session"] |= {"directory": str(folder), "duration_s": 1.0}
    data["engine"] = {"realtime": False}
    return config_from(data, base=EXAMPLES)


@pytest.mark.parametrize("name", ["demo", "two_rules", "python_protocol"])
def test_an_example_runs(tmp_path: Path, name: str) -> None:
    summary = run(load_shortened(name, tmp_path), status=Status(quiet=True))
    session = Session(summary.directory)
    frames = session.frames
    assert summary.ended == "duration"
    assert summary.processed == frames["processed"].sum() > 0
    assert frames["recorded"].all()
    found = session.poses().xs("likelihood", axis=1, level="coords").dropna() > 0.5
    assert found.to_numpy().mean() > 0.5
    assert session.json["error"] is None


def test_an_example_on_serial_hardware_runs(
    tmp_path: Path, terminal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTPOSE_PORT", terminal.path)
    summary = run(load_shortened("serial_laser", tmp_path), status=Status(quiet=True))
    assert summary.ended == "duration"
    assert terminal.level == b"L"


def test_a_labelled_video_of_a_session(tmp_path: Path) -> None:
    session = run_here(tmp_path, {"cameras.top.frames_total": 30})
    command = [sys.executable, "-m", "fastpose", "export", str(session.folder), "--labelled-video"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    video = Path(done.stdout.strip())
    assert video.parent == session.folder
    assert video_frames(video) == 30


def test_two_rigs_at_once_have_folders_of_their_own(tmp_path: Path) -> None:
    config = write_rig(tmp_path, {"cameras.top.frames_total": 30})
    with Rig(config) as first, Rig(config) as second:
        for rig in (first, second):
            rig.start()
        for rig in (first, second):
            assert len(list(rig.poses())) == 30
    assert first.directory != second.directory
    for rig in (first, second):
        assert len(Session(rig.directory).frames) == 30


def test_processes_end_by_themselves_when_the_engine_is_killed(tmp_path: Path) -> None:
    from make_videos import make_video

    video = make_video(tmp_path / "v.mkv", frames=50, width=160, height=120)
    with Process(write_rig(tmp_path, {"cameras.top": video_camera(video, loop=True)})) as process:
        process.wait_for_frames(20)
        hosts = [process.host(module) for module in ("video", "encoder")]
        process.kill()
        for host in hosts:
            host.wait()
            assert not host.is_running()

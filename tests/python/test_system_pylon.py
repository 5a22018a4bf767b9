"""Whole sessions on pylon's emulated camera: every frame a row, its lines, and what can go wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import basler  # noqa: F401  skips where pypylon is not
from fastpose.errors import CameraDisconnected, ConfigError
from rigs import (
    ALWAYS,
    HEIGHT,
    WIDTH,
    Process,
    Session,
    rig_config,
    run_here,
    run_process,
    video_frames,
    write_rig,
)

CAMERA = {
    "driver": "pylon",
    "emulated": True,
    "serial": "0815-0000",
    "size": [WIDTH, HEIGHT],
    "rate_hz": 100,
    "exposure_us": 1000,
    "pixel_format": "mono8",
}
LASER = {"driver": "pylon", "camera": "top", "line": "Line2", "max_on_ms": 60_000}


def changes(duration_s: float = 2.0, **camera: Any) -> dict[str, Any]:
    return {
        "session.duration_s": duration_s,
        "cameras.top": CAMERA | camera,
        "outputs.laser": LASER,
    }


def every_exposure_has_a_row(session: Session) -> None:
    frames = session.frames
    counters = frames["camera_counter"].to_numpy()
    assert np.diff(counters).tolist() == [1] * (len(counters) - 1)
    transport = frames["drop_reason"] == "transport"
    assert (frames["processed"] | (frames["drop_reason"] != "")).all()
    assert video_frames(session.folder / "video_top.mkv") == frames["recorded"].sum()
    assert not frames.loc[transport, "recorded"].any()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return run_here(tmp_path_factory.mktemp("basler"), changes())


def test_every_exposure_has_a_row(whole: Session) -> None:
    assert len(whole.frames) > 20 and whole.json["ended"] == "duration"
    every_exposure_has_a_row(whole)


def test_the_session_knows_what_the_camera_really_did(whole: Session) -> None:
    top = whole.json["devices"]["cameras"]["top"]
    assert top["size"] == [WIDTH, HEIGHT] and top["pixel_format"] == "mono8"
    assert top["serial"] == "0815-0000" and top["model"] == "CamEmu" and top["transport"] == "BaslerCamEmu"
    assert (top["rate_hz"], top["exposure_us"]) == (100.0, 1000.0)


def test_a_line_of_the_camera_is_an_output(whole: Session) -> None:
    assert whole.json["devices"]["outputs"] == {"laser": "Line2 of camera top"}
    levels = whole.output_levels()
    assert levels and levels == [1, 0] * (len(levels) // 2)


def test_failed_buffers_are_rows_with_their_reason(tmp_path: Path) -> None:
    features = {"ForceFailedBufferCount": 5, "ForceFailedBuffer": "execute"}
    session = run_here(tmp_path, changes(features=features))
    every_exposure_has_a_row(session)
    assert (session.frames["drop_reason"] == "transport").sum() == 5
    assert session.json["counts"]["cameras"]["top"]["drops"]["transport"] == 5


def test_an_unplugged_camera_ends_the_session(tmp_path: Path) -> None:
    """The emulator says at once that it was unplugged."""
    with pytest.raises(CameraDisconnected, match="camera 'top' disconnected: check its cable and power"):
        run_here(tmp_path, changes(60.0, features={"FirePnPCallback": "execute"}))
    session = Session(next((tmp_path / "sessions").iterdir()))
    assert session.json["ended"] == "fault"


def test_a_camera_that_comes_and_goes_is_one_session(tmp_path: Path) -> None:
    """Unplugged each time before its first frame; the engine says how often, and nothing else ends."""
    features = {"FirePnPCallback": "execute"}
    session = run_here(tmp_path, changes(12.0, features=features, reconnect=True))
    assert session.json["ended"] == "duration" and session.json["counts"]["engine"]["times_lost"] >= 2
    assert len(session.frames) == 0


def test_software_triggers(tmp_path: Path) -> None:
    session = run_here(tmp_path, changes(rate_hz=50, camera_trigger={"source": "software"}))
    every_exposure_has_a_row(session)
    assert 5 < len(session.frames) <= 110


def test_a_killed_camera_process_ends_the_session_with_safe_outputs(tmp_path: Path) -> None:
    with Process(write_rig(tmp_path, changes(60.0) | ALWAYS)) as process:
        process.wait_for_frames(30)
        process.host("pylon").kill()
        ended = process.end()
    session = Session(next((tmp_path / "sessions").iterdir()))
    assert ended.code != 0 and "camera 'top'" in ended.complaint
    assert session.json["ended"] == "fault" and len(session.frames) >= 30
    every_exposure_has_a_row(session)


def test_a_killed_engine_takes_its_camera_process_along(tmp_path: Path) -> None:
    with Process(write_rig(tmp_path, changes(60.0))) as process:
        process.wait_for_frames(30)
        host = process.host("pylon")
        process.kill()
        assert psutil.wait_procs([host], timeout=60)[1] == []


@pytest.mark.parametrize(
    ("camera", "says"),
    [
        ({"serial": "0815-0009x"}, "serial '0815-0009x': no such Basler camera; here: 0815-0000"),
        ({"size": [5000, 480]}, "size 5000: not taken by this camera; allowed: 1 to 4096"),
        ({"emulated": False}, "serial '0815-0000': no such Basler camera; pylon finds no camera"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(tmp_path: Path, camera: dict[str, Any], says: str) -> None:
    ended = run_process(write_rig(tmp_path, changes(**camera)))
    assert ended.code != 0 and says in ended.complaint


def test_config_errors(tmp_path: Path) -> None:
    software = {"source": "software"}
    for change, says in (
        ({"outputs.laser": LASER | {"camera": "side"}}, "no Basler camera 'side'.*allowed: top"),
        (
            {"cameras.top.exposure_active_line": "Line2"},
            "Line2 is cameras.top.exposure_active_line",
        ),
        (
            {"cameras.top.camera_trigger": software, "cameras.top.rate_hz": None},
            "without rate_hz",
        ),
        ({"cameras.top.pixel_format": "nv12"}, "nv12, which no Basler camera sends; allowed: yuyv"),
        ({"cameras.top.chunks": ["counter", "counter"]}, "chunks names one twice"),
        ({"cameras.top.size": [80, 80]}, "is outside the frame of camera|goes beyond"),
    ):
        with pytest.raises(ConfigError, match=says):
            rig_config(tmp_path, changes() | change)

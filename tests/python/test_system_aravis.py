"""Whole sessions on the fake GigE camera: packets that are lost, a camera that dies and comes back."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from gige_fake import FakeGigeCamera
from rigs import ALWAYS, Process, Session, run_here, write_rig

EXAMPLE = Path(__file__).parents[2] / "examples" / "gige_fake.yaml"

pytest.importorskip("fastpose._aravis", reason="this fastpose was built without Aravis")


def gige_camera(serial: str, **values: Any) -> dict[str, Any]:
    return {
        "driver": "aravis",
        "serial": serial,
        "pixel_format": "mono8",
        "size": [160, 120],
        "rate_hz": 50,
        "exposure_us": 1000,
        # The fake shares this machine's cores with the rest: it may stop within a frame.
        "gige": {"packet_size": 1500, "frame_retention_ms": 200},
        **values,
    }


def rig(serial: str, duration_s: float, **values: Any) -> dict[str, Any]:
    return {"session.duration_s": duration_s, "cameras.top": gige_camera(serial, **values), **ALWAYS}


def accounted(session: Session) -> None:
    """Every number that the camera counted between the first and the last row has a row."""
    # Of a frame whose first packet is lost the next frame tells it: only those at the end stay without.
    numbered = session.frames["camera_counter"].dropna()
    counters = numbered.astype(int).sort_values().to_list()
    assert counters == list(range(counters[0], counters[-1] + 1))
    assert session.frames.loc[numbered.index[0] : numbered.index[-1], "camera_counter"].notna().all()


def test_a_session_over_the_network(tmp_path: Path) -> None:
    with FakeGigeCamera("GV21") as fake:
        session = run_here(tmp_path, rig(fake.serial, 2))
    assert session.json["ended"] == "duration"
    assert session.frames["processed"].sum() > 5
    accounted(session)


def test_lost_packets_are_rows(tmp_path: Path) -> None:
    with FakeGigeCamera("GV22", lost_per_thousand=20) as fake:
        session = run_here(tmp_path, rig(fake.serial, 4))
    frames = session.frames
    assert (frames["drop_reason"] == "transport").sum() > 0
    assert frames["processed"].sum() > 5
    accounted(session)


def test_a_camera_that_dies_and_comes_back(tmp_path: Path) -> None:
    with FakeGigeCamera("GV23") as fake:
        config = write_rig(tmp_path, rig(fake.serial, 40, reconnect=True))
        with Process(config) as process:
            folder = process.wait_for_frames(30)
            fake.unplug()
            log = folder / "log" / "frames_top.fplog"
            time.sleep(3)  # it is noticed after a second
            had = log.stat().st_size
            fake.plug_in()
            process.wait_for(lambda: log.stat().st_size > had + 30 * 128)
            process.signal(signal.SIGINT)
            process.end()
    session = Session(folder)
    assert session.json["ended"] != "fault"
    assert (session.frames["counter_reset"]).sum() == 1
    accounted(session)


def test_the_example_runs(tmp_path: Path) -> None:
    content = yaml.safe_load(EXAMPLE.read_text())
    content["session"].update(directory=str(tmp_path / "sessions"), duration_s=3)
    content["engine"] = {"realtime": False}
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    with FakeGigeCamera("GV01"), Process(file) as process:
        ended = process.end()
    assert ended.code == 0, ended.stderr
    (folder,) = (tmp_path / "sessions").iterdir()
    session = Session(folder)
    assert session.frames["processed"].any()
    accounted(session)

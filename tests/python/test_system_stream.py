"""Whole sessions on a network camera: every frame a row with its age, losses counted, the session goes on."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from fastpose.check import check
from fastpose.config import load_config
from rigs import run_here, video_frames, write_rig
from stream_servers import RATE_HZ, HttpCamera, http_camera, rtsp_camera, wait_until


def network_camera(url: str, **values: Any) -> dict[str, Any]:
    return {"driver": "stream", "url": url, "timeout_s": 1.0, **values}


def test_a_session_on_a_transport_stream(tmp_path: Path) -> None:
    with http_camera("ts") as camera:
        changes = {"cameras.top": network_camera(camera.url, latency_ms=5), "session.duration_s": 3}
        session = run_here(tmp_path, changes)
    frames = session.frames
    assert session.json["ended"] == "duration"
    assert len(frames) > RATE_HZ and frames["processed"].any()
    assert frames["recorded"].all() and video_frames(session.folder / "video_top.mkv") == len(frames)
    ages_ms = (frames["received_ns"] - frames["exposure_start_ns"]) / 1e6
    assert ages_ms.min() >= 4.9 and not frames["clock_unfitted"].any()
    assert (frames["exposure_start_ns"].diff()[1:] > 0).all()


def test_an_interruption_is_survived(tmp_path: Path) -> None:
    with http_camera("ts") as camera:
        threading.Thread(target=_interrupt, args=(camera,), daemon=True).start()
        changes = {"cameras.top": network_camera(camera.url, reconnect=True), "session.duration_s": 8}
        session = run_here(tmp_path, changes)
    frames = session.frames
    assert session.json["ended"] == "duration"
    assert frames["counter_reset"].sum() == 1 and frames["clock_unfitted"].all()
    again = frames.index[frames["counter_reset"]][0]
    assert again > 5 and len(frames) - again > 5
    assert "lost: it " in (session.folder / "log" / "camera_top.txt").read_text()


def _interrupt(camera: HttpCamera) -> None:
    wait_until(
        lambda: camera.clients >= 2 and camera.sent > 100, "the session"
    )  # the first client only looks
    camera.die()
    threading.Event().wait(0.5)
    camera.start()


def test_a_session_on_rtsp_knows_the_age(tmp_path: Path) -> None:
    with rtsp_camera() as camera:
        changes = {"cameras.top": network_camera(camera.url, clock="sender"), "session.duration_s": 2}
        session = run_here(tmp_path, changes)
    ages_ms = (session.frames["received_ns"] - session.frames["exposure_start_ns"]) / 1e6
    assert 0 < ages_ms.median() < 1000
    assert not session.frames["clock_unfitted"].any()


def test_check_says_what_is_known_of_the_age(tmp_path: Path) -> None:
    with http_camera() as camera:
        config = load_config(write_rig(tmp_path, {"cameras.top": network_camera(camera.url)}))
        found = {finding.path: finding for finding in check(config)}
    finding = found["cameras.top.url"]
    assert finding.level == "ok" and "age of frames unknown by a constant (latency_ms is 0)" in finding.text
    (problem,) = [f for f in check(config) if f.level == "problem"]
    assert problem.path.startswith("cameras.top") and "is the camera on" in problem.text


@pytest.mark.parametrize("size", [[640, 480]])
def test_another_size_than_the_configs_is_refused(tmp_path: Path, size: list[int]) -> None:
    with http_camera() as camera:
        config = load_config(write_rig(tmp_path, {"cameras.top": network_camera(camera.url, size=size)}))
        (problem,) = [finding for finding in check(config) if finding.level == "problem"]
    assert "sends 320x240 px, the config says size [640, 480]" in problem.text

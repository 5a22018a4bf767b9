"""Whole sessions on a network camera: every frame a row with its age, losses counted, the session goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastpose.check import check
from fastpose.config import load_config
from fastpose.rig import Rig
from rigs import ALWAYS, Session, video_frames, write_rig
from stream_servers import http_camera, rtsp_camera


def network_camera(url: str, **values: Any) -> dict[str, Any]:
    return {"driver": "stream", "url": url, "timeout_s": 5.0, **values}


def run_until(folder: Path, changes: dict[str, Any], done: Callable[[Rig], bool]) -> Session:
    """Run a small rig until something is so, however slow the machine is."""

    def look(rig: Rig) -> None:
        if done(rig):
            rig.stop("enough")

    with Rig(write_rig(folder, changes), feed=False) as rig:
        rig.run(look)
    return Session(rig.directory)


def frames_came(count: int) -> Callable[[Rig], bool]:
    return lambda rig: rig.snapshot()["published"] >= count


def test_a_session_on_a_transport_stream(tmp_path: Path) -> None:
    with http_camera("ts") as camera:
        changes = {"cameras.top": network_camera(camera.url, latency_ms=5)}
        session = run_until(tmp_path, changes, frames_came(60))
    frames = session.frames
    whole = frames[frames["drop_reason"] != "transport"]
    assert len(whole) >= 60 and frames["processed"].any()
    assert frames["frame_id"].tolist() == list(range(len(frames)))
    assert whole["recorded"].all() and video_frames(session.folder / "video_top.mkv") == len(whole)
    ages_ms = (frames["received_ns"] - frames["exposure_start_ns"]) / 1e6
    assert ages_ms.min() >= 4.9 and not frames["clock_unfitted"].any()
    assert (frames["exposure_start_ns"].diff()[1:] > 0).all()
    assert "frames of 'http" in (session.folder / "log" / "camera_top.txt").read_text()


def test_an_interruption_is_survived(tmp_path: Path) -> None:
    with http_camera("ts") as camera:
        session = run_until(
            tmp_path,
            {
                **ALWAYS,
                "outputs.laser": {"driver": "sim", "max_on_ms": 600_000},
                "cameras.top": network_camera(camera.url, reconnect=True),
            },
            _Interruption(camera.die, camera.start),
        )
    frames = session.frames
    assert frames["counter_reset"].sum() == 1 and frames["clock_unfitted"].all()
    again = frames.index[frames["counter_reset"]][0]
    assert again >= 20 and len(frames) - again >= 20
    edges = session.events.query("event == 'output'")
    assert edges["value"].tolist()[:2] == [1, 0] and edges["cause"].tolist()[1] == "safe"
    assert edges["stamp_ns"].tolist()[1] < frames["exposure_start_ns"][again]  # at once, not at the end
    log = (session.folder / "log" / "camera_top.txt").read_text()
    assert "lost: it " in log and "back after " in log and "1 interruptions" in log


class _Interruption:
    """Ends the camera after 20 frames, begins it again once that was seen, and is done 20 frames later."""

    def __init__(self, end: Callable[[], None], begin: Callable[[], None]) -> None:
        self._end, self._begin = end, begin
        self._ended_at = self._began_at = 0

    def __call__(self, rig: Rig) -> bool:
        counts = rig.snapshot()
        if not self._ended_at and counts["processed"] >= 20:
            self._ended_at = counts["published"]
            self._end()
        elif not self._began_at and counts["times_lost"]:
            self._began_at = counts["published"]
            self._begin()
        return bool(self._began_at) and counts["published"] >= self._began_at + 20


def test_a_session_on_rtsp_knows_the_age(tmp_path: Path) -> None:
    with rtsp_camera() as camera:
        changes = {"cameras.top": network_camera(camera.url, clock="sender")}
        session = run_until(tmp_path, changes, frames_came(30))
    ages_ms = (session.frames["received_ns"] - session.frames["exposure_start_ns"]) / 1e6
    assert 0 < ages_ms.median() < 60_000
    assert not session.frames["clock_unfitted"].any()


def test_check_says_what_is_known_of_the_age(tmp_path: Path) -> None:
    with http_camera() as camera:
        config = load_config(write_rig(tmp_path, {"cameras.top": network_camera(camera.url)}))
        found = {finding.path: finding for finding in check(config)}
    finding = found["cameras.top.url"]
    assert finding.level == "ok" and "age of frames unknown by a constant (latency_ms is 0)" in finding.text
    (problem,) = [f for f in check(config) if f.level == "problem"]
    assert problem.path.startswith("cameras.top") and "is the camera on" in problem.text


def test_another_size_than_the_configs_is_refused(tmp_path: Path) -> None:
    with http_camera() as camera:
        config = load_config(
            write_rig(tmp_path, {"cameras.top": network_camera(camera.url, size=[640, 480])})
        )
        (problem,) = [finding for finding in check(config) if finding.level == "problem"]
    assert "sends 320x240 px, the config says size [640, 480]" in problem.text

"""What breaks while a session runs: outputs safe first, one line, exit code 2, and the files are complete."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fastpose import Rig
from fastpose.errors import CameraDisconnected, RecordError
from make_videos import make_video
from rigs import (
    ALWAYS,
    ENDLESS,
    Process,
    Session,
    recover,
    run_process,
    serial_laser,
    video_camera,
    video_frames,
    write_rig,
)
from terminal import Terminal


def line_high(terminal: Terminal) -> dict[str, Any]:
    """An endless session whose line on the terminal is high from the first frame on."""
    return {**ENDLESS, **ALWAYS, "outputs.laser": serial_laser(terminal.path)}


def test_a_cable_that_is_pulled(tmp_path: Path, terminal: Terminal) -> None:
    changes = {**line_high(terminal), "cameras.top.faults": {"disconnect_after_s": 0.6}}
    ended = run_process(write_rig(tmp_path, changes))
    assert ended.code == 2
    assert ended.complaint == "fastpose: camera 'top' disconnected: check its cable and power"
    assert terminal.level == b"L"
    assert b"H" in terminal.received
    (folder,) = (tmp_path / "sessions").iterdir()
    session = Session(folder)
    assert session.json["ended"] == "fault"
    assert "camera 'top' disconnected" in session.json["error"]
    frames = session.frames
    assert len(frames) > 10
    assert frames["processed"].all() and frames["recorded"].all()
    assert len(session.poses()) == video_frames(folder / "video_top.mkv") == len(frames)
    assert session.events.iloc[-1][["event", "value", "cause"]].tolist() == ["output", 0, "safe"]
    assert "error: camera 'top' disconnected" in session.log_text


def test_a_pulled_cable_is_the_matching_builtin_error(tmp_path: Path) -> None:
    changes = {**ENDLESS, "cameras.top.faults": {"disconnect_after_s": 0.2}}
    with pytest.raises(ConnectionError), Rig(write_rig(tmp_path, changes)) as rig:
        rig.run()
    with pytest.raises(CameraDisconnected), Rig(write_rig(tmp_path, changes)) as rig:
        for _ in rig.poses():
            pass


def test_a_disk_that_fills_up(tmp_path: Path, small_disk: Path, terminal: Terminal) -> None:
    changes = {**line_high(terminal), "session.directory": str(small_disk)}
    ended = run_process(write_rig(tmp_path, changes))
    assert ended.code == 2
    assert "No space left on device" in ended.complaint
    assert terminal.level == b"L"

    (folder,) = small_disk.iterdir()
    assert f"fastpose recover {folder}" in ended.complaint
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    done = recover(folder)
    assert (done.returncode, done.stderr) == (0, "")
    session = Session(folder)
    frames = session.frames
    assert len(frames) > 10
    assert frames["frame_id"].dropna().tolist() == list(range(len(frames)))
    assert video_frames(folder / "video_top.mkv") == frames["recorded"].sum() > 0


def test_a_session_directory_that_cannot_be_written(tmp_path: Path) -> None:
    ended = run_process(write_rig(tmp_path, {"session.directory": "/proc/sessions"}))
    assert ended.code == 2
    assert "session.directory: '/proc/sessions' cannot be written" in ended.complaint
    assert ended.stdout == ""


def test_a_read_only_disk(tmp_path: Path, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    ended = run_process(write_rig(tmp_path, {"session.directory": str(small_disk / "sessions")}))
    assert ended.code == 2
    assert "cannot be written (Read-only file system)" in ended.complaint


@pytest.mark.parametrize("size", ["64k", "0"], ids=["too little", "read only"])
def test_shared_memory_that_is_missing(tmp_path: Path, size: str) -> None:
    option = "size=64k" if size == "64k" else "ro"
    mount = f'mount -t tmpfs -o {option} tmpfs /dev/shm && exec "$@"'
    prefix = ("unshare", "-m", "sh", "-c", mount, "sh")
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("a /dev/shm of its own needs root")
    ended = run_process(write_rig(tmp_path), prefix=prefix)
    assert ended.code == 2
    assert "shared memory" in ended.complaint
    assert list((tmp_path / "sessions").iterdir()) == []


def run_and_kill(rig: Rig, pid: int, after_frames: int) -> None:
    """Run to the end; kill a process once so many frames were processed."""
    killed = False

    def look(running: Rig) -> None:
        nonlocal killed
        if not killed and running.snapshot()["processed"] >= after_frames:
            os.kill(pid, signal.SIGKILL)
            killed = True

    rig.run(look)
    assert killed


LONG = {"cameras.top.frames_total": 400}  # two seconds: the encoder writes four times a second


@pytest.mark.parametrize("frames", ["every", "newest"])
def test_an_encoder_that_dies_is_flagged_and_the_loop_goes_on(tmp_path: Path, frames: str) -> None:
    changes = {**LONG, "record.on_error": "continue", "cameras.top.frames": frames}
    with Rig(write_rig(tmp_path, changes)) as rig:
        encoder = rig.cameras[0].encoder
        assert encoder is not None
        run_and_kill(rig, encoder.pid, 200)
    session = Session(rig.directory)
    told = session.json
    (warning,) = rig.warnings
    assert warning.startswith("the encoder of camera 'top' ended with code -9")
    assert told["warnings"] == rig.warnings
    assert warning in session.log_text
    assert told["ended"] == "finished"
    counts = told["counts"]["cameras"]["top"]
    assert counts["drops"]["ring"] + counts["processed"] + counts["drops"]["camera"] == counts["exposures"]
    if frames == "every":
        assert session.frames["processed"].sum() == 400
    assert 0 < counts["video_frames"] < 400
    assert video_frames(rig.directory / "video_top.mkv") == counts["video_frames"]


def test_an_encoder_that_dies_ends_the_session_where_the_config_says_so(
    tmp_path: Path, terminal: Terminal
) -> None:
    with Process(write_rig(tmp_path, {**line_high(terminal), "record.on_error": "stop"})) as process:
        folder = process.wait_for_frames(150)
        terminal.wait_for(b"H")
        process.host("encoder").kill()
        ended = process.end()
    assert ended.code == 2
    assert ended.complaint.startswith("fastpose: the encoder of camera 'top' ended with code -9")
    assert terminal.level == b"L"
    session = Session(folder)
    assert session.json["ended"] == "fault"
    assert session.frames["processed"].all()
    assert session.frames["recorded"].sum() == video_frames(folder / "video_top.mkv")


def test_an_encoder_that_fails_at_the_end_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the encoder says after the last frame still counts."""
    with pytest.raises(RecordError, match="the disk went away"), Rig(write_rig(tmp_path)) as rig:
        rig.run()
        (camera,) = rig.cameras
        assert camera.encoder is not None and camera.ring is not None
        wait, ring = camera.encoder.wait, camera.ring

        def fail_late(timeout_s: float) -> bool:
            done = wait(timeout_s)
            ring.set_recorder_state("failed", "the disk went away")
            return done

        monkeypatch.setattr(camera.encoder, "wait", fail_late)
    assert Session(rig.directory).json["ended"] == "fault"
    assert rig.summary is not None


def test_a_video_process_that_dies_is_a_camera_that_is_gone(tmp_path: Path, terminal: Terminal) -> None:
    video = make_video(tmp_path / "v.mkv", frames=100, width=160, height=120)
    changes = {**line_high(terminal), "cameras.top": video_camera(video, pace="realtime", loop=True)}
    with Process(write_rig(tmp_path, changes)) as process:
        folder = process.wait_for_frames(20)
        terminal.wait_for(b"H")
        process.host("video").kill()
        ended = process.end()
    assert ended.code == 2
    assert ended.complaint.startswith("fastpose: the process of camera 'top' ended with code -9")
    assert terminal.level == b"L"
    session = Session(folder)
    assert session.json["ended"] == "fault"
    assert session.frames["processed"].sum() == video_frames(folder / "video_top.mkv")


def test_a_video_process_that_dies_raises_camera_disconnected(tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.mkv", frames=100, width=160, height=120)
    changes = {"cameras.top": video_camera(video, pace="realtime", loop=True)}
    with pytest.raises(CameraDisconnected), Rig(write_rig(tmp_path, changes)) as rig:
        host = rig.cameras[0].host
        assert host is not None
        run_and_kill(rig, host.pid, 10)
    assert rig.ended == "fault"


def test_a_device_that_is_unplugged(tmp_path: Path) -> None:
    """The far end of the serial line is closed: writing fails, which ends the session."""
    far_end, near_end = os.openpty()
    path = os.ttyname(near_end)
    os.close(near_end)
    changes = {**ENDLESS, "outputs.laser": serial_laser(path)}
    with Process(write_rig(tmp_path, changes)) as process:
        folder = process.wait_for_frames(20)
        os.close(far_end)
        ended = process.end()
    assert ended.code == 2
    told = [line for line in ended.stderr if line.startswith("fastpose: output")]
    assert len(told) == 1
    assert told[0].startswith(f"fastpose: output 'laser' (serial port {path}")
    assert "could not be written: Input/output error" in told[0]
    assert ended.stderr[-1].startswith("fastpose guardian:")  # it tried once more
    assert Session(folder).json["ended"] == "fault"

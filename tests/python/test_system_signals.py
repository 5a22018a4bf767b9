"""Ends that nobody planned: Ctrl-C, SIGTERM, kill -9; lines go safe, and the data are there."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from fastpose.errors import RecordError
from fastpose.session import recover as session_recover
from rigs import ALWAYS, ENDLESS, Process, Session, contents, recover, serial_laser, video_frames, write_rig
from terminal import Terminal

LAST_SECOND_NS = 1_000_000_000


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_session_cleanly(
    tmp_path: Path, terminal: Terminal, number: signal.Signals
) -> None:
    changes = {**ENDLESS, **ALWAYS, "outputs.laser": serial_laser(terminal.path)}
    with Process(write_rig(tmp_path, changes)) as process:
        folder = process.wait_for_frames(30)
        terminal.wait_for(b"H")
        process.signal(number)
        ended = process.end()
    assert ended.code == 0
    assert [line.split(":")[1].strip() for line in ended.stderr] == ["running", "ended"]
    assert terminal.level == b"L"
    session = Session(folder)
    assert session.json["ended"] == "interrupted"
    assert session.json["error"] is None
    frames = session.frames
    assert frames["processed"].all() and frames["recorded"].all()
    assert len(frames) == len(session.poses()) == video_frames(folder / "video_top.mkv") >= 30
    edges = session.events[session.events["event"] == "output"]
    assert edges["value"].tolist() == [1, 0]
    assert edges["cause"].tolist() == ["protocol", "safe"]


def test_ctrl_c_at_the_terminal_does_not_reach_the_encoder(tmp_path: Path) -> None:
    """The encoder has a group of its own, in the engine's session: only the engine tells it to finish."""
    with Process(write_rig(tmp_path, ENDLESS)) as process:
        folder = process.wait_for_frames(20)
        encoder = process.host("encoder")
        assert os.getpgid(encoder.pid) == encoder.pid
        assert os.getsid(encoder.pid) == os.getsid(encoder.ppid())  # a niceness counts within a session
        encoder.send_signal(signal.SIGINT)
        process.wait_for_frames(60)
        assert encoder.is_running()
        process.signal(signal.SIGINT)
        assert process.end().code == 0
    assert Session(folder).frames["recorded"].all()


def test_ctrl_c_while_it_starts(tmp_path: Path) -> None:
    with Process(write_rig(tmp_path, ENDLESS)) as process:
        process.wait_for(lambda: list(tmp_path.glob("sessions/*/log")))
        process.signal(signal.SIGINT)
        ended = process.end()
    assert ended.code == 0
    (folder,) = (tmp_path / "sessions").iterdir()
    assert Session(folder).json["ended"] == "interrupted"


@pytest.mark.parametrize("encoder_too", [False, True], ids=["engine", "engine and encoder"])
def test_kill_9_costs_the_last_second_at_most(tmp_path: Path, encoder_too: bool) -> None:
    changes = {**ENDLESS, "cameras.top.frames": "newest"}
    with Process(write_rig(tmp_path, changes)) as process:
        folder = process.wait_for_frames(400)
        if encoder_too:
            process.host("encoder").kill()
        killed_ns = process.kill()
    assert not (folder / "session.json").exists()

    done = recover(folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert str(folder) in done.stdout
    session = Session(folder)
    assert session.json["ended"] == "killed"
    frames = session.frames
    ids = frames["frame_id"].dropna().to_numpy(dtype=np.int64)
    assert len(ids) >= 400
    assert (np.diff(ids) == 1).all()
    assert frames["exposure_start_ns"].max() > killed_ns - LAST_SECOND_NS
    before = frames[frames["exposure_start_ns"] < killed_ns - LAST_SECOND_NS]
    assert before["recorded"].all() or (before["drop_reason"] == "recorder").any()
    assert (before["processed"] | (before["drop_reason"] != "")).all()
    in_video = video_frames(folder / "video_top.mkv")
    assert in_video == frames["recorded"].sum() == len(session.poses())
    assert set(session.output_levels()) == {0, 1}


def test_recover_twice_gives_the_same_files(tmp_path: Path) -> None:
    with Process(write_rig(tmp_path, ENDLESS)) as process:
        folder = process.wait_for_frames(50)
        process.kill()
    assert recover(folder).returncode == 0
    first = contents(folder)
    assert recover(folder).returncode == 0
    second = contents(folder)
    assert first.keys() == second.keys()
    changed = [name for name in first if first[name] != second[name]]
    assert changed in ([], ["poses_top.h5"])  # HDF5 may write the time into its file


def test_recover_of_a_whole_session_changes_nothing(tmp_path: Path) -> None:
    with Process(write_rig(tmp_path)) as process:
        assert process.end().code == 0
    (folder,) = (tmp_path / "sessions").iterdir()
    first = contents(folder)
    assert recover(folder).returncode == 0
    assert Session(folder).json["ended"] == "finished"
    assert {name for name, content in contents(folder).items() if content != first[name]} <= {"poses_top.h5"}


def test_recover_refuses_a_session_that_runs(tmp_path: Path) -> None:
    with Process(write_rig(tmp_path, {**ENDLESS, "record.video": None})) as process:
        folder = process.wait_for_frames(10)
        with pytest.raises(RecordError, match=f"is still in use by process {process.pid}"):
            session_recover.recover(folder, wait_s=0.0)
        process.signal(signal.SIGINT)
        assert process.end().code == 0


def test_kill_9_leaves_the_line_safe(tmp_path: Path, terminal: Terminal) -> None:
    changes = {**ENDLESS, **ALWAYS, "record.video": None, "outputs.laser": serial_laser(terminal.path)}
    with Process(write_rig(tmp_path, changes)) as process:
        process.wait_for_frames(10)
        terminal.wait_for(b"H")
        process.kill()
        terminal.wait_for(b"L")


def test_the_next_run_clears_the_shared_memory_of_a_killed_one(tmp_path: Path) -> None:
    from rigs import run_here, shared_memory_of

    with Process(write_rig(tmp_path, {**ENDLESS, "record.video": None})) as process:
        process.wait_for_frames(5)
        process.kill()
    assert len(shared_memory_of(process.pid)) == 2
    run_here(tmp_path, {"cameras.top.frames_total": 3, "record.video": None})
    assert shared_memory_of(process.pid) == []

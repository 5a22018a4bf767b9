"""Whole sessions with outputs of every kind: firmware, beside the loop, streams, stops; and their ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fastpose import _core
from fastpose.errors import OutputError
from rigs import ALWAYS, ENDLESS, Process, Session, run_here, write_rig

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pseudo-terminals need Linux")
PIN = 13


def firmware_laser(board: _core.FirmwareSimulator, **values: Any) -> dict[str, Any]:
    return {"driver": "firmware", "port": board.path, "pin": PIN, "max_on_ms": 600_000, **values}


def soon(condition: Callable[[], bool], patience_s: float = 60.0) -> bool:
    deadline = time.monotonic() + patience_s
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


@pytest.fixture
def board() -> _core.FirmwareSimulator:
    """A microcontroller whose clock is off and drifts."""
    return _core.FirmwareSimulator(drift_ppm=90, offset_s=1000)


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        bound.settimeout(100)
        yield bound


# --- firmware ---


def test_firmware_confirms_each_edge_on_the_clock_of_the_host(
    tmp_path: Path, board: _core.FirmwareSimulator
) -> None:
    session = run_here(tmp_path, {"outputs.laser": firmware_laser(board)})
    events = session.events
    edges = events[events["event"] == "output"]
    confirmed = events[events["event"] == "confirmed"]
    truth = [(level > 0, host_ns) for _pin, level, host_ns, _device_ns in board.edges()]
    assert len(edges) >= 4
    assert [bool(value) for value in confirmed["value"]][-len(truth) :] == [high for high, _ in truth]
    off_ns = [
        abs(int(stamp) - host_ns)
        for stamp, (_, host_ns) in zip(confirmed["stamp_ns"][-len(truth) :], truth, strict=True)
    ]
    assert sorted(off_ns)[len(off_ns) // 2] < 5e6  # its own clock shows a quarter of an hour more
    rises = confirmed[(confirmed["value"] == 1)]
    assert rises["frame_id"].notna().all() and (rises["latency_ms"] > 0).all()
    latency = json.loads((session.folder / "latency.json").read_text())
    assert latency["outputs"]["laser"]["acted->confirmed"]["n"] == len(edges[edges["cause"] != "safe"])
    assert session.json["firmware"][board.path]["source"] == "latched"


def test_firmware_goes_safe_by_itself_after_kill_9(tmp_path: Path, board: _core.FirmwareSimulator) -> None:
    changes = {**ENDLESS, **ALWAYS, "outputs.laser": firmware_laser(board)}
    with Process(write_rig(tmp_path, changes)) as process:
        process.wait_for(lambda: board.level(PIN) > 0)
        process.kill()
        assert soon(lambda: board.level(PIN) == 0)
    assert not board.armed


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM, signal.SIGINT])
def test_firmware_goes_safe_after_every_signal(
    tmp_path: Path, board: _core.FirmwareSimulator, number: signal.Signals
) -> None:
    changes = {**ENDLESS, **ALWAYS, "outputs.laser": firmware_laser(board)}
    with Process(write_rig(tmp_path, changes)) as process:
        process.wait_for(lambda: board.level(PIN) > 0)
        process.signal(number)
        assert soon(lambda: board.level(PIN) == 0)


def test_firmware_that_is_unplugged_ends_the_session(tmp_path: Path, board: _core.FirmwareSimulator) -> None:
    changes = {**ENDLESS, **ALWAYS, "outputs.laser": firmware_laser(board)}
    with Process(write_rig(tmp_path, changes)) as process:
        process.wait_for(lambda: board.level(PIN) > 0)
        board.unplug()
        ended = process.end()
    assert ended.code == 2
    said = " ".join(ended.stderr)  # the guardian tells of its own attempt
    assert "output 'laser'" in said and "unplugged?" in said


def test_teensy_laser_speaks_the_bytes_of_deeplabcut_live(tmp_path: Path) -> None:
    far_end, port = os.openpty()
    changes = {
        "outputs.laser": {
            "driver": "teensy_laser",
            "port": os.ttyname(port),
            "pulse_hz": 50,
            "pulse_width_ms": 5,
            "max_on_ms": 1000,
        }
    }
    run_here(tmp_path, changes)
    os.set_blocking(far_end, False)
    said = os.read(far_end, 4096)
    os.close(far_end)
    os.close(port)
    start = b"O\x32\x00\x05\x00\x00\x00"
    assert said.replace(start, b"(").startswith(b"XX(X(X")
    assert said.endswith(b"X")


# --- trains and levels ---


def test_train_of_a_config(tmp_path: Path) -> None:
    train = {"train": {"pulse_ms": 1, "rate_hz": 100, "count": 3}}
    changes = {**ALWAYS, "protocol.do": {"laser": train}, "cameras.top.frames": "newest"}
    changes["protocol"] = {"type": "conditional", "when": "always", "do": {"laser": train}}
    session = run_here(tmp_path, changes)
    assert session.output_levels() == [1, 0] * 3


def test_ramp_of_a_config_is_in_the_events(tmp_path: Path) -> None:
    ramp = {"ramp": {"start": 0.5, "to": 2, "ms": 20}}
    changes = {
        **ALWAYS,
        "outputs.laser": {"driver": "sim"},
        "protocol": {"type": "conditional", "when": "always", "do": {"laser": ramp}},
    }
    events = run_here(tmp_path, changes).events
    levels = events[events["event"] == "level"]
    assert list(levels["value"]) == [500, 2000]
    assert list(levels["cause"]) == ["protocol", "timer"]


# --- beside the loop ---


def test_output_beside_the_loop_has_a_delay_of_its_own(tmp_path: Path, receiver: socket.socket) -> None:
    port = receiver.getsockname()[1]
    session = run_here(tmp_path, {"outputs.laser": {"driver": "udp", "port": port, "high": "H", "low": "L"}})
    events = session.events
    edges = events[events["event"] == "output"]
    received = [receiver.recv(10) for _ in range(len(edges))]
    assert b"".join(received).lstrip(b"L").startswith(b"HLHL")
    assert (events["event"] == "confirmed").sum() >= len(edges) - 1
    latency = json.loads((session.folder / "latency.json").read_text())
    assert latency["outputs"]["laser"]["acted->confirmed"]["n"] > 0


def test_output_beside_the_loop_goes_safe_after_kill_9(tmp_path: Path, receiver: socket.socket) -> None:
    output = {"driver": "udp", "port": receiver.getsockname()[1], "high": "H", "low": "L"}
    with Process(write_rig(tmp_path, {**ENDLESS, **ALWAYS, "outputs.laser": output})) as process:
        while receiver.recv(10) != b"H":
            pass
        process.kill()
    assert receiver.recv(10) == b"L"


def test_process_of_an_output_that_dies_ends_the_session(tmp_path: Path, receiver: socket.socket) -> None:
    output = {"driver": "udp", "port": receiver.getsockname()[1]}
    with Process(write_rig(tmp_path, {**ENDLESS, "outputs.laser": output})) as process:
        process.wait_for_frames(10)
        process.host("beside").kill()
        ended = process.end()
    assert ended.code == 2
    assert "laser" in ended.complaint and "code -9" in ended.complaint


def test_output_that_cannot_be_opened_is_said_before_the_start(tmp_path: Path) -> None:
    pytest.importorskip("zmq")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        endpoint = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(OutputError, match=r"outputs\.laser: .*cannot be bound"):
            run_here(tmp_path, {"outputs.laser": {"driver": "zmq", "endpoint": endpoint}})
    assert not list(tmp_path.glob("sessions/*"))


def test_poses_as_datagrams(tmp_path: Path, receiver: socket.socket) -> None:
    streams = {"out": {"driver": "udp", "port": receiver.getsockname()[1], "every": 2}}
    session = run_here(tmp_path, {"streams": streams})
    report = session.json["streams"]["out"]
    assert report["sent"] + report["lost"] == 60 and report["error"] is None
    message = json.loads(receiver.recv(65535))
    (animal,) = message["keypoints"].values()
    assert len(animal["snout"]) == 3
    frame = session.frames.set_index("frame_id").loc[message["frame_id"]]
    assert frame["exposure_start_ns"] == message["exposure_start_ns"]


def test_lsl_pose_stream_is_stamped_with_the_exposure(tmp_path: Path) -> None:
    pylsl = pytest.importorskip("pylsl")
    changes = {**ENDLESS, "streams": {"out": {"driver": "lsl", "name": "fastpose_test_poses"}}}
    with Process(write_rig(tmp_path, changes)) as process:
        process.wait_for_frames(10)
        (found,) = pylsl.resolve_byprop("name", "fastpose_test_poses", timeout=30)
        inlet = pylsl.StreamInlet(found)
        sample, stamp_s = inlet.pull_sample(timeout=30)
        assert len(sample) == found.channel_count() and found.channel_count() % 3 == 0
        assert 0 < pylsl.local_clock() - stamp_s < 30
        process.signal(signal.SIGINT)
        process.end()


# --- the watchdog and the stop ---


def test_stop_command_makes_safe_and_ends_the_session(tmp_path: Path, board: _core.FirmwareSimulator) -> None:
    changes = {**ENDLESS, **ALWAYS, "outputs.laser": firmware_laser(board)}
    with Process(write_rig(tmp_path, changes)) as process:
        folder = process.wait_for_frames(10)
        process.wait_for(lambda: board.level(PIN) > 0)
        done = subprocess.run(
            [sys.executable, "-m", "fastpose", "stop", str(process.pid)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert f"process {process.pid}: outputs safe after" in done.stdout
        assert soon(lambda: board.level(PIN) == 0)
        ended = process.end()
    assert ended.code == 0
    session = Session(folder)
    assert session.json["ended"] == "stopped"
    stops = session.events[session.events["event"] == "stop"]
    assert list(stops["name"]) == ["emergency"]


def test_stop_command_without_a_session() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fastpose", "stop", "1"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no session" in done.stderr


def test_space_bar_in_the_terminal_stops(tmp_path: Path) -> None:
    import pty

    config = write_rig(tmp_path, {**ENDLESS, **ALWAYS})
    pid, terminal = pty.fork()
    if pid == 0:  # the child: a terminal of its own, as a user has it
        os.chdir(tmp_path)
        os.execv(sys.executable, [sys.executable, "-m", "fastpose.run", str(config)])
    shown = b""
    while b"emergency stop" not in shown:
        shown += os.read(terminal, 4096)
    os.write(terminal, b"x")
    os.write(terminal, b" ")
    while True:
        try:
            if not os.read(terminal, 4096):
                break
        except OSError:  # the session has ended and closed it
            break
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(terminal)
    (folder,) = (tmp_path / "sessions").iterdir()
    assert Session(folder).json["ended"] == "stopped"


def test_poses_that_stop_coming_make_the_outputs_safe(tmp_path: Path) -> None:
    gap = {
        **ALWAYS,
        "safety": {"max_pose_gap_ms": 60},
        "cameras.top.rate_hz": 5,
        "cameras.top.frames_total": 6,
    }
    session = run_here(tmp_path, gap)  # 200 ms from pose to pose
    stops = list(session.events.loc[session.events["event"] == "stop", "name"])
    assert stops[:4] == ["no_poses", "poses_back"] * 2
    assert session.output_levels()[:2] == [1, 0]

"""The thread of a Python protocol: every pose in order, errors in one line, an end even where it hangs."""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastpose.protocol_host as host_module
from fastpose import Outputs, Pose, Protocol
from fastpose.config import PythonProtocol
from fastpose.errors import ConfigError
from fastpose.protocol_host import ProtocolHost, load_protocol


class FakeEngine:
    """Hands out poses that were put in; remembers faults and commands."""

    def __init__(self, count: int = 0) -> None:
        self.waiting: deque[int] = deque(range(count))
        self.faults: list[tuple[str, str]] = []
        self.commands: list[tuple[int, str, float]] = []

    def next_pose(self, timeout_ms: float, _camera: int) -> tuple[Any, ...] | None:
        return (self.waiting.popleft(),) if self.waiting else None

    def post_fault(self, kind: str, text: str) -> None:
        self.faults.append((kind, text))

    def command(self, output: int, action: str, duration_ms: float) -> tuple[bool, bool, bool, int]:
        self.commands.append((output, action, duration_ms))
        return (True, False, False, 1)


def pose_from(sample: tuple[Any, ...]) -> Pose:
    return Pose(np.zeros((1, 2, 3), np.float32), ("snout", "center"), frame_id=sample[0])


def host_of(protocol: Protocol, engine: FakeEngine) -> ProtocolHost:
    outputs = Outputs(("laser", "light"), engine.command)
    return ProtocolHost(protocol, engine, outputs, pose_from)  # type: ignore[arg-type]


def run(protocol: Protocol, engine: FakeEngine) -> ProtocolHost:
    host = host_of(protocol, engine)
    host.start()
    host.join()
    return host


class Notes(Protocol):
    """Remembers what it was called with."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.threads: set[str] = set()

    def on_start(self, outputs: Outputs) -> None:
        self.calls.append("start")

    def on_pose(self, pose: Pose, outputs: Outputs) -> None:
        self.calls.append(pose.frame_id)
        self.threads.add(threading.current_thread().name)

    def on_stop(self) -> None:
        self.calls.append("stop")


def test_every_pose_in_order_between_start_and_stop() -> None:
    notes, engine = Notes(), FakeEngine(100)
    host = run(notes, engine)
    assert notes.calls == ["start", *range(100), "stop"]
    assert notes.threads == {"fp-protocol"}
    assert (host.error, host.error_text, host.traceback, host.undelivered, engine.faults) == (
        None,
        "",
        "",
        0,
        [],
    )


def test_poses_that_wait_too_long_after_the_end_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_module, "GRACE_S", -1.0)
    released = threading.Event()

    class Slow(Notes):
        def on_pose(self, pose: Pose, outputs: Outputs) -> None:
            super().on_pose(pose, outputs)
            released.wait()

    slow, engine = Slow(), FakeEngine(10)
    host = host_of(slow, engine)
    host.start()
    while 0 not in slow.calls:
        pass
    threading.Timer(0.05, released.set).start()
    host.join()
    host._thread.join()
    assert slow.calls == ["start", 0, "stop"]
    assert host.undelivered == 9


def test_a_call_that_hangs_is_left_behind_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_module, "GRACE_S", 0.01)
    monkeypatch.setattr(host_module, "PATIENCE_S", 0.04)
    released = threading.Event()

    class Hanging(Notes):
        def on_pose(self, pose: Pose, outputs: Outputs) -> None:
            released.wait()

    host = host_of(Hanging(), FakeEngine(1))
    host.start()
    host.join()
    host.join()
    assert host.complaints == ["protocol Hanging did not return within 0.04 s and was left behind"]
    released.set()


@pytest.mark.parametrize("method", ["on_start", "on_pose", "on_stop"])
def test_an_exception_is_a_fault_in_one_line(method: str) -> None:
    def fail(self: Protocol, *_: object) -> None:
        raise ValueError("the lick\nsensor is gone")

    broken = type("Broken", (Notes,), {method: fail})()
    engine = FakeEngine(3)
    host = run(broken, engine)
    line = "protocol Broken raised ValueError: the lick sensor is gone (test_protocol_host.py, line "
    ((kind, text),) = engine.faults
    assert kind == "FastposeError"
    assert text.startswith(line)
    assert host.error_text == text
    assert "raise ValueError" in host.traceback


def test_sys_exit_in_a_protocol_is_a_fault_too() -> None:
    class Exits(Notes):
        def on_pose(self, pose: Pose, outputs: Outputs) -> None:
            raise SystemExit(3)

    engine = FakeEngine(1)
    assert "Exits raised SystemExit: 3" in run(Exits(), engine).error_text
    assert len(engine.faults) == 1


def test_a_protocol_without_on_pose_says_what_is_missing() -> None:
    engine = FakeEngine(1)
    assert "Protocol has no on_pose(pose, outputs)" in run(Protocol(), engine).error_text


def test_outputs_by_name() -> None:
    class Drives(Protocol):
        def on_pose(self, pose: Pose, outputs: Outputs) -> None:
            assert outputs.names == ("laser", "light")
            assert outputs.pulse("light", 7.5)
            outputs.on("laser")
            outputs.off("laser")

    engine = FakeEngine(1)
    assert run(Drives(), engine).error is None
    assert engine.commands == [(1, "pulse", 7.5), (0, "on", 0.0), (0, "off", 0.0)]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda outputs: outputs.on("lazer"), "KeyError: \"no output 'lazer'; the config has laser, light\""),
        (lambda outputs: outputs.pulse("laser", 0), "ValueError: pulse_ms is 0; allowed: a number above 0"),
        (lambda outputs: outputs.pulse("laser", float("nan")), "ValueError: pulse_ms is nan"),
    ],
)
def test_a_wrong_command_is_said(call: Any, text: str) -> None:
    wrong = type("Wrong", (Notes,), {"on_pose": lambda self, pose, outputs: call(outputs)})()
    assert text in run(wrong, FakeEngine(1)).error_text


def spec(folder: Path, code: str, name: str = "Mine") -> PythonProtocol:
    (folder / "mine.py").write_text(code)
    return PythonProtocol(type="python", path=f"{folder}/mine.py:{name}")


def test_a_class_is_loaded_from_its_file(tmp_path: Path) -> None:
    code = "import fastpose as fp\nclass Mine(fp.Protocol):\n    limit = 3\n"
    assert load_protocol(spec(tmp_path, code)).limit == 3  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("code", "name", "text"),
    [
        ("x = 1/0", "Mine", "importing it raised ZeroDivisionError: division by zero"),
        ("import nonsense_module", "Mine", "importing it raised ModuleNotFoundError"),
        ("def (", "Mine", "importing it raised SyntaxError"),
        ("class Mine: pass", "Mine", "Mine is no subclass of fastpose.Protocol there; allowed: none"),
        ("from fastpose import Protocol\nclass Other(Protocol): pass", "Mine", "allowed: Other"),
        (
            "from fastpose import Protocol\nclass Mine(Protocol):\n    def __init__(self): self.x = {}['y']",
            "Mine",
            "protocol Mine cannot be made: KeyError: 'y'",
        ),
        (
            "from fastpose import Protocol\nclass Mine(Protocol):\n    def __init__(self, a): pass",
            "Mine",
            "protocol Mine cannot be made: TypeError",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(tmp_path: Path, code: str, name: str, text: str) -> None:
    with pytest.raises(ConfigError) as info:
        load_protocol(spec(tmp_path, code, name))
    assert text in str(info.value)
    assert len(info.value.lines) == 1


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_protocol(PythonProtocol(type="python", path=f"{tmp_path}/gone.py:Mine"))

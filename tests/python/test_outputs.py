"""Serial lines, the interlock and protocols as Python sees them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fastpose import _core
from fastpose.errors import ConfigError, OutputError

MS = 1_000_000


class Device:
    """The far end of a pseudo-terminal: what a microcontroller on the port would receive."""

    def __init__(self) -> None:
        self._device, port = os.openpty()
        self.path = os.ttyname(port)
        os.close(port)

    def read(self, count: int) -> bytes:
        received = b""
        while len(received) < count:
            received += os.read(self._device, count - len(received))
        return received

    def unplug(self) -> None:
        os.close(self._device)
        self._device = -1

    def close(self) -> None:
        if self._device >= 0:
            self.unplug()


@pytest.fixture
def device() -> Iterator[Device]:
    device = Device()
    yield device
    device.close()


def next_event(interlock: _core.Interlock) -> _core.InterlockEvent:
    for _ in range(10_000):
        event = interlock.poll_event()
        if event is not None:
            return event
        time.sleep(0.001)
    raise AssertionError("no event came")


def test_serial_line_sends_its_bytes(device: Device) -> None:
    port = _core.SerialPort(device.path, baud=9600)
    line = _core.SerialOutput(port, high=b"\x00\n\xff", low=b"\r")
    assert line.write(True)
    assert line.write(False)
    assert device.read(4) == b"\x00\n\xff\r"
    assert device.path in line.description
    assert (port.path, port.baud) == (device.path, 9600)


def test_port_that_does_not_exist() -> None:
    with pytest.raises(OutputError, match=r"/dev/ttyNotThere0.*No such file") as raised:
        _core.SerialPort("/dev/ttyNotThere0")
    assert isinstance(raised.value, OSError)
    assert "\n" not in str(raised.value)


def test_port_that_is_no_terminal(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("text")
    with pytest.raises(OutputError, match="Inappropriate ioctl"):
        _core.SerialPort(str(path))


def test_port_that_is_busy(device: Device) -> None:
    port = _core.SerialPort(device.path)
    with pytest.raises(OutputError, match="busy"):
        _core.SerialPort(device.path)
    del port
    _core.SerialPort(device.path)


def test_port_that_disappears(device: Device) -> None:
    line = _core.SerialOutput(_core.SerialPort(device.path), high=b"H", low=b"L")
    interlock = _core.Interlock([_core.OutputLine("laser", line)])
    interlock.arm()
    device.unplug()
    assert interlock.on(0).failed
    assert not interlock.armed
    assert interlock.faulty_line == 0
    assert "laser" in interlock.fault_message
    with pytest.raises(OutputError, match="laser"):
        interlock.arm()


def test_baud_that_is_not_there(device: Device) -> None:
    with pytest.raises(OutputError, match=r"12345.*115200"):
        _core.SerialPort(device.path, baud=12345)


def test_levels_must_differ(device: Device) -> None:
    with pytest.raises(OutputError, match="different"):
        _core.SerialOutput(_core.SerialPort(device.path), high=b"H", low=b"H")


def test_pulse_on_a_serial_line_from_rise_to_fall(device: Device) -> None:
    line = _core.SerialOutput(_core.SerialPort(device.path), high=b"H", low=b"L")
    interlock = _core.Interlock([_core.OutputLine("laser", line, max_on_ns=5_000 * MS)])
    interlock.arm()
    rise = interlock.pulse(0, 2 * MS)
    assert rise.changed
    assert device.read(4) == b"LLHL"  # safe in set-up, safe when armed, then the pulse
    events = [next_event(interlock), next_event(interlock)]
    assert [(event.cause, event.high) for event in events] == [("user", True), ("timer", False)]
    assert events[1].stamp_ns - rise.stamp_ns >= 2 * MS


def test_limits_refuse_and_force() -> None:
    line = _core.SimOutput("laser")
    interlock = _core.Interlock([_core.OutputLine("laser", line, max_on_ns=MS, max_rate_hz=0.01)])
    assert interlock.on(0).refused  # not armed
    interlock.arm()
    assert interlock.on(0).changed
    events = [next_event(interlock) for _ in range(3)]
    assert [event.cause for event in events] == ["user", "user", "interlock"]
    assert not interlock.high(0)
    interlock.off(0)
    assert interlock.on(0).refused  # too soon after the last rising edge
    assert (interlock.rising_edges(0), interlock.forced_low(0), interlock.refused(0)) == (1, 1, 2)


def test_lines_are_safe_when_the_interlock_goes() -> None:
    line = _core.SimOutput("laser")
    interlock = _core.Interlock([_core.OutputLine("laser", line, safe_high=True)])
    interlock.arm()
    interlock.off(0)
    assert not line.high
    del interlock
    assert line.high


def pose(*keypoints: tuple[float, float, float]) -> np.ndarray:
    return np.array([keypoints], np.float32)  # (1, K, 3)


NOBODY = pose((np.nan, np.nan, 0.0))


def test_conditional_protocol_follows_a_rule() -> None:
    protocol = _core.ConditionalProtocol(rule=0, actions=[(0, "follow", 0), (1, "pulse", 10 * MS)])
    rise = protocol.step(NOBODY, [1])
    assert [(c.output, c.action, c.duration_ns) for c in rise.commands] == [
        (0, "on", 0),
        (1, "pulse", 10 * MS),
    ]
    assert protocol.step(NOBODY, [1]).commands == []
    assert [(c.output, c.action) for c in protocol.step(NOBODY, [0]).commands] == [(0, "off")]


@pytest.mark.parametrize("suppress", [True, False])
def test_late_reaction(suppress: bool) -> None:
    protocol = _core.ConditionalProtocol(
        rule=0, actions=[(3, "on", 0)], deadline_ns=20 * MS, suppress_late=suppress
    )
    decision = protocol.step(NOBODY, [1], exposure_start_ns=MS, now_ns=22 * MS)
    assert decision.late
    assert decision.suppressed_outputs == (0b1000 if suppress else 0)
    assert len(decision.commands) == (0 if suppress else 1)


def test_unknown_action() -> None:
    with pytest.raises(ConfigError, match=r"toggle.*follow"):
        _core.ConditionalProtocol(rule=0, actions=[(0, "toggle", 0)])


def test_pose_of_the_wrong_shape() -> None:
    with pytest.raises(ConfigError, match="individuals, bodyparts, 3"):
        _core.NoProtocol().step(np.zeros((2, 3), np.float32), [])


def heading(degrees: float, likelihood: float = 1.0) -> np.ndarray:
    radians = np.deg2rad(degrees)
    return pose((100 + 10 * np.cos(radians), 100 + 10 * np.sin(radians), likelihood), (100, 100, likelihood))


@pytest.fixture
def turning() -> _core.PolicyProtocol:
    """The shipped example: pulses when the head turns faster than 90 degrees a second."""
    module = pytest.importorskip("fastpose.example_policy")
    return _core.PolicyProtocol(module.policy(rules=[], outputs=["reward"], bodyparts=["snout", "tailbase"]))


def test_compiled_policy_reacts(turning: _core.PolicyProtocol) -> None:
    headings_deg = [
        170,
        170.5,
        179.5,
        -172,
        -172,
    ]  # 100 Hz: 50, 900, 850 (across the cut at 180) and 0 degrees/s
    steps = [
        turning.step(heading(degrees), [], exposure_start_ns=(i + 1) * 10 * MS)
        for i, degrees in enumerate(headings_deg)
    ]
    assert [len(step.commands) for step in steps] == [0, 0, 1, 1, 0]
    assert [step.state for step in steps] == [0, 0, 1, 1, 0]
    command = steps[2].commands[0]
    assert (command.output, command.action, command.duration_ns) == (0, "pulse", 10 * MS)


def test_compiled_policy_passes_over_missing_keypoints(turning: _core.PolicyProtocol) -> None:
    turning.step(heading(0), [], exposure_start_ns=10 * MS)
    assert turning.step(heading(90, 0.1), [], exposure_start_ns=20 * MS).commands == []
    assert turning.step(heading(np.nan), [], exposure_start_ns=30 * MS).commands == []
    assert len(turning.step(heading(90), [], exposure_start_ns=40 * MS).commands) == 1


def test_compiled_policy_starts_anew_after_reset(turning: _core.PolicyProtocol) -> None:
    turning.step(heading(0), [], exposure_start_ns=10 * MS)
    turning.reset()
    assert turning.step(heading(90), [], exposure_start_ns=20 * MS).commands == []


def test_policy_needs_a_capsule_of_its_kind() -> None:
    import datetime

    with pytest.raises(ValueError, match="PyCapsule"):
        _core.PolicyProtocol(datetime.datetime_CAPI)

"""Tests of fastpose.hosts.pylon_lines: user outputs of an emulated camera, as the interlock commands them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from basler import emulated, grabbing, make_ring, shared_name, wait_until
from fastpose import _core
from fastpose.errors import CameraError
from fastpose.hosts.pylon_camera import BaslerCamera
from fastpose.hosts.pylon_lines import LineServer
from fastpose.hosts.pylon_options import Line

LINES = (Line("led", "Line2"), Line("laser", "Line3"))


@dataclass
class Bench:
    """Two lines: led is safe when low, laser when high."""

    block: _core.HostedLines
    server: LineServer
    camera: BaslerCamera
    led: _core.HostedOutput
    laser: _core.HostedOutput

    def level(self, line: int) -> bool:
        self.camera.nodes.set_feature("UserOutputSelector", f"UserOutput{line + 1}")
        return self.camera.nodes.text("UserOutputValue") == "1"


@pytest.fixture
def bench() -> Iterator[Bench]:
    block = _core.HostedLines.create(shared_name(), safe_high=[False, True])
    server, camera = LineServer(block.name), BaslerCamera(emulated(lines=LINES))
    led, laser = (
        _core.HostedOutput(block, i, description=LINES[i].name, timeout_ms=20_000) for i in range(2)
    )
    camera.open(server.levels)
    server.connect(camera.write_line)
    yield Bench(block, server, camera, led, laser)
    camera.close()


def test_lines_begin_safe(bench: Bench) -> None:
    assert not bench.level(0) and bench.level(1)


def test_a_write_is_done_when_it_returns(bench: Bench) -> None:
    with bench.server:
        for high in (True, False, True):
            assert bench.led.write(high) and bench.laser.write(not high)
            assert bench.level(0) == high and bench.level(1) != high


def test_behind_the_interlock(bench: Bench) -> None:
    with bench.server:
        line = _core.OutputLine("led", bench.led, max_on_ns=5_000_000_000)
        interlock = _core.Interlock([line])
        interlock.arm()
        assert interlock.on(0).changed and bench.level(0)
        interlock.to_safe()
        assert not bench.level(0)


def test_what_was_commanded_before_is_carried_out_first(bench: Bench) -> None:
    """The interlock writes the safe levels before the camera's process is there."""
    assert bench.led.write(True)  # noted only
    with bench.server:
        wait_until(lambda: bench.level(0))


def test_a_refusal_of_the_camera_is_a_failed_write(bench: Bench) -> None:
    def refuse(line: int, high: bool) -> None:
        raise CameraError("line Line2: the register is gone")

    with bench.server:
        assert bench.led.write(True)
        bench.server._write = refuse
        assert not bench.led.write(False)
        assert bench.led.error == "line Line2: the register is gone"


def test_while_the_camera_is_gone_only_its_safe_level_passes(bench: Bench) -> None:
    with bench.server:
        assert bench.led.write(True)
        bench.server.disconnect()
        assert not bench.level(0)  # safe, as far as it can be
        assert bench.led.write(False) and not bench.led.write(True)
        assert bench.led.error == "the camera is gone"
        bench.camera.close()
        bench.camera.open(bench.server.levels)
        bench.server.connect(bench.camera.write_line)
        assert not bench.level(0) and bench.led.write(True) and bench.level(0)


def test_after_the_end_each_write_fails_at_once(bench: Bench) -> None:
    with bench.server:
        assert bench.led.write(True)
    begin = time.monotonic()
    assert not bench.led.write(True) and time.monotonic() - begin < 15
    assert bench.led.error == "the camera is closed"


def test_an_engine_that_is_gone_leaves_safe_lines(bench: Bench) -> None:
    class Orphaned:
        """The block, as it looks when its creator was killed."""

        def __getattr__(self, name: str) -> object:
            return getattr(bench.server_lines, name)

        def creator_alive(self) -> bool:
            return False

    with bench.server:
        assert bench.led.write(True) and bench.laser.write(False)
        bench.server_lines = bench.server._lines
        bench.server._lines = Orphaned()
        wait_until(lambda: not bench.level(0) and bench.level(1))


def test_with_frames_beside_them() -> None:
    block = _core.HostedLines.create(shared_name(), safe_high=[False, True])
    led = _core.HostedOutput(block, 0, description="led", timeout_ms=20_000)
    ring = make_ring(frames="newest")
    server = LineServer(block.name)
    with server, grabbing(emulated(lines=LINES), ring, lines=server) as running:
        for index in range(50):
            assert led.write(index % 2 == 0)
        running.skip(20)
    assert running.error is None

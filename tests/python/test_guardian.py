"""The guardian: lines go safe when the main process is killed, and only then."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastpose.errors import OutputError
from fastpose.guardian import GuardedPort, Guardian

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="serial ports need Linux")


@pytest.fixture
def device() -> Iterator[tuple[int, str]]:
    """The far end of a pseudo-terminal and the path of its port."""
    far_end, port = os.openpty()
    path = os.ttyname(port)
    os.close(port)
    yield far_end, path
    os.close(far_end)


def received(far_end: int, wait_s: float = 10.0, *, count: int = 1) -> bytes:
    """What has arrived once there are `count` bytes, or when time is over; a port may deliver in pieces."""
    data, deadline = b"", time.monotonic() + wait_s
    while len(data) < count:
        left = max(0.0, deadline - time.monotonic())
        if not select.select([far_end], [], [], left)[0]:
            break
        try:
            data += os.read(far_end, 100)
        except OSError:  # the port was closed and nothing is left to read
            break
    return data


def start_rig(script: str, *arguments: str) -> subprocess.Popen[str]:
    """A main process that holds a line high, says so, and waits."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("high"), process.communicate()[1]
    return process


def end(process: subprocess.Popen[str]) -> str:
    """Collect a process and its guardian, which holds the same standard error."""
    return process.communicate(timeout=30)[1]


RIG = """
    import sys
    from fastpose import _core
    from fastpose.guardian import GuardedPort, Guardian

    port = _core.SerialPort(sys.argv[1])
    guardian = Guardian([GuardedPort(port.path, b"L", baud=port.baud, file_descriptor=port.fileno())])
    interlock = _core.Interlock([_core.OutputLine("laser", _core.SerialOutput(port, high=b"H", low=b"L"))])
    interlock.arm()
    interlock.on(0)
    print("high", guardian.pid, flush=True)
    sys.stdin.read()
    interlock.to_safe()
    guardian.release()
"""


def test_killed_process_leaves_its_line_safe(device: tuple[int, str]) -> None:
    far_end, path = device
    process = start_rig(RIG, path)
    assert received(far_end, count=3) == b"LLH"
    process.kill()
    assert received(far_end) == b"L"
    assert f"{path} put into its safe state" in end(process)


def test_guardian_is_silent_after_goodbye(device: tuple[int, str]) -> None:
    far_end, path = device
    process = start_rig(RIG, path)
    assert received(far_end, count=3) == b"LLH"
    assert process.stdin is not None
    process.stdin.close()
    process.stdin = None
    assert end(process) == ""
    assert process.returncode == 0
    assert received(far_end) == b"L"  # by the interlock, once
    assert received(far_end, 0) == b""


def test_killing_the_whole_group_spares_the_guardian(device: tuple[int, str]) -> None:
    far_end, path = device
    process = start_rig(RIG, path)
    assert received(far_end, count=3) == b"LLH"
    os.killpg(process.pid, signal.SIGKILL)
    assert received(far_end) == b"L"
    end(process)


def test_another_child_that_holds_the_pipe_does_not_hide_the_death(device: tuple[int, str]) -> None:
    if not hasattr(os, "pidfd_open"):
        pytest.skip("this Python has no process handles")
    far_end, path = device
    forks = RIG.replace(
        "    print(",
        "    import os, time\n"
        "    if os.fork() == 0:\n"
        "        os.closerange(0, 3)\n"
        "        time.sleep(5)\n"
        "        os._exit(0)\n"
        "    print(",
    )
    process = start_rig(forks, path)
    assert received(far_end, count=3) == b"LLH"
    process.kill()
    assert received(far_end, 4) == b"L"
    end(process)


def test_guardian_opens_a_port_by_its_name(device: tuple[int, str]) -> None:
    far_end, path = device
    script = """
        import sys
        from fastpose import _core
        from fastpose.guardian import GuardedPort, Guardian

        guardian = Guardian([GuardedPort(sys.argv[1], b"stop")])  # before the port is exclusive
        port = _core.SerialPort(sys.argv[1])
        print("high", flush=True)
        sys.stdin.read()
    """
    process = start_rig(script, path)
    process.kill()
    assert received(far_end, count=4) == b"stop"
    end(process)


def test_port_that_cannot_be_opened_is_said_at_the_start() -> None:
    with pytest.raises(OutputError, match=r"/dev/ttyNotThere0 cannot be opened: No such file"):
        Guardian([GuardedPort("/dev/ttyNotThere0", b"L")])


def test_without_ports_there_is_no_process() -> None:
    with Guardian([]) as guardian:
        assert guardian.pid is None
        assert guardian.alive


def test_dead_guardian_is_noticed_and_released(device: tuple[int, str]) -> None:
    guardian = Guardian([GuardedPort(device[1], b"L")])
    assert guardian.alive
    assert guardian.pid is not None
    os.kill(guardian.pid, signal.SIGKILL)
    os.waitid(os.P_PID, guardian.pid, os.WEXITED | os.WNOWAIT)
    assert not guardian.alive
    guardian.release()
    guardian.release()


def test_guardian_imports_the_standard_library_only() -> None:
    import fastpose.guardian

    path = str(Path(fastpose.guardian.__file__).resolve())
    listing = f"import runpy, sys; sys.argv = ['g', '[]']; runpy.run_path({path!r}); print(*sys.modules)"
    finished = subprocess.run(
        [sys.executable, "-I", "-S", "-c", listing], capture_output=True, text=True, check=True
    )
    top = {name.partition(".")[0] for name in finished.stdout.split()}
    assert top <= set(sys.stdlib_module_names) | {"__main__", "__mp_main__"}


def test_ports_survive_the_command_line() -> None:
    port = GuardedPort("/dev/ttyACM0", bytes(range(256)), baud=9600, file_descriptor=7)
    again = GuardedPort.from_json(port.to_json())
    assert vars(again) == vars(port)


@pytest.mark.parametrize("last_word", [b"q", b""])
def test_main_as_a_module(device: tuple[int, str], last_word: bytes) -> None:
    far_end, path = device
    ports = json.dumps([{"port": path, "baud": 9600, "safe_bytes": b"L".hex()}])
    finished = subprocess.run(
        [sys.executable, "-m", "fastpose.guardian", ports],
        input=last_word,
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert finished.stdout == b"ready\n"
    assert finished.returncode == (0 if last_word else 3)
    assert received(far_end, 0) == (b"" if last_word else b"L")

"""The device at the other end of a pseudo-terminal: device.c, compiled when it is needed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Device", "listening"]

PRIORITY = 71  # above the engine's: a real device does not wait for this machine's cores
SOURCE = Path(__file__).with_name("device.c")
_TIMEOUT_S = 60


class Device:
    """The engine's end of the line."""

    def __init__(self, path: str, process: subprocess.Popen[str]) -> None:
        self.path, self._process = path, process

    def stop(self) -> list[tuple[int, int]]:
        """(ns, byte) of each byte that was read, in their order."""
        said, _ = self._process.communicate(timeout=_TIMEOUT_S)
        return [(int(at), int(byte)) for at, byte in map(str.split, said.splitlines())]


@contextmanager
def listening() -> Iterator[Device]:
    """Within, a device listens at the path that it has.

    Raises
    ------
    RuntimeError
        There is no C compiler.
    """
    far_end, near_end = os.openpty()
    with tempfile.TemporaryDirectory(prefix="fastpose-device-") as folder:
        process = _start(_compiled(Path(folder)), far_end)
        try:
            assert process.stdout is not None
            process.stdout.readline()  # it is ready
            yield Device(os.ttyname(near_end), process)
        finally:
            process.kill()
            process.wait()
            os.close(near_end)
            os.close(far_end)


def _compiled(folder: Path) -> Path:
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None:
        raise RuntimeError("the device of this bench is a C program, and there is no C compiler (cc)")
    program = folder / "device"
    subprocess.run([compiler, "-O2", str(SOURCE), "-o", str(program)], check=True)
    return program


def _start(program: Path, far_end: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(program), str(far_end), str(PRIORITY)],
        pass_fds=(far_end,),
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )

"""The fake GigE camera that comes with Aravis, as a process on the loopback."""

from __future__ import annotations

import shutil
import subprocess
import time
from types import TracebackType

import pytest
from typing_extensions import Self

PROGRAM = "arv-fake-gv-camera-0.8"


class FakeGigeCamera:
    """Plugged in for a with block; one at a time, for it takes the control port of GigE Vision."""

    def __init__(self, serial: str, *, lost_per_thousand: int = 0) -> None:
        if shutil.which(PROGRAM) is None:
            pytest.skip(f"no {PROGRAM}: apt-get install aravis-tools")
        self.serial = serial
        self._command = [PROGRAM, "-i", "127.0.0.1", "-s", serial, "-r", str(lost_per_thousand)]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.plug_in()
        time.sleep(0.3)
        if self._process is None or self._process.poll() is not None:
            pytest.skip("another fake GigE camera has the port of the loopback")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.unplug()

    def plug_in(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def unplug(self) -> None:
        """Without a good-bye, as a cable does it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

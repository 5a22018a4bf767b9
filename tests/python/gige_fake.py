"""The fake GigE camera that comes with Aravis, as a process on the loopback."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

import pytest
from typing_extensions import Self

PROGRAM = "arv-fake-gv-camera-0.8"
LOCK = Path(tempfile.gettempdir()) / "fastpose-fake-gige.lock"


class FakeGigeCamera:
    """Plugged in for a with block; one at a time, for it takes the control port of GigE Vision."""

    def __init__(self, serial: str, *, lost_per_thousand: int = 0) -> None:
        if shutil.which(PROGRAM) is None:
            pytest.skip(f"no {PROGRAM}: apt-get install aravis-tools")
        self.serial = serial
        with_us = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        self._command = [*with_us, PROGRAM, "-i", "127.0.0.1", "-s", serial, "-r", str(lost_per_thousand)]
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = LOCK.open("w")  # two would share the port, and answer for each other

    def __enter__(self) -> Self:
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        self.plug_in()
        time.sleep(0.3)
        assert self._process is not None and self._process.poll() is None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.unplug()
        self._turn.close()

    def plug_in(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def unplug(self) -> None:
        """Without a good-bye, as a cable does it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

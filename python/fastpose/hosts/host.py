"""A handle on a hosted process: start it, wait until it is ready, stop it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from fastpose.errors import FastposeError
from fastpose.hosts.common import HostState

__all__ = ["Host"]


class Host:
    """A process over the frame ring, in a group of its own: Ctrl-C ends it only through the engine.

    Parameters
    ----------
    module : str
        Run as ``python -m module '<json>'``.
    options : mapping
        Becomes the JSON.
    stderr_path : path
        Takes what the process writes to stderr.
    error : type of FastposeError
        Raised when the process fails to start.
    """

    def __init__(
        self,
        module: str,
        options: Mapping[str, Any],
        *,
        stderr_path: str | os.PathLike[str],
        error: type[FastposeError],
    ) -> None:
        self._module, self._error, self._stderr_path = module, error, Path(stderr_path)
        self._changed = threading.Condition()
        self._state: HostState = "starting"
        self._text = ""
        self._silent = False  # its stdout has ended
        with self._stderr_path.open("ab") as log, _interrupt_held_back():
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, json.dumps(options)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._process.stdout is not None
        self._listener = threading.Thread(
            target=self._listen, args=(self._process.stdout,), name=module, daemon=True
        )
        self._listener.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Exit code, None while it runs."""
        return self._process.poll()

    @property
    def state(self) -> HostState:
        """What the process last said of itself."""
        return self._state

    @property
    def text(self) -> str:
        """The summary when finished, the reason when failed."""
        return self._text

    def wait_ready(self, timeout_s: float = 30.0) -> None:
        """Block until the process is ready.

        Raises
        ------
        FastposeError
            Of the type given to the constructor: it failed, ended, or was not ready in time.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._state != "starting" or self._silent, timeout_s)
            if self._state == "failed":
                raise self._error(self._text)
            if self._state == "starting":
                raise self._error(f"{self._module} {self._why(timeout_s)}; see '{self._stderr_path}'")

    def wait(self, timeout_s: float) -> bool:
        """Wait for the process to end by itself; False if it has not."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        self._listener.join(1.0)
        return True

    def kill(self) -> None:
        """End the process at once; its exit code follows."""
        self._process.kill()

    def stop(self, timeout_s: float = 10.0) -> int | None:
        """Ask the process to end, kill it after the timeout.

        Returns
        -------
        int or None
            Its exit code; None where the system does not end it, because a disk or driver holds it.
        """
        self._process.terminate()
        if not self.wait(timeout_s):
            self._process.kill()
            self.wait(timeout_s)
        return self._process.poll()

    def _why(self, timeout_s: float) -> str:
        deadline = time.monotonic() + 1.0
        while self._silent and self._process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        code = self._process.poll()
        if code is None:
            return f"was not ready after {timeout_s:g} s"
        return f"ended with code {code} before it was ready"

    def _listen(self, stdout: IO[str]) -> None:
        with stdout:
            for line in stdout:
                self._take_in(line)
        with self._changed:
            self._silent = True
            self._changed.notify_all()

    def _take_in(self, line: str) -> None:
        try:
            message = json.loads(line)
            state, text = message["state"], str(message["text"])
        except (ValueError, KeyError, TypeError):
            return  # a library that prints
        with self._changed:
            self._state, self._text = state, text
            self._changed.notify_all()


@contextlib.contextmanager
def _interrupt_held_back() -> Iterator[None]:
    """A process started within holds Ctrl-C back until it has left our group (`common.StopFlag`)."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

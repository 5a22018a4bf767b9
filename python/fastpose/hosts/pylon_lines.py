"""The lines of a Basler camera that are outputs of the experiment: the engine commands, this thread writes.

Note [lines of a camera]: a level is answered when the camera has it. While the camera is gone its safe level
is taken for written: nothing can be done, and it is the first that is written when the camera is back. Any
other level fails. When the engine's process is gone, and at the end, every line goes safe.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from fastpose import _core
from fastpose.errors import CameraError

__all__ = ["LineServer"]

_WAIT_MS = 50.0  # how soon the end of the engine's process is seen

Write = Callable[[int, bool], None]  # line, level; raises CameraError


class LineServer:
    """``with LineServer(block)``: serves one block of lines until the end.

    Parameters
    ----------
    name : str
        Of the block in shared memory.
    """

    def __init__(self, name: str) -> None:
        self._lines = _core.HostedLines.attach(name)
        self._levels = [self._lines.safe_high(line) for line in range(len(self._lines))]
        self._write: Write | None = None
        self._lock = threading.Lock()  # of the two above
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lines", daemon=True)

    def __enter__(self) -> LineServer:
        self._lines.serve()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._lines.end("the camera is closed")

    @property
    def levels(self) -> tuple[bool, ...]:
        """What the lines are to show."""
        return tuple(self._levels)

    def connect(self, write: Write) -> None:
        """The camera is open and shows `levels`; what was commanded meanwhile is written again."""
        with self._lock:
            self._write = write
            for line, high in enumerate(self._levels):
                write(line, high)

    def disconnect(self) -> None:
        """The camera is about to be closed, or gone: its lines go safe before, as far as they can."""
        self._make_safe()
        with self._lock:
            self._write = None

    def _run(self) -> None:
        while not self._ended.is_set():
            command = self._lines.next(_WAIT_MS)
            if command is not None:
                self._carry_out(*command)
            elif not self._lines.creator_alive():
                self._make_safe()
                return

    def _carry_out(self, line: int, high: bool, sequence: int) -> None:
        why = self._set(line, high)
        self._lines.answer(line, sequence, written=not why, why=why)

    def _set(self, line: int, high: bool) -> str:
        """Why it failed; empty: it is done."""
        with self._lock:
            if self._write is None:
                if high == self._lines.safe_high(line):
                    self._levels[line] = high
                    return ""
                return "the camera is gone"
            try:
                self._write(line, high)
            except CameraError as error:
                return str(error)
            self._levels[line] = high
            return ""

    def _make_safe(self) -> None:
        for line in range(len(self._levels)):
            self._set(line, self._lines.safe_high(line))

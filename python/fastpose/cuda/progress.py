"""What is shown while an engine is built, which takes seconds to minutes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

__all__ = ["Progress", "shown"]

Progress = Callable[[str, int, int], None]
"""Phase, steps done, steps in all; both 0 where the runtime does not say."""

_INTERVAL_S = 0.2
_CLEAR = "\r\x1b[K"


@contextmanager
def shown(what: str, stream: TextIO | None = None) -> Iterator[Progress]:
    """Say what is built and, at the end, how long it took; on a terminal also how far it is.

    Parameters
    ----------
    what : str
        Such as ``tensorrt engine of mouse (fp16, 1x3x302x658)``.
    stream : TextIO, optional
        Default: stderr.
    """
    out = stream or sys.stderr
    line = _Line(out, what)
    started_s = time.monotonic()
    print(f"fastpose: building {what}", file=out, flush=True)
    yield line.update
    line.clear()
    print(f"fastpose: built {what} in {time.monotonic() - started_s:.1f} s", file=out, flush=True)


class _Line:
    """The last line of a terminal, rewritten a few times a second; nothing elsewhere."""

    def __init__(self, out: TextIO, what: str) -> None:
        self._out, self._what, self._next_s = out, what, 0.0
        self._shows = out.isatty()

    def update(self, phase: str, done: int, total: int) -> None:
        now_s = time.monotonic()
        if self._shows and now_s >= self._next_s:
            self._next_s = now_s + _INTERVAL_S
            share = f" {done}/{total}" if total else ""
            self._out.write(f"{_CLEAR}  {phase}{share}")
            self._out.flush()

    def clear(self) -> None:
        if self._shows:
            self._out.write(_CLEAR)

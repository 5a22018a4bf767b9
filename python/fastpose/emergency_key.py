"""A key that stops at once: the space bar in the terminal of a running session."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
from collections.abc import Callable, Iterator

__all__ = ["emergency_key"]

_KEY = b" "
_WAIT_S = 0.1


@contextlib.contextmanager
def emergency_key(stop: Callable[[], None]) -> Iterator[bool]:
    """Within it the space bar calls `stop`, once, on a thread of its own; Ctrl-C still interrupts.

    Yields
    ------
    bool
        Whether there is a terminal to press it in.
    """
    descriptor = _terminal()
    if descriptor is None:
        yield False
        return
    import termios
    import tty

    before = termios.tcgetattr(descriptor)
    over = threading.Event()
    listener = threading.Thread(target=_listen, args=(descriptor, over, stop), name="key", daemon=True)
    try:
        tty.setcbreak(descriptor, termios.TCSANOW)
        listener.start()
        yield True
    finally:
        over.set()
        listener.join(1.0)
        with contextlib.suppress(termios.error):  # the terminal was closed
            termios.tcsetattr(descriptor, termios.TCSANOW, before)


def _terminal() -> int | None:
    """The standard input, where it is a terminal that this process may read from."""
    try:
        descriptor = sys.stdin.fileno()
        in_front = os.isatty(descriptor) and os.tcgetpgrp(descriptor) == os.getpgrp()
    except (OSError, ValueError, AttributeError):
        return None
    return descriptor if in_front else None


def _listen(descriptor: int, over: threading.Event, stop: Callable[[], None]) -> None:
    while not over.is_set():
        if not select.select([descriptor], [], [], _WAIT_S)[0]:
            continue
        try:
            keys = os.read(descriptor, 16)
        except OSError:
            return
        if not keys:
            return
        if _KEY in keys:
            stop()
            return

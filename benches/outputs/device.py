"""A device at the other end of a pseudo-terminal: a process that stamps each byte that it reads."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection

from benches.realtime import take_fifo

__all__ = ["Device", "listening"]

PRIORITY = 71  # above the engine's: a real device does not wait for this machine's cores


class Device:
    """What was read so far can be had once."""

    def __init__(self, path: str, ours: Connection) -> None:
        self.path, self._ours = path, ours

    def stop(self) -> list[tuple[int, int]]:
        """(ns, byte) of each byte, in their order."""
        self._ours.send("stop")
        found: list[tuple[int, int]] = self._ours.recv()
        return found


@contextmanager
def listening() -> Iterator[Device]:
    """Within, a device listens at the path that it has."""
    far_end, near_end = os.openpty()
    context = get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_read, args=(far_end, theirs), daemon=True)
    process.start()
    ours.recv()
    try:
        yield Device(os.ttyname(near_end), ours)
    finally:
        process.kill()
        process.join()
        os.close(near_end)
        os.close(far_end)


def _read(far_end: int, theirs: Connection) -> None:
    take_fifo(PRIORITY)
    os.set_blocking(far_end, False)
    found: list[tuple[int, int]] = []
    theirs.send("ready")
    while not theirs.poll():
        ready, _, _ = select.select([far_end, theirs.fileno()], [], [])
        if far_end in ready:
            now_ns = time.monotonic_ns()
            found += [(now_ns, byte) for byte in os.read(far_end, 64)]
    theirs.send(found)

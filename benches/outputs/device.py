"""A device at the other end of a pseudo-terminal: a process that stamps each byte that it reads.

Run as ``python -m benches.outputs.device FD``; it ends when its standard input does, and prints what it read.
A process of its own from the start: a fork of one that has threads may hang.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benches.realtime import take_fifo

__all__ = ["Device", "listening"]

PRIORITY = 71  # above the engine's: a real device does not wait for this machine's cores
_TIMEOUT_S = 60


class Device:
    """The engine's end of the line."""

    def __init__(self, path: str, process: subprocess.Popen[str]) -> None:
        self.path, self._process = path, process

    def stop(self) -> list[tuple[int, int]]:
        """(ns, byte) of each byte that was read, in their order."""
        said, _ = self._process.communicate(timeout=_TIMEOUT_S)
        return [(at, byte) for at, byte in json.loads(said)]


@contextmanager
def listening() -> Iterator[Device]:
    """Within, a device listens at the path that it has."""
    far_end, near_end = os.openpty()
    command = [sys.executable, "-m", "benches.outputs.device", str(far_end)]
    process = subprocess.Popen(
        command, pass_fds=(far_end,), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()  # it is ready
        yield Device(os.ttyname(near_end), process)
    finally:
        process.kill()
        process.wait()
        os.close(near_end)
        os.close(far_end)


def read(far_end: int) -> list[tuple[int, int]]:
    """When each byte came, ns, and what it was; until standard input ends."""
    os.set_blocking(far_end, False)
    found: list[tuple[int, int]] = []
    while True:
        ready, _, _ = select.select([far_end, 0], [], [])
        now_ns = time.monotonic_ns()
        if far_end not in ready:
            return found
        found += [(now_ns, byte) for byte in os.read(far_end, 64)]


def main() -> None:
    take_fifo(PRIORITY)
    print("ready", flush=True)
    print(json.dumps(read(int(sys.argv[1]))))


if __name__ == "__main__":
    main()

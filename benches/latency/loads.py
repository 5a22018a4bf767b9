"""What computes beside the engine: a Python thread in the same process, or one process for each core."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

__all__ = ["beside"]

# Ends with its parent, even when that was killed.
_COMPUTE = "import os; parent = os.getppid()\nwhile os.getppid() == parent: sum(range(10000))"


def beside(load: str) -> AbstractContextManager[None]:
    """Return the load of this name, which runs while the context is open."""
    if load == "python_thread":
        return _python_thread(_compute)
    if load == "garbage":
        return _python_thread(_collect_garbage)
    return _busy_cores() if load == "cores" else nullcontext()


def _compute() -> None:
    sum(i * i for i in range(1000))  # pure Python: gives the GIL away only when asked to


def _collect_garbage() -> None:
    """Make cycles and collect them; the collector never gives the GIL away."""
    for _ in range(20_000):
        cycle: list[object] = []
        cycle.append(cycle)
    gc.collect()


@contextmanager
def _python_thread(work: Callable[[], None]) -> Iterator[None]:
    over = threading.Event()

    def compute() -> None:
        while not over.is_set():
            work()

    thread = threading.Thread(target=compute, name="busy", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def _busy_cores() -> Iterator[None]:
    command = [sys.executable, "-c", _COMPUTE]
    processes = [subprocess.Popen(command) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()

"""Which processes are still writing files, from Linux's /proc; nobody elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

__all__ = ["processes_writing"]


def processes_writing(files: Iterable[Path]) -> list[int]:
    """Ids of other processes that have one of `files` open for writing, as far as this user may see."""
    wanted = {os.path.realpath(file) for file in files}
    processes = (path for path in Path("/proc").glob("[0-9]*") if path.name != str(os.getpid()))
    return sorted(int(path.name) for path in processes if not wanted.isdisjoint(_written(path)))


def _written(process: Path) -> Iterator[str]:
    """Targets of the descriptors that a process may write to."""
    try:
        for entry in (process / "fd").iterdir():
            info = (process / "fdinfo" / entry.name).read_text()
            flags = next((line.split()[1] for line in info.splitlines() if line.startswith("flags:")), "0")
            if int(flags, 8) & (os.O_WRONLY | os.O_RDWR):
                yield str(entry.readlink())
    except OSError:  # the process ended, or belongs to somebody else
        return

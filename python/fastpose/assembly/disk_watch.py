"""Warns while a session runs when its disk is nearly full."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from fastpose.disk import MIB, DiskRoom, disk_room, kept_free

__all__ = ["DiskWatch", "Forecast"]

LOOK_S = 5.0
_WARN_S = (600.0, 120.0)  # of room left: said once each


class Forecast:
    """From what was free at each look: how long the disk lasts, and what is worth saying.

    Parameters
    ----------
    folder : Path
        Named in the warnings.
    needs_s : callable
        How long the session still goes on, s; None: unknown.
    """

    def __init__(self, folder: Path, needs_s: Callable[[], float | None]) -> None:
        self._folder, self._needs_s = folder, needs_s
        self._first: tuple[float, int] | None = None
        self._said = 0

    def look(self, now_s: float, room: DiskRoom) -> str | None:
        """A warning that was not given yet, or None."""
        usable = room.free - kept_free(room)
        if self._first is None:
            self._first = now_s, usable
            return None
        rate = (self._first[1] - usable) / max(now_s - self._first[0], 1e-9)  # bytes/s
        if rate <= 0:
            return None
        left_s, needs_s = max(usable, 0) / rate, self._needs_s()
        limits = [
            limit for limit in _WARN_S if left_s < min(limit, needs_s if needs_s is not None else limit)
        ]
        if len(limits) <= self._said:
            return None
        self._said = len(limits)
        return (
            f"the disk of '{self._folder}' is nearly full: {usable / MIB:,.0f} MiB for about "
            f"{left_s / 60:.1f} min more of recording; free some space, or end the session"
        )


class DiskWatch:
    """Looks at the disk on a thread of its own, which a disk that does not answer may hold.

    Parameters
    ----------
    folder : Path
        The session's.
    needs_s : callable
        See `Forecast`.
    warn : callable
        Given each warning, on that thread.
    """

    def __init__(
        self, folder: Path, needs_s: Callable[[], float | None], warn: Callable[[str], None]
    ) -> None:
        self._folder, self._warn = folder, warn
        self._forecast = Forecast(folder, needs_s)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="disk", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End it; does not wait for the disk."""
        self._ended.set()

    def _run(self) -> None:
        while True:
            try:
                text = self._forecast.look(time.monotonic(), disk_room(self._folder))
            except OSError:
                return  # the writers meet the same disk and say so
            if text is not None:
                self._warn(text)
            if self._ended.wait(LOOK_S):
                return

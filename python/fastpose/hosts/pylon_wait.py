"""How the camera's process waits for a frame: asleep, and awake when the next one is expected.

See Note [Spinning] of the engine: a process that sleeps is woken late, and finds its caches cold.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from fastpose import _core
from fastpose.hosts.common import WAIT_MS, now_ns

__all__ = ["FrameWait"]

_NS_PER_MS = 1_000_000
_LONGEST_NS = int(WAIT_MS) * _NS_PER_MS  # so that a stop is seen


class FrameWait:
    """Waits for results around the moment in which one is expected.

    Parameters
    ----------
    ready : callable
        Whether a result waits; waits for one so many ms at most.
    poll : callable
        The result that waits, or None.
    rehearse : callable
        What is done when the process has woken up for a frame; it gets the time, ns.
    spin_us : int
        Longest time awake for a frame; us. 0: never.
    """

    def __init__(
        self,
        ready: Callable[[int], bool],
        poll: Callable[[], Any | None],
        rehearse: Callable[[int], None],
        spin_us: int,
    ) -> None:
        self._ready, self.poll, self._rehearse = ready, poll, rehearse
        self._window = _core.FrameWindow()
        self._window.allow_spin(spin_us * 1000)

    def note_received(self, received_ns: int) -> None:
        """Learn from a frame that came."""
        self._window.note_received(received_ns)

    def take(self) -> Any | None:
        """The next result; None: none is expected soon, or it is clearly late: wait for it asleep."""
        begin_ns, end_ns = self._window.next()
        if begin_ns - now_ns() > _LONGEST_NS or self._sleep_until(begin_ns):
            return None
        if now_ns() < end_ns:
            self._rehearse(begin_ns)
        while now_ns() < end_ns:
            if (result := self.poll()) is not None:
                return result
        return None

    def _sleep_until(self, begin_ns: int) -> bool:
        """True: a frame came earlier. The last part of a ms is slept without looking."""
        left_ns = begin_ns - now_ns()
        if left_ns <= 0:
            return False
        if left_ns > _NS_PER_MS and self._ready(left_ns // _NS_PER_MS):
            return True
        time.sleep(max(0, begin_ns - now_ns()) / 1e9)
        self._window.note_wake_up(now_ns() - begin_ns)
        return False

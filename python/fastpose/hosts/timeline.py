"""The train of time stamps of a file or stream: strictly increasing, with its period and its gaps."""

from __future__ import annotations

from collections import deque
from statistics import median

__all__ = ["Timeline"]

_LONGEST_GAP_S = 1.0  # a longer silence in a steady train is a pause, not a row of lost frames
_NS = 1_000_000_000


class Timeline:
    """Strictly increasing time stamps, the period between them, and the gaps."""

    def __init__(self, period_ns: int) -> None:
        self.period_ns = period_ns
        self.pauses = 0
        self._last_ns: int | None = None
        self._deltas: deque[int] = deque(maxlen=31)

    def step(self, pts_ns: int | None) -> int:
        """The time stamp of the next frame; None: the file does not say."""
        if self._last_ns is None:
            self._last_ns = pts_ns or 0
            return self._last_ns
        if pts_ns is None or pts_ns <= self._last_ns:
            pts_ns = self._last_ns + self.period_ns
        if pts_ns - self._last_ns <= _LONGEST_GAP_S * _NS:
            self._deltas.append(pts_ns - self._last_ns)
            self.period_ns = round(median(self._deltas))
        self._last_ns = pts_ns
        return pts_ns

    def gap_before(self, pts_ns: int | None) -> list[int]:
        """Time stamps of the frames that the file lost before this one."""
        if pts_ns is None or self._last_ns is None or not self._is_steady():
            return []
        delta = pts_ns - self._last_ns
        periods = round(delta / self.period_ns)
        if periods < 2 or abs(delta - periods * self.period_ns) > self._slack_ns():
            return []
        if delta > _LONGEST_GAP_S * _NS:
            self.pauses += 1
            return []
        return [self._last_ns + k * delta // periods for k in range(1, periods)]

    def _is_steady(self) -> bool:
        slack_ns = self._slack_ns()
        return len(self._deltas) >= 8 and all(abs(d - self.period_ns) <= slack_ns for d in self._deltas)

    def _slack_ns(self) -> int:
        return self.period_ns // 4 + 1_000_000  # containers round time stamps to the millisecond

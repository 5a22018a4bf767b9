"""Whether a recorder gets on: it may be slow, but not stuck."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

__all__ = ["Progress"]


@dataclass
class Progress:
    """What was last seen of a recorder.

    Attributes
    ----------
    lost_frames : bool
        It was said that frames are lost to the video.
    """

    lost_frames: bool = False
    _recorded: int = -1
    _since_s: float = field(default_factory=time.monotonic)

    def stalled(self, recorded: int, waiting: int, patience_s: float) -> bool:
        """Frames wait, and none was recorded for so long; said once, then again after as long."""
        now_s = time.monotonic()
        if recorded != self._recorded or not waiting:
            self._recorded, self._since_s = recorded, now_s
            return False
        if now_s - self._since_s < patience_s:
            return False
        self._since_s = now_s
        return True

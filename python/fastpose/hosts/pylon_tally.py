"""What became of the frames of a Basler camera, for the log at the end."""

from __future__ import annotations

from typing import Any

__all__ = ["Tally"]


class Tally:
    """Counts frames, and says which are whole.

    Parameters
    ----------
    width : int
        What each frame must have, px.
    frame_bytes : int
        Of its pixels, without padding.
    """

    def __init__(self, width: int, frame_bytes: int) -> None:
        self._width, self._frame_bytes = width, frame_bytes
        self.whole = self.failed = self.other_size = 0
        self.reconnected = self.left_out = 0
        self.reason = self.size = ""
        self.transport = self.clock = ""

    def is_whole(self, result: Any) -> bool:
        """Whether a grab result holds a frame as the ring expects it; counts it."""
        if not result.GrabSucceeded():
            self.failed += 1
            self.reason = str(result.ErrorDescription)
        elif result.ImageSize != self._frame_bytes or result.Width != self._width:
            self.other_size += 1
            self.size = f"{result.Width} x {result.Height}"
        else:
            self.whole += 1
            return True
        return False

    def summary(self) -> str:
        """In one line, what did not happen left out."""
        parts = [
            (self.whole, f"{self.whole} frames"),
            (self.failed, f"{self.failed} failed ({self.reason})"),
            (self.other_size, f"{self.other_size} of another size ({self.size})"),
            (self.left_out, f"{self.left_out} software triggers left out: the camera was not ready"),
            (self.reconnected, f"{self.reconnected} times reconnected"),
            (bool(self.transport), f"transport: {self.transport}"),
            (bool(self.clock), self.clock),
        ]
        return ", ".join(text for count, text in parts if count) or "no frames"

"""Somebody who looks at every frame of one camera beside the loop, where no recorder does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from fastpose import _core
from fastpose.hosts.common import FRAME_TORN, FRAME_UNREADABLE, Pixels, slot_array

__all__ = ["Eye", "EyeFrame"]

_POLL_MS = 50.0


@dataclass(frozen=True)
class EyeFrame:
    """A frame that came whole.

    Attributes
    ----------
    frame_id, exposure_start_ns : int
        As in frames.parquet.
    pixels : ndarray
        As `slot_array` shapes them; valid while it is looked at.
    """

    frame_id: int
    exposure_start_ns: int
    pixels: Pixels


class Eye:
    """Takes the recorder's place at the ring of a camera, on a thread of its own: the loop waits for nobody.

    Parameters
    ----------
    camera : str
        Of the rig that it is given to.
    look : callable
        Called with each frame, in order. A slow one costs frames to itself alone: they are not looked at.
    """

    def __init__(self, camera: str, look: Callable[[EyeFrame], None]) -> None:
        self.camera = camera
        self._look = look
        self._ring: _core.Ring | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fp-eye", daemon=True)
        self.error: BaseException | None = None
        """What `look` raised; it saw nothing from then on."""

    def open(self, ring: _core.Ring) -> None:
        """Begin to look; the ring was made with room for a recorder."""
        ring.set_recorder_state("ready")
        self._ring = ring
        self._thread.start()

    def close(self) -> None:
        """Look at what still waits, then let the ring go; does nothing the second time."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        ring, self._ring = self._ring, None
        if ring is not None:
            ring.set_recorder_state("finished")

    def _run(self) -> None:
        ring = self._ring
        assert ring is not None
        while True:
            over = self._over.is_set()  # asked first: what came until then is looked at
            got = ring.recorder_next(0.0 if over else _POLL_MS)
            if got is not None:
                self._take(ring, *got)
            elif over:
                return

    def _take(self, ring: _core.Ring, slot: int, frame_id: int, flags: int, exposure_start_ns: int) -> None:
        try:
            if self.error is None and not flags & (FRAME_TORN | FRAME_UNREADABLE):
                self._look(EyeFrame(frame_id, exposure_start_ns, slot_array(ring, slot)))
        except Exception as error:
            self.error = error
        finally:
            ring.recorder_release(slot)

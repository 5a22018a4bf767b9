"""From a grab result to a published frame: the part of the way that is Python, and its rehearsal.

Note [Rehearsal]: between two frames of a 100 Hz camera other work takes the processor's caches, and the first
walk through this code then takes some 150 us; the next one takes 10. So just before a frame is expected the
whole way is walked with a result that was kept, into a ring that nobody reads.
"""

from __future__ import annotations

from typing import Any

from fastpose import _core
from fastpose.hosts.pylon_tally import Tally
from fastpose.hosts.pylon_timing import FrameTiming

__all__ = ["Handover", "Rehearsal"]


class Handover:
    """Publishes grab results as frames.

    Parameters
    ----------
    ring : ProducerRing
    timing : FrameTiming
    tally : Tally
    """

    def __init__(self, ring: Any, timing: FrameTiming, tally: Tally) -> None:
        self._ring, self._timing, self._tally = ring, timing, tally

    def publish(self, result: Any, received_ns: int) -> bool:
        """False: it is no whole frame, and is in the ring's ledger."""
        stamps = self._timing.stamps(result, received_ns)
        if not self._tally.is_whole(result):
            self._ring.note_failed(stamps)
            return False
        self._ring.publish(result.BufferContext, stamps)
        return True


class Rehearsal:
    """See Note [Rehearsal]. Takes one buffer from pylon for as long as it grabs.

    Parameters
    ----------
    ring : ProducerRing
        The one that frames are published into; it is only looked at.
    timing : FrameTiming
    """

    def __init__(self, ring: Any, timing: FrameTiming) -> None:
        self._stage = _Stage(f"{ring.name}-rehearsal")
        self._handover = Handover(self._stage, timing.double(), Tally(ring.slot_bytes))
        self._kept: Any = None

    @property
    def kept(self) -> bool:
        """Whether there is a result to rehearse with."""
        return self._kept is not None

    def keep(self, copy: Any) -> None:
        """Rehearse with this result from now on."""
        self._kept = copy

    def walk(self, received_ns: int) -> None:
        """Walk the whole way once, if there is a result."""
        if self._kept is not None:
            self._handover.publish(self._kept, received_ns)

    def forget(self) -> None:
        """Give pylon its buffer back."""
        if self._kept is not None:
            self._kept.Release()
            self._kept = None


class _Stage:
    """A small ring that takes every frame itself."""

    def __init__(self, name: str) -> None:
        self._ring = _core.Ring.create(name, slots=6, width=64, height=16, recorder=False, producer_slots=1)
        self._ring.start()

    def publish(self, _slot: int, stamps: _core.FrameStamps) -> None:
        self._ring.publish(self._ring.acquire(0), stamps)
        self._ring.release(self._ring.take(0))

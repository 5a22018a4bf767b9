"""The slots of a frame ring as the buffers of a Basler camera: pylon grabs straight into them.

Note [slots]: every slot of the ring is one buffer of pylon's. A slot is with pylon (it waits for a frame or
holds one that was not retrieved), or out: published, and the last consumer has not released it. pylon gets a
buffer back when its grab result is released, so the result is kept as long as its slot is out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastpose.errors import CameraError
from fastpose.hosts.common import WAIT_MS

__all__ = ["Slots", "buffer_factory"]


class Slots:
    """Who has which slot.

    Parameters
    ----------
    ring : ProducerRing
    """

    def __init__(self, ring: Any) -> None:
        self._ring = ring
        self._ours: list[int] = []  # neither with pylon nor out
        self._with_pylon: set[int] = set()
        self._out: dict[int, Any] = {}  # slot -> its grab result
        self._kept: int | None = None  # for good, while pylon grabs

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self._ring.slots)

    def note_armed(self) -> None:
        """Say that the camera exposes as soon as it is triggered."""
        self._ring.note_armed()

    @property
    def all_out(self) -> bool:
        """Whether pylon has no buffer left to fill."""
        return not self._with_pylon

    def take_all(self, stopping: Callable[[], bool]) -> bool:
        """Wait until every slot is ours; False if a stop came first."""
        while len(self._ours) < self._ring.slots:
            if stopping():
                return False
            slot = self._ring.acquire(WAIT_MS)
            if slot >= 0:
                self._ours.append(slot)
        return True

    def allocate(self, buffer_bytes: int) -> tuple[int, int]:
        """Give pylon a slot; returns its address and index.

        Raises
        ------
        CameraError
            It is too small, or there is none left.
        """
        if buffer_bytes > self._ring.buffer_bytes:
            raise CameraError(
                f"the camera's frames need {buffer_bytes} bytes each, a slot of the ring has "
                f"{self._ring.buffer_bytes}; did its size or pixel format change since it was opened?"
            )
        if not self._ours:
            raise CameraError("pylon asks for more buffers than the ring has slots")
        slot = self._ours.pop()
        self._with_pylon.add(slot)
        return self._ring.address(slot), slot

    def hand_out(self, slot: int, result: Any) -> None:
        """Note that this slot was published: its result is kept until it comes back."""
        self._with_pylon.remove(slot)
        self._out[slot] = result

    def keep(self, slot: int) -> None:
        """Note that pylon does not get this slot again: a second reference to its result is held."""
        self._kept = slot

    def requeue(self, timeout_ms: float = 0.0) -> None:
        """Give pylon back what consumers have released; waits for the first at most `timeout_ms`."""
        while self._out and (slot := self._ring.acquire(timeout_ms)) >= 0:
            self._out.pop(slot).Release()
            (self._ours.append if slot == self._kept else self._with_pylon.add)(slot)
            timeout_ms = 0.0

    def forget(self) -> None:
        """Grabbing has ended: what pylon had is ours again, what is out comes back through the ring."""
        for result in self._out.values():
            result.Release()
        self._out.clear()
        self._kept = None
        self._ours.extend(self._with_pylon)
        self._with_pylon.clear()

    def release_all(self) -> None:
        """Give the ring back what is ours."""
        for slot in self._ours:
            self._ring.release(slot)
        self._ours.clear()


def buffer_factory(pylon: Any, slots: Slots) -> Any:
    """A ``pylon.BufferFactory`` whose buffers are these slots; ``BufferContext`` of a result is the slot."""

    class Factory(pylon.BufferFactory):  # type: ignore[misc]
        def AllocateBuffer(self, buffer_bytes: int) -> tuple[int, int]:  # noqa: N802
            return slots.allocate(buffer_bytes)

        def FreeBuffer(self, address: int, slot: int) -> None:  # noqa: N802
            """The ring keeps its memory."""

    return Factory()

"""The recorder's own queue: frames wait in the ring, and beyond it in memory of the recorder, up to a bound.

Note [two places]: A frame that the recorder has not taken yet lies in its slot of the ring and costs
nothing; but the ring's slots are few, and the camera needs free ones. So when a quarter of them wait, a
thread copies the oldest into memory of the recorder and gives their slots back. The bound of that memory is
the config's ``record.queue_mib``; beyond it the ring fills, and then frames are lost to the recorder (never
to the loop), each counted by the ring. Older frames always lie in the memory, younger ones in the ring: one
lock around "take the oldest out of the ring" keeps their order.
"""

from __future__ import annotations

import contextlib
import mmap
import sys
import threading
from collections import deque
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import Self

from fastpose.errors import RecordError
from fastpose.hosts.common import WAIT_MS, slot_array

if TYPE_CHECKING:
    from fastpose.hosts.common import Pixels, RecorderRing

__all__ = ["FrameQueue", "QueuedFrame"]

_SHARE = 0.25  # of the ring's slots that may wait before they are copied
_LOOKS = 4  # while that many frames come
_SHORTEST_S, _LONGEST_S = 0.001, 0.05


@dataclass(frozen=True)
class QueuedFrame:
    """One frame that waits; `place` is a slot of the ring, or one of the memory where `in_memory`."""

    pixels: Pixels
    frame_id: int
    exposure_start_ns: int
    place: int
    in_memory: bool


class FrameQueue:
    """``with FrameQueue(...)``: frames of a ring in their order. `next` and `done` belong to one thread.

    Parameters
    ----------
    ring : RecorderRing
    memory_bytes : int
        How much of its own the queue may take; touched only as far as it is needed, given back when empty.
    rate_hz : float or None
        Of the camera: how often the thread has to look.

    Attributes
    ----------
    most_waiting : int
        Frames that waited at once in the memory, at most.

    Raises
    ------
    RecordError
        The system does not give that much memory.
    """

    def __init__(self, ring: RecorderRing, *, memory_bytes: int = 0, rate_hz: float | None = None) -> None:
        self._ring = ring
        self._slots: list[Pixels] = [slot_array(ring, slot) for slot in range(ring.slots)]
        self._memory = _Memory(memory_bytes, self._slots[0])
        self._waiting: deque[QueuedFrame] = deque()  # in memory
        self._taking = threading.Lock()  # held by who takes out of the ring
        self._share = max(1, int(ring.slots * _SHARE))
        self._look_s = min(max(self._share / _LOOKS / (rate_hz or 100.0), _SHORTEST_S), _LONGEST_S)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="queue", daemon=True)
        self._done = 0
        self.most_waiting = 0

    def __enter__(self) -> Self:
        if self._memory.size:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._memory.size:
            self._thread.join()

    @property
    def waiting(self) -> int:
        """Frames in memory."""
        return len(self._waiting)

    def next(self) -> QueuedFrame | None:
        """The oldest frame, which stays where it is until `done`; None after a while without one."""
        with self._taking:
            if self._waiting:
                return self._waiting.popleft()
            item = self._ring.recorder_next(WAIT_MS)
        if item is None:
            return None
        slot, frame_id, _flags, exposure_start_ns = item
        return QueuedFrame(self._slots[slot], frame_id, exposure_start_ns, slot, in_memory=False)

    def done(self, frame: QueuedFrame) -> None:
        """Its memory may be used again."""
        self._done += 1
        self._tell()
        if not frame.in_memory:
            self._ring.recorder_release(frame.place)
            return
        self._memory.free()
        if not self._waiting:
            with self._taking:
                self._memory.give_back()

    def relieve(self) -> None:
        """Copy the oldest frames out of the ring while too many wait there and there is room for them."""
        while self._memory.room and self._waiting_in_ring > self._share:
            with self._taking:
                self._move_one()

    @property
    def _waiting_in_ring(self) -> int:
        counts = self._ring.counts()
        return counts["recorder_queue"] - counts["recorder_waiting"]

    def _tell(self) -> None:
        self._ring.set_recorder_progress(recorded=self._done, waiting=len(self._waiting))

    def _move_one(self) -> None:
        item = self._ring.recorder_next(0.0)
        if item is None:
            return
        slot, frame_id, _flags, exposure_start_ns = item
        place, pixels = self._memory.take()
        np.copyto(pixels, self._slots[slot])
        self._ring.recorder_release(slot)
        self._waiting.append(QueuedFrame(pixels, frame_id, exposure_start_ns, place, in_memory=True))
        self.most_waiting = max(self.most_waiting, len(self._waiting))
        self._tell()

    def _run(self) -> None:
        while not self._ended.wait(self._look_s):
            self.relieve()


class _Memory:
    """Places for frames, used one after the other and freed in the same order; two threads: one each way."""

    def __init__(self, memory_bytes: int, like: Pixels) -> None:
        self.size = memory_bytes // like.nbytes
        self._taken, self._freed = 0, 0
        self._map = _private_memory(self.size * like.nbytes) if self.size else None
        self._places: list[Pixels] = []
        if self._map is not None:
            whole = np.frombuffer(self._map, like.dtype, count=self.size * like.size)
            self._places = list(whole.reshape(self.size, *like.shape))

    @property
    def room(self) -> int:
        return self.size - (self._taken - self._freed)

    def take(self) -> tuple[int, Pixels]:
        place = self._taken % self.size
        self._taken += 1
        return place, self._places[place]

    def free(self) -> None:
        self._freed += 1

    def give_back(self) -> None:
        """Let the system have the pages, while nothing lies in them."""
        if sys.platform == "linux" and self._map is not None and self._taken == self._freed:
            with contextlib.suppress(OSError):
                self._map.madvise(mmap.MADV_DONTNEED)


def _private_memory(size: int) -> mmap.mmap:
    try:
        if sys.platform == "win32":
            return mmap.mmap(-1, size)
        return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError as error:
        raise RecordError(
            f"no memory for frames that wait: {size >> 20} MiB ({error.strerror}); lower record.queue_mib"
        ) from error

"""The frame ring in one process and one thread: the API of ``fastpose._core.Ring``, every call noted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

BYTES_PER_PIXEL = {"rgb8": 3, "bgr8": 3, "yuyv": 2, "nv12": 1.5, "mono10": 2, "mono12": 2}


@dataclass
class Published:
    """One frame as a consumer saw it."""

    pixels: bytes
    camera_counter: int
    camera_timestamp_ns: int
    exposure_start_ns: int
    received_ns: int
    flags: int
    exposure_error_ns: int = 0


@dataclass
class FakeRing:
    """Takes frames as fast as they come; for the recorder, hands out what `feed` was given."""

    width: int
    height: int
    pixel_format: str = "mono8"
    slots: int = 8
    name: str = "fake"
    stop_requested: bool = False
    alive: bool = True
    producer_ended: bool = True
    published: list[Published] = field(default_factory=list)
    failed: list[Published] = field(default_factory=list)
    states: list[tuple[str, str]] = field(default_factory=list)
    on_publish: Callable[[FakeRing], None] | None = None

    def __post_init__(self) -> None:
        self.slot_bytes = int(self.width * self.height * BYTES_PER_PIXEL.get(self.pixel_format, 1))
        self.stride_bytes = self.width * {"nv12": 1}.get(
            self.pixel_format, int(BYTES_PER_PIXEL.get(self.pixel_format, 1))
        )
        self._memory = [bytearray(self.slot_bytes) for _ in range(self.slots)]
        self.free = deque(range(self.slots))
        self._queue: deque[tuple[bytes, int, int, int]] = deque()
        self.held: set[int] = set()
        self.recorded = self.waiting = 0

    def memory(self, slot: int) -> memoryview:
        return memoryview(self._memory[slot])

    def creator_alive(self) -> bool:
        return self.alive

    def request_stop(self) -> None:
        self.stop_requested = True

    def _set_state(self, state: str, text: str = "") -> None:
        assert len(text.encode()) <= 500
        self.states.append((state, text))

    # --- producer ---
    set_producer_state = _set_state

    def acquire(self, timeout_ms: float) -> int:
        return self.free.popleft() if self.free and not self.stop_requested else -1

    def publish(self, slot: int, **meta: int) -> int:
        self.published.append(Published(bytes(self._memory[slot]), **meta))
        self._memory[slot][:] = b"\xaa" * self.slot_bytes  # a consumer's slot is not the producer's to read
        self.free.append(slot)
        if self.on_publish:
            self.on_publish(self)
        return len(self.published) - 1

    def note_failed(self, **meta: int) -> None:
        self.failed.append(Published(b"", **meta))

    def release(self, slot: int) -> None:
        self.free.append(slot)

    def wait_started(self, timeout_ms: float) -> bool:
        return not self.stop_requested

    # --- recorder ---
    set_recorder_state = _set_state

    @property
    def recorder_drained(self) -> bool:
        return self.producer_ended and not self._queue

    def feed(self, pixels: np.ndarray, frame_id: int, exposure_start_ns: int, flags: int = 0) -> None:
        self._queue.append((pixels.tobytes(), frame_id, flags, exposure_start_ns))

    def counts(self) -> dict[str, int]:
        return {"recorder_queue": len(self._queue) + self.waiting, "recorder_waiting": self.waiting}

    def set_recorder_progress(self, *, recorded: int, waiting: int) -> None:
        self.recorded, self.waiting = recorded, waiting

    def recorder_next(self, timeout_ms: float) -> tuple[int, int, int, int] | None:
        if not self._queue:
            return None
        pixels, *meta = self._queue.popleft()
        slot = self.free.popleft()
        self._memory[slot][:] = pixels
        self.held.add(slot)
        return (slot, *meta)  # type: ignore[return-value]

    def recorder_release(self, slot: int) -> None:
        self.held.remove(slot)
        self._memory[slot][:] = b"\xaa" * self.slot_bytes  # the camera writes here next
        self.free.append(slot)


class FakeClock:
    """Time passes only while somebody sleeps, or by `step_ns` at each look."""

    def __init__(self, step_ns: int = 0) -> None:
        self.time_ns = 1_000_000_000
        self.step_ns = step_ns

    def __call__(self) -> int:
        self.time_ns += self.step_ns
        return self.time_ns

    def sleep(self, seconds: float) -> None:
        self.time_ns += round(seconds * 1e9)

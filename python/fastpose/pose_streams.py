"""Poses for other programs: a thread and a bounded queue for each stream, fed by whoever takes the poses."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fastpose import _core
from fastpose.outputs.pose_message import PoseLayout, PoseSample
from fastpose.outputs.pose_streams import Sender

__all__ = ["PoseTap", "Stream"]

_ROOM = 64  # poses that may wait for a stream
_WAIT_MS = 100.0
_PATIENCE_S = 2.0


@dataclass
class Stream:
    """One stream: its queue, its thread, and what became of its poses."""

    name: str
    camera: int
    sender: Sender
    layout: PoseLayout
    every: int = 1
    sent: int = 0
    lost: int = 0
    error: str = ""
    delays_ms: deque[float] = field(default_factory=lambda: deque(maxlen=10_000))
    """From the decision on a pose to the end of its sending."""

    def __post_init__(self) -> None:
        self._waiting: deque[PoseSample] = deque(maxlen=_ROOM)
        self._bell, self._over, self._offered = threading.Event(), False, 0
        self._thread = threading.Thread(target=self._run, name=f"fp-stream-{self.name}", daemon=True)
        self._thread.start()

    def offer(self, sample: PoseSample) -> None:
        """Queue a pose; the oldest that waits gives way."""
        self._offered += 1
        if (self._offered - 1) % self.every:
            return
        self.lost += len(self._waiting) == _ROOM
        self._waiting.append(sample)
        self._bell.set()

    def close(self) -> None:
        """Send what waits, and end."""
        self._over = True
        self._bell.set()
        self._thread.join(_PATIENCE_S)

    def report(self) -> dict[str, Any]:
        """For session.json: counts, and the delay from the decision on a pose until it was sent."""
        delays = sorted(self.delays_ms)
        at = {"p50_ms": 0.5, "p99_ms": 0.99}
        found = {name: delays[int(share * (len(delays) - 1))] for name, share in at.items()} if delays else {}
        return {"sent": self.sent, "lost": self.lost, "error": self.error or None, **found}

    def _run(self) -> None:
        while not self.error:
            self._bell.wait()
            self._bell.clear()
            while self._waiting and not self.error:
                self._send(self._waiting.popleft())
            if self._over:
                return

    def _send(self, sample: PoseSample) -> None:
        try:
            self.sender.send(sample)
        except Exception as error:  # it ends this stream and nothing else
            self.error = f"{type(error).__name__}: {error}"
            return
        self.sent += 1
        self.delays_ms.append((time.monotonic_ns() - sample.decided_ns) / 1e6)


class PoseTap:
    """The engine's poses for whoever asks, and a copy for the streams.

    Each camera's poses are taken by one thread: that of a protocol in Python, of the user who iterates, or
    one of `take`.
    """

    def __init__(self, engine: _core.Engine, streams: Sequence[Stream]) -> None:
        self._engine, self._streams = engine, streams
        self._threads: list[threading.Thread] = []
        self._over = threading.Event()

    def next_pose(self, timeout_ms: float, camera: int) -> tuple[Any, ...] | None:
        """As the engine's."""
        sample = self._engine.next_pose(timeout_ms, camera)
        if sample is not None:
            self._offer(sample, camera)
        return sample

    def post_fault(self, kind: Any, text: str) -> None:
        """As the engine's."""
        self._engine.post_fault(kind, text)

    def take(self, cameras: Sequence[int]) -> None:
        """Take the poses of these cameras, which nobody else does."""
        wanted = {stream.camera for stream in self._streams}
        for camera in sorted(wanted.intersection(cameras)):
            thread = threading.Thread(target=self._take, args=(camera,), name="fp-tap", daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        """End the threads; what the streams have is still sent."""
        self._over.set()
        for thread in self._threads:
            thread.join(_PATIENCE_S)
        for stream in self._streams:
            stream.close()

    def _take(self, camera: int) -> None:
        while True:
            over = self._over.is_set()
            if self.next_pose(0.0 if over else _WAIT_MS, camera) is None and over:
                return

    def _offer(self, sample: tuple[Any, ...], camera: int) -> None:
        frame_id, exposure_start_ns, decided_ns, _bits, _flags, keypoints = sample
        for stream in self._streams:
            if stream.camera == camera:
                shape = (len(stream.layout.individuals), len(stream.layout.bodyparts), 3)
                stream.offer(PoseSample(frame_id, exposure_start_ns, decided_ns, keypoints.reshape(shape)))

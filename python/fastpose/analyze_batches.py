"""Poses of a stream of frames on a GPU: large batches, while the next frames are decoded and uploaded.

Note [batches]: Two graphs, each with memory of its own, take turns: one uploads its batch while the network
of the other runs, and the caller decodes frames meanwhile. The keypoints are those of the loop up to
rounding: a runtime may compute a batch in another order than a single frame.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose.config import PixelFormat

__all__ = ["COUNT", "batched_poses_of"]

Frame = npt.NDArray[np.uint8]
Keypoints = npt.NDArray[np.float32]
Estimate = Callable[[Sequence[npt.NDArray[Any]]], Keypoints]
Open = Callable[[tuple[int, int], PixelFormat, int], Estimate]

COUNT = 32
_GRAPHS = 2


@dataclass
class _Batch:
    """Frames that go together, and which of the stream's they are: None stands for one that has no pixels."""

    memory: list[Frame]
    order: list[int | None] = field(default_factory=list)

    @property
    def filled(self) -> int:
        return sum(place is not None for place in self.order)


def batched_poses_of(
    frames: Iterable[Frame | None], open_batch: Open, pixel_format: PixelFormat, *, count: int = COUNT
) -> Iterator[Keypoints | None]:
    """Yield the pose of each frame, in their order; see Note [batches].

    Parameters
    ----------
    frames : iterable of ndarray or None
        (H, W) or (H, W, 3) uint8, all of one size; the array may be overwritten by the next one. None: there
        is no frame, and None is its pose.
    open_batch : callable
        Makes an estimator of `count` frames; see `fastpose.model.Model.open_batch`.
    pixel_format : str
    count : int
        Frames of a batch.

    Yields
    ------
    ndarray or None
        (individuals, K, 3) float32 x, y (px of the frame), likelihood.
    """
    crew = _Crew(open_batch, pixel_format, count)
    waiting: deque[tuple[_Batch, Future[Keypoints] | None]] = deque()
    free: list[_Batch] = []
    with ThreadPoolExecutor(_GRAPHS, thread_name_prefix="network") as threads:
        batch = _Batch([])
        for frame in frames:
            _add(batch, frame)
            if batch.filled == count:
                waiting.append((batch, threads.submit(crew.poses, batch)))
                batch = free.pop() if free else _Batch([])
            if len(waiting) > _GRAPHS:
                yield from _finished(waiting, free)
        waiting.append((batch, threads.submit(crew.poses, batch) if batch.filled else None))
        while waiting:
            yield from _finished(waiting, free)


class _Crew:
    """Graphs of one batch size, made when the first frame says how large frames are."""

    def __init__(self, open_batch: Open, pixel_format: PixelFormat, count: int) -> None:
        self._open, self._format, self._count = open_batch, pixel_format, count
        self._idle: SimpleQueue[Estimate | None] = SimpleQueue()
        for _ in range(_GRAPHS):
            self._idle.put(None)

    def poses(self, batch: _Batch) -> Keypoints:
        estimate = self._idle.get()
        try:
            frames = batch.memory[: batch.filled]
            height, width = frames[0].shape[:2]
            estimate = estimate or self._open((width, height), self._format, self._count)
            short = self._count - len(frames)  # the last batch: its last frame fills it up
            return estimate([*frames, *[frames[-1]] * short])[: len(frames)]
        finally:
            self._idle.put(estimate)


def _add(batch: _Batch, frame: Frame | None) -> None:
    if frame is None:
        batch.order.append(None)
        return
    place = batch.filled
    if place == len(batch.memory):
        batch.memory.append(np.empty_like(frame))
    np.copyto(batch.memory[place], frame)
    batch.order.append(place)


def _finished(
    waiting: deque[tuple[_Batch, Future[Keypoints] | None]], free: list[_Batch]
) -> Iterator[Keypoints | None]:
    batch, future = waiting.popleft()
    poses = future.result() if future is not None else None
    for place in batch.order:
        yield None if place is None or poses is None else poses[place].copy()
    batch.order.clear()
    free.append(batch)

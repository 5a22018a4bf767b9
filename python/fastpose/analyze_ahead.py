"""Poses of a stream of frames, several at once and in order, for work that nobody waits for.

Note [frames ahead]: While one thread decodes the video, others run the network; both leave the GIL. Each has
a network of its own, compiled with the same options as the one of the loop: a frame meets the same code with
the same division into threads, so the keypoints are bit for bit the same. A batch, or fewer threads for each
frame, would be another division, and sums in another order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

import numpy as np
import numpy.typing as npt

from fastpose.config import PixelFormat
from fastpose.model import Model

__all__ = ["poses_of"]

Frame = npt.NDArray[np.uint8]
Keypoints = npt.NDArray[np.float32]

_WAITING = 2  # decoded frames beside those that are with a network


def poses_of(
    frames: Iterable[Frame | None], model: Model, pixel_format: PixelFormat, *, networks: int = 2
) -> Iterator[Keypoints | None]:
    """Yield the pose of each frame, in their order; see Note [frames ahead].

    Parameters
    ----------
    frames : iterable of ndarray or None
        (H, W) or (H, W, 3) uint8 as `pixel_format` says; the array may be overwritten by the next one. None:
        there is no frame, and None is its pose.
    model : Model
        A roi that follows the animal depends on the frame before: then one network runs.
    pixel_format : str
    networks : int
        Frames that are with a network at the same time.

    Yields
    ------
    ndarray or None
        (individuals, K, 3) float32 x, y (px of the frame), likelihood.

    Raises
    ------
    ConfigError
        The frame's shape or dtype does not fit its pixel format.
    """
    crew = _Crew(model, 1 if model.follows else networks, pixel_format)
    ahead: deque[tuple[Frame | None, Future[Keypoints] | None]] = deque()
    free: list[Frame] = []
    with ThreadPoolExecutor(crew.size, thread_name_prefix="network") as threads:
        for frame in frames:
            if len(ahead) == crew.size + _WAITING:
                yield _finished(ahead, free)
            copy = None if frame is None else _copied(frame, free)
            ahead.append((copy, None if copy is None else threads.submit(crew.pose, copy)))
        while ahead:
            yield _finished(ahead, free)


class _Crew:
    """Models with the same options; each is used by one thread at a time."""

    def __init__(self, model: Model, size: int, pixel_format: PixelFormat) -> None:
        self.size, self._format = size, pixel_format
        self._idle: SimpleQueue[Model] = SimpleQueue()
        for each in (model, *(model.twin() for _ in range(size - 1))):
            self._idle.put(each)

    def pose(self, frame: Frame) -> Keypoints:
        model = self._idle.get()
        try:
            keypoints = model.estimate(frame, pixel_format=self._format).keypoints
        finally:
            self._idle.put(model)
        found: Keypoints = keypoints.reshape(-1, *keypoints.shape[-2:]).copy()
        return found


def _copied(frame: Frame, free: list[Frame]) -> Frame:
    copy = free.pop() if free else np.empty_like(frame)
    np.copyto(copy, frame)
    return copy


def _finished(
    ahead: deque[tuple[Frame | None, Future[Keypoints] | None]], free: list[Frame]
) -> Keypoints | None:
    frame, pose = ahead.popleft()
    if frame is None or pose is None:
        return None
    found = pose.result()
    free.append(frame)
    return found

"""Batches of frames: every pose in its place, whatever is missing, and no more memory than the batches."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from fastpose.analyze_batches import batched_poses_of


class Opened:
    """An estimator of batches that tells a frame by its first pixel."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.asked: list[tuple[tuple[int, int], str, int]] = []

    def open(self, size: tuple[int, int], pixel_format: str, count: int) -> object:
        self.asked.append((size, pixel_format, count))
        return self.estimate

    def estimate(self, frames: Iterable[np.ndarray]) -> np.ndarray:
        seen = [int(frame[0, 0]) for frame in frames]
        self.batches.append(seen)
        return np.array(seen, np.float32)[:, None, None, None] * np.ones((1, 1, 2, 3), np.float32)


def stream(numbers: Iterable[int | None]) -> Iterable[np.ndarray | None]:
    """Frames in one array that the next overwrites."""
    frame = np.empty((4, 6), np.uint8)
    for number in numbers:
        frame[:] = number or 0
        yield None if number is None else frame


def numbers_of(opened: Opened, numbers: list[int | None], count: int = 4) -> list[float | None]:
    poses = batched_poses_of(stream(numbers), opened.open, "mono8", count=count)  # type: ignore[arg-type]
    return [None if pose is None else float(pose[0, 0, 0]) for pose in poses]


@pytest.mark.parametrize("length", [0, 1, 3, 4, 5, 8, 23])
def test_every_pose_in_its_place(length: int) -> None:
    numbers: list[int | None] = list(range(1, length + 1))
    assert numbers_of(Opened(), numbers) == numbers


def test_frames_that_cannot_be_read_have_no_pose() -> None:
    numbers = [None, 1, 2, None, None, 3, 4, 5, None]
    assert numbers_of(Opened(), numbers) == numbers
    assert numbers_of(Opened(), [None, None]) == [None, None]


def test_the_last_batch_is_filled_up() -> None:
    opened = Opened()
    assert numbers_of(opened, [1, 2, 3, 4, 5]) == [1, 2, 3, 4, 5]
    assert sorted(opened.batches) == [[1, 2, 3, 4], [5, 5, 5, 5]]


def test_at_most_two_graphs_are_made_for_the_frames_size() -> None:
    opened = Opened()
    numbers_of(opened, [number % 200 for number in range(40)])
    assert len(opened.asked) in (1, 2) and set(opened.asked) == {((6, 4), "mono8", 4)}


def test_an_error_of_the_network_comes_through() -> None:
    class Broken(Opened):
        def estimate(self, frames: Iterable[np.ndarray]) -> np.ndarray:
            raise RuntimeError("device lost")

    with pytest.raises(RuntimeError, match="device lost"):
        numbers_of(Broken(), [1, 2, 3, 4, 5])

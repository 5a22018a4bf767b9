"""The resize that agrees with OpenCV's bit for bit, held to OpenCV itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastpose import ConfigError, _core

cv2 = pytest.importorskip("cv2")


def frame_of(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("channels", [(), (1,), (3,), (4,)])
@pytest.mark.parametrize("factor", [0.1, 0.25, 0.3, 0.5, 0.75, 0.8, 1.0, 1.25, 1.5, 2.0, 2.71])
def test_agrees_with_opencv(factor: float, channels: tuple[int, ...]) -> None:
    frame = frame_of((97, 128, *channels))
    size = (int(128 * factor), int(97 * factor))
    expected = cv2.resize(frame, size)
    assert np.array_equal(_core.resize_like_opencv(frame, size).reshape(expected.shape), expected)


@settings(max_examples=200, deadline=None)
@given(st.tuples(*[st.integers(1, 70)] * 4), st.integers(0, 1000))
def test_agrees_with_opencv_at_any_size(sizes: tuple[int, int, int, int], seed: int) -> None:
    height, width, *size = sizes
    frame = frame_of((height, width, 3), seed)
    expected = cv2.resize(frame, tuple(size))
    assert np.array_equal(_core.resize_like_opencv(frame, (size[0], size[1])), expected)


def test_takes_a_view() -> None:
    frame = frame_of((60, 80, 3))[5:50, 7:70]
    assert np.array_equal(_core.resize_like_opencv(frame, (33, 21)), cv2.resize(frame, (33, 21)))


def test_halving_is_the_mean_of_four() -> None:
    frame = np.array([[0, 1], [1, 1]], np.uint8)
    assert _core.resize_like_opencv(frame, (1, 1)).tolist() == [[1]]  # 0.75, rounded


@pytest.mark.parametrize("size", [(0, 5), (5, -1)])
def test_refuses_sizes_that_are_none(size: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match="allowed: >= 1"):
        _core.resize_like_opencv(frame_of((4, 4)), size)


def test_refuses_a_row() -> None:
    with pytest.raises(ConfigError, match="dimensions"):
        _core.resize_like_opencv(np.zeros(4, np.uint8), (2, 2))

"""Frames ahead: the order, the bits, what is missing, what fails."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import fastpose as fp
from fastpose.analyze_ahead import Frame, poses_of
from fastpose.model import Model, TrackRoi

MODEL = "builtin:simulated_mouse"
FRAMES = np.random.default_rng(8).integers(0, 256, (12, 96, 128), dtype=np.uint8)


def overwritten(frames: np.ndarray) -> Iterator[Frame]:
    """As a reader gives them: one array for all."""
    slot = np.empty_like(frames[0])
    for frame in frames:
        slot[:] = frame
        yield slot


def one_by_one(model: Model, frames: np.ndarray) -> np.ndarray:
    return np.stack([model.estimate(frame, pixel_format="mono8").keypoints for frame in frames])


@pytest.mark.parametrize("networks", [1, 2, 5])
def test_same_bits_in_the_same_order(networks: int) -> None:
    expected = one_by_one(fp.load_model(MODEL), FRAMES)
    assert len(np.unique(expected[..., 0])) > 1
    found = list(poses_of(overwritten(FRAMES), fp.load_model(MODEL), "mono8", networks=networks))
    assert np.array_equal(np.stack([pose for pose in found if pose is not None]), expected)


def test_a_roi_that_follows_the_animal_sees_the_frames_in_order() -> None:
    def tracking() -> Model:
        return fp.load_model(MODEL, track=TrackRoi((64, 64), 4, 0.0))

    expected = one_by_one(tracking(), FRAMES)
    found = list(poses_of(overwritten(FRAMES), tracking(), "mono8", networks=4))
    assert np.array_equal(np.stack([pose for pose in found if pose is not None]), expected)


def test_no_frame_has_no_pose() -> None:
    frames = [None, FRAMES[0], None, None, FRAMES[1], None]
    found = list(poses_of(frames, fp.load_model(MODEL), "mono8"))
    assert [pose is None for pose in found] == [frame is None for frame in frames]
    assert list(poses_of([], fp.load_model(MODEL), "mono8")) == []


def test_the_error_of_a_frame_comes_through() -> None:
    frames = [FRAMES[0], FRAMES[1].astype(np.float32), FRAMES[2]]
    with pytest.raises(fp.ConfigError, match="uint8"):
        list(poses_of(frames, fp.load_model(MODEL), "mono8"))

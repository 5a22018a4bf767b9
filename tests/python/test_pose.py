"""A pose as Python sees it: an array, a mapping of body parts, and what it says of itself."""

from __future__ import annotations

import numpy as np
import pytest

from fastpose import Pose

NAMES = ("snout", "center", "tailbase")
ONE = np.arange(9, dtype=np.float32).reshape(1, 3, 3)
TWO = np.arange(18, dtype=np.float32).reshape(2, 3, 3)


def test_one_animal_is_two_dimensional() -> None:
    array = np.asarray(Pose(ONE, NAMES))
    assert (array.shape, array.dtype) == ((3, 3), np.float32)
    assert np.array_equal(array, ONE[0])


def test_several_animals_keep_their_dimension() -> None:
    assert np.array_equal(np.asarray(Pose(TWO, NAMES)), TWO)


def test_asarray_takes_a_dtype_and_copies_when_asked() -> None:
    pose = Pose(ONE.copy(), NAMES)
    assert np.asarray(pose, dtype=np.float64).dtype == np.float64
    copied = np.array(pose)
    copied[:] = -1
    assert np.array_equal(pose.keypoints, ONE)
    assert np.shares_memory(np.asarray(pose), pose.keypoints)


def test_a_copy_that_cannot_be_avoided_is_refused() -> None:
    if np.lib.NumpyVersion(np.__version__) < "2.0.0":
        pytest.skip("NumPy 1 has no copy=False of this kind")
    with pytest.raises(ValueError, match="copy"):
        np.asarray(Pose(ONE, NAMES), dtype=np.float64, copy=False)


def test_a_body_part_by_name() -> None:
    assert np.array_equal(Pose(ONE, NAMES)["center"], ONE[0, 1])
    assert np.array_equal(Pose(TWO, NAMES)["tailbase"], TWO[:, 2])
    with pytest.raises(KeyError, match="no body part 'nose'; the model has snout, center, tailbase"):
        Pose(ONE, NAMES)["nose"]


def test_it_prints_its_shape_not_its_numbers() -> None:
    assert repr(Pose(TWO, NAMES, frame_id=7)) == "Pose(frame_id=7, individuals=2, bodyparts=3)"


def test_outside_a_session_it_has_no_frame_and_no_rules() -> None:
    pose = Pose(ONE, NAMES)
    assert (pose.frame_id, pose.exposure_start_ns, pose.age_ns, dict(pose.rules)) == (-1, 0, 0, {})

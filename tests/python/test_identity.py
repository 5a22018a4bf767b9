"""Identity on recorded mice against the order of detections and the nearest centroid; and its binding."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from benches.animals import identity as bench
from numpy.typing import NDArray

from fastpose import _core as core
from fastpose.errors import ConfigError

DATA = Path(os.environ.get("FASTPOSE_DATA", "../shared/data"))
TRACKLETS = DATA / "trimouse-poses" / "trimouse_tracklets.npz"
NAN = (np.nan, np.nan, 0.0)


@pytest.fixture(scope="module")
def mice() -> NDArray[np.float32]:
    """(frames, 3, 12, 3) of three mice at 30 Hz."""
    if not TRACKLETS.exists():
        pytest.skip(f"no {TRACKLETS}: set FASTPOSE_DATA")
    with np.load(TRACKLETS, allow_pickle=False) as file:
        poses: NDArray[np.float32] = file["trk"].swapaxes(0, 1)
    return poses


def total(mice: NDArray[np.float32], *conditions: bench.Condition) -> dict[str, dict[str, int]]:
    rounds = [bench.measure(mice, 30.0, condition, seed) for condition in conditions for seed in (0, 1)]
    keys = ("switches", "crossings", "crossings_held")
    return {name: {key: sum(r[name][key] for r in rounds) for key in keys} for name in bench.METHODS}


def test_recorded_mice_keep_their_slots(mice: NDArray[np.float32]) -> None:
    found = bench.measure(mice, 30.0, bench.CONDITIONS[0])
    assert found["fastpose"]["switches"] == 0
    assert found["fastpose"]["crossings_held"] == found["fastpose"]["crossings"] > 20
    assert found["order of detections"]["right"] < 0.5


def test_crossings_hold_better_than_by_order_or_centroid(mice: NDArray[np.float32]) -> None:
    hard = [condition for condition in bench.CONDITIONS if condition.covered_px > 0 and condition.every == 1]
    found = total(mice, *hard)
    ours, centroid, order = (found[n] for n in ("fastpose", "nearest centroid", "order of detections"))
    assert ours["crossings"] > 100
    assert 2 * ours["switches"] <= centroid["switches"] and centroid["switches"] >= 10
    assert 100 * ours["switches"] <= order["switches"]
    lost = {name: values["crossings"] - values["crossings_held"] for name, values in found.items()}
    assert 2 * lost["fastpose"] <= lost["nearest centroid"] < lost["order of detections"]


# --- the measures themselves ---


def walking(frames: int = 40) -> NDArray[np.float32]:
    """Two animals of two parts: the second passes through the first."""
    poses = np.ones((frames, 2, 2, 3), np.float32)
    poses[:, :, :, 0] = np.array([0, 20])
    poses[:, :, :, 1] = 0
    poses[:, 1, :, 0] += np.linspace(-200, 200, frames)[:, None]
    return poses


def test_crossings_are_where_centroids_are_within_a_body_length() -> None:
    ((a, b, start, end),) = bench.crossings(walking())
    assert (a, b) == (0, 1)
    assert bench.body_length_px(walking()) == 20
    away = np.abs(np.linspace(-200, 200, 40))
    assert (away[start:end] < 20).all() and (np.delete(away, range(start, end)) >= 20).all()


def test_scores_count_switches_and_held_crossings() -> None:
    visible = np.ones((10, 2), bool)
    kept = np.tile([0, 1], (10, 1))
    swapped = kept.copy()
    swapped[5:] = (1, 0)
    episode = [(0, 1, 4, 7)]
    assert bench.scores(kept, visible, episode)["switches"] == 0
    found = bench.scores(swapped, visible, episode)
    assert (found["switches"], found["switches_per_1000_frames"]) == (2, 200.0)
    assert (found["right"], found["crossings_held"]) == (0.5, 0)
    back = kept.copy()
    back[5] = (1, 0)
    assert bench.scores(back, visible, episode)["crossings_held"] == 1
    visible[5] = False  # nobody saw it
    assert bench.scores(back, visible, episode)["switches"] == 0


def test_shuffled_says_who_is_where() -> None:
    poses, order = bench.shuffled(walking(), seed=3)
    assert np.array_equal(np.take_along_axis(walking(), order[:, :, None, None], 1), poses)
    assert len(np.unique(order, axis=0)) == 2


# --- the binding ---


def test_individuals_are_permuted_in_place() -> None:
    identity = core.motion_identity((2, 2))
    first = walking()[0]
    second = first[::-1].copy()
    identity.apply(first, 1)
    identity.apply(second, 10_000_001)
    assert np.array_equal(second, first)
    identity.reset()
    begun_anew = first[::-1].copy()
    identity.apply(begun_anew, 20_000_001)
    assert np.array_equal(begun_anew, first[::-1])


def test_an_animal_that_is_not_seen_leaves_its_slot_free() -> None:
    identity = core.motion_identity((2, 2))
    pose = walking()[0]
    identity.apply(pose.copy(), 1)
    alone = np.array([pose[1], [NAN, NAN]], np.float32)
    identity.apply(alone, 10_000_001)
    assert np.isnan(alone[0, :, :2]).all() and np.array_equal(alone[1], pose[1])


@pytest.mark.parametrize("shape", [(3, 2, 3), (2, 3, 3), (2, 2, 2), (4, 3)])
def test_a_pose_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="pose has"):
        core.motion_identity((2, 2)).apply(np.zeros(shape, np.float32), 1)


@pytest.mark.parametrize(
    "values", [{"tolerance": 0.0}, {"min_likelihood": 2.0}, {"max_gap_ms": -1.0}, {"velocity_window_ms": 0.0}]
)
def test_bad_values_are_named(values: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(values))):
        core.motion_identity((2, 2), **values)

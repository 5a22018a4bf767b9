"""How well identity holds: animals whose order is lost in every frame, put back in three ways.

Poses are (frames, individuals, K, 3) x, y (px), likelihood; missing keypoints are NaN, NaN, 0. An order is
(frames, individuals): which animal stands in each slot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastpose import _core

__all__ = [
    "CONDITIONS",
    "METHODS",
    "Condition",
    "body_length_px",
    "crossings",
    "measure",
    "scores",
    "shuffled",
]

Poses = NDArray[np.float32]
Order = NDArray[np.int64]
Method = Callable[[Poses, float], Order]  # poses, rate in Hz


@dataclass(frozen=True)
class Condition:
    """What the network would miss, and how fast the camera is."""

    name: str
    every: int = 1  # frames of the recording
    missing: float = 0.0  # of the keypoints
    hidden: float = 0.0  # of the animals' time, in gaps of half a second
    jitter_px: float = 0.0  # standard deviation of each coordinate
    covered_px: float = 0.0  # keypoints nearer to another animal's than this are missing half of the time
    closer: float = 0.0  # part of the way by which the animals' mean positions are moved together


CONDITIONS = (
    Condition("as recorded, 30 Hz"),
    Condition("3 px noise, 30 % of keypoints missing", missing=0.3, jitter_px=3),
    Condition("noise, missing, covered in crossings", missing=0.3, jitter_px=3, covered_px=60),
    Condition("the same, closer together", missing=0.3, jitter_px=3, covered_px=60, closer=0.7),
    Condition("the same, 15 Hz", every=2, missing=0.3, jitter_px=3, covered_px=60, closer=0.7),
    Condition("animals hidden for 0.5 s, 5 % of the time", hidden=0.05),
    Condition("10 Hz", every=3),
)


# --- what the methods get ---


def moved_closer(poses: Poses, share: float) -> Poses:
    """Return the poses with each animal moved towards the others: 1 lets their mean positions coincide."""
    means = np.nanmean(poses[..., :2], axis=(0, 2), keepdims=True)
    found: Poses = poses.copy()
    found[..., :2] -= share * (means - means.mean(axis=1, keepdims=True))
    return found


def degraded(poses: Poses, condition: Condition, rate_hz: float, seed: int) -> Poses:
    """Return the poses as a worse camera or network would give them."""
    random = np.random.default_rng(seed)
    found = poses[:: condition.every].copy()
    found[..., :2] += random.normal(0, condition.jitter_px, found[..., :2].shape).astype(np.float32)
    gone = random.random(found.shape[:3]) < condition.missing
    gone |= _near_another(found, condition.covered_px) & (random.random(found.shape[:3]) < 0.5)
    gap = max(1, round(rate_hz / condition.every / 2))
    starts = random.random(found.shape[:2]) < condition.hidden / gap
    for frame, animal in np.argwhere(starts[1:]):
        gone[frame + 1 : frame + 1 + gap, animal] = True
    found[gone] = (np.nan, np.nan, 0)
    return np.asarray(found, np.float32)


def _near_another(poses: Poses, distance_px: float) -> NDArray[np.bool_]:
    """(frames, individuals, K) whether another animal has a keypoint within the distance."""
    near = np.zeros(poses.shape[:3], bool)
    for a, b in permutations(range(poses.shape[1]), 2):
        ways = poses[:, a, :, None, :2] - poses[:, b, None, :, :2]
        near[:, a] |= (np.linalg.norm(ways, axis=-1) < distance_px).any(axis=-1)
    return near


def shuffled(poses: Poses, seed: int) -> tuple[Poses, Order]:
    """Return the poses with the animals of each frame in a random order, and that order."""
    random = np.random.default_rng(seed)
    order = np.array([random.permutation(poses.shape[1]) for _ in poses])
    order[0] = np.arange(poses.shape[1])
    return np.take_along_axis(poses, order[:, :, None, None], axis=1), order


# --- the methods: each gives the index of the detection that it puts into each slot ---


def as_detected(poses: Poses, rate_hz: float) -> Order:
    """Leave every frame as it is."""
    return np.tile(np.arange(poses.shape[1]), (len(poses), 1))


def nearest_centroid(poses: Poses, rate_hz: float) -> Order:
    """Least sum of distances between centroids and where each slot's was last."""
    with np.errstate(invalid="ignore"):
        centroids = _centroids(poses)
    choices = np.array(list(permutations(range(poses.shape[1]))))
    slots, last, order = np.arange(poses.shape[1]), centroids[0].copy(), []
    for now in centroids:
        distance = np.nan_to_num(np.linalg.norm(last[:, None] - now[None], axis=-1), nan=1e4)
        best = choices[distance[slots, choices].sum(axis=1).argmin()]
        order.append(best)
        seen = np.isfinite(now[best, 0])
        last[seen] = now[best][seen]
    return np.array(order)


def motion(poses: Poses, rate_hz: float) -> Order:
    """Return what fastpose does with its defaults."""
    identity = _core.motion_identity(poses.shape[1:3])
    step_ns, order = round(1e9 / rate_hz), []
    for number, pose in enumerate(poses):
        out = pose.copy()
        identity.apply(out, (number + 1) * step_ns)
        order.append(_sources(pose, out))
    return np.array(order)


def _sources(before: Poses, after: Poses) -> list[int]:
    """Index in `before` of each individual of `after`; animals without keypoints are interchangeable."""
    found: list[int] = []
    for individual in after:
        same = (i for i, other in enumerate(before) if np.array_equal(other, individual, equal_nan=True))
        found.append(next(i for i in same if i not in found))
    return found


METHODS: dict[str, Method] = {
    "order of detections": as_detected,
    "nearest centroid": nearest_centroid,
    "fastpose": motion,
}


# --- what came of it ---


def body_length_px(poses: Poses) -> float:
    """Median over all animals of the largest distance between two keypoints."""
    points = poses[::10, ..., :2].reshape(-1, poses.shape[2], 2)
    lengths = np.linalg.norm(points[:, :, None] - points[:, None], axis=-1)
    return float(np.nanmedian(np.nanmax(lengths, axis=(1, 2))))


def crossings(poses: Poses) -> Iterator[tuple[int, int, int, int]]:
    """Yield animal, other animal, first and last frame of each time that they are within a body length."""
    centroids, near_px = _centroids(poses), body_length_px(poses)
    for a, b in combinations(range(poses.shape[1]), 2):
        near = np.linalg.norm(centroids[:, a] - centroids[:, b], axis=-1) < near_px
        edges = np.flatnonzero(np.diff(np.r_[False, near, False].astype(np.int8)))
        for start, end in edges.reshape(-1, 2):
            if start > 0 and end < len(poses):  # it must come from somewhere, and end
                yield a, b, int(start), int(end)


def scores(
    order: Order, visible: NDArray[np.bool_], episodes: list[tuple[int, int, int, int]]
) -> dict[str, Any]:
    """Return how often animals changed their slot.

    Parameters
    ----------
    order : ndarray
        (frames, individuals) the true animal in each slot.
    visible : ndarray
        (frames, individuals) whether an animal has a keypoint: one that has none stands nowhere.
    episodes : list
        As `crossings` yields them.

    Returns
    -------
    dict
        switches: an animal is seen in another slot than when it was seen last (MOTA's identity switches),
        also per 1000 frames; right: part of all sightings in the animal's first slot; crossings, and how many
        of them both animals left in the slots in which they came.
    """
    slots = np.argsort(order, axis=1)  # (frames, animals)
    switches = right = 0
    for animal in range(order.shape[1]):
        seen = slots[visible[:, animal], animal]
        switches += int(np.count_nonzero(np.diff(seen)))
        right += int(np.count_nonzero(seen == seen[0]))
    held = sum(_held(slots, visible, episode) for episode in episodes)
    return {
        "frames": len(order),
        "switches": switches,
        "switches_per_1000_frames": round(1000 * switches / len(order), 2),
        "right": round(right / int(np.count_nonzero(visible)), 4),
        "crossings": len(episodes),
        "crossings_held": held,
    }


def _held(slots: Order, visible: NDArray[np.bool_], episode: tuple[int, int, int, int]) -> bool:
    *animals, start, end = episode
    return all(
        slots[_last(visible[:start, animal]), animal] == slots[end + _first(visible[end:, animal]), animal]
        for animal in animals
    )


def _first(seen: NDArray[np.bool_]) -> int:
    return int(seen.argmax())


def _last(seen: NDArray[np.bool_]) -> int:
    return len(seen) - 1 - int(seen[::-1].argmax())


def _centroids(poses: Poses) -> NDArray[np.float64]:
    """(frames, individuals, 2); NaN for an animal without keypoints."""
    points = poses[..., :2].astype(float)
    count = np.isfinite(points).sum(axis=2)
    return np.asarray(np.nansum(points, axis=2) / np.where(count, count, np.nan))


def measure(poses: Poses, rate_hz: float, condition: Condition, seed: int = 0) -> dict[str, dict[str, Any]]:
    """Return the scores of each method on shuffled poses of a recording.

    Parameters
    ----------
    poses : ndarray
        (frames, individuals, K, 3) of a recording in which animals keep their index.
    rate_hz : float
    condition : Condition
    seed : int
    """
    poses = moved_closer(poses, condition.closer)
    episodes = list(crossings(poses[:: condition.every]))
    detections, truth = shuffled(degraded(poses, condition, rate_hz, seed), seed)
    slots = np.argsort(truth, axis=1)
    visible = np.asarray(
        np.isfinite(np.take_along_axis(detections[..., 0], slots[..., None], axis=1)).any(-1)
    )
    found = {}
    for name, method in METHODS.items():
        chosen = method(detections, rate_hz / condition.every)
        found[name] = scores(np.take_along_axis(truth, chosen, axis=1), visible, episodes)
    return found

"""What zones, conditions and rules compute, in NumPy and written to be read.

A pose is (individuals, bodyparts, 3): x, y, likelihood. A condition is a function of one individual's
positions so far (T, bodyparts, 2), NaN where missing, their times in ns, and whether the rule is active;
it gives True, False, or None for missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Truth = bool | None
Condition = Callable[[Array, NDArray[np.int64], bool], Truth]


# Zones: signed distance in px, negative inside.


def polygon_signed_distance(corners: Sequence[Sequence[float]], place: Sequence[float]) -> float:
    """Distance to the nearest edge; inside where the edges wind around the place (sum of angles)."""
    start = np.asarray(corners, float)
    end = np.roll(start, -1, axis=0)
    along = end - start
    where = np.einsum("ij,ij->i", np.asarray(place) - start, along) / np.einsum("ij,ij->i", along, along)
    nearest = start + np.clip(where, 0, 1)[:, None] * along
    distance = float(np.hypot(*(np.asarray(place) - nearest).T).min())
    if distance == 0:
        return 0.0
    rays = (start - place) @ [1, 1j]
    turns = np.angle(np.roll(rays, -1) / rays).sum() / (2 * np.pi)
    return -distance if abs(turns) > 0.5 else distance


def circle_signed_distance(center: Sequence[float], radius_px: float, place: Sequence[float]) -> float:
    return float(np.linalg.norm(np.subtract(place, center)) - radius_px)


def rectangle_signed_distance(
    x: float, y: float, width: float, height: float, place: Sequence[float]
) -> float:
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    return polygon_signed_distance(corners, place)


# Conditions.


def gated(poses: NDArray[np.float32], min_likelihood: float) -> Array:
    """Positions (T, individuals, bodyparts, 2), NaN where the keypoint is missing."""
    missing = ~(poses[..., 2] >= np.float32(min_likelihood)) | np.isnan(poses[..., :2]).any(axis=-1)
    positions = poses[..., :2].astype(float)
    positions[missing] = np.nan
    return positions


def any_of(truths: Sequence[Truth]) -> Truth:
    if any(truth is True for truth in truths):
        return True
    return None if all(truth is None for truth in truths) else False


def all_of(truths: Sequence[Truth]) -> Truth:
    if any(truth is False for truth in truths):
        return False
    return None if any(truth is None for truth in truths) else True


def beyond(value: float, active: bool, above: float | None, below: float | None, hysteresis: float) -> Truth:
    if np.isnan(value):
        return None
    eased = hysteresis if active else 0
    return bool(value > above - eased if above is not None else value < below + eased)


def in_zone(
    signed_distance: Callable[[Array], float],
    bodyparts: Sequence[int],
    which: str = "any",
    outside: bool = False,
    hysteresis_px: float = 0,
) -> Condition:
    def one(place: Array, active: bool) -> Truth:
        if np.isnan(place).any():
            return None
        margin_px = hysteresis_px if active else 0
        distance = signed_distance(place)
        return distance > -margin_px if outside else distance <= margin_px

    def condition(positions: Array, times_ns: NDArray[np.int64], active: bool) -> Truth:
        truths = [one(positions[-1, b], active) for b in bodyparts]
        return any_of(truths) if which == "any" else all_of(truths)

    return condition


def speed(
    bodypart: int,
    above: float | None = None,
    below: float | None = None,
    window_ms: float = 50,
    hysteresis: float = 0,
) -> Condition:
    def condition(positions: Array, times_ns: NDArray[np.int64], active: bool) -> Truth:
        track = positions[:, bodypart]
        now = track[-1]
        held = np.isfinite(track[:, 0]) & (times_ns[-1] - times_ns <= window_ms * 1e6)
        oldest = np.flatnonzero(held)[:1]
        if np.isnan(now).any() or oldest == len(track) - 1:
            return None
        way_px = np.linalg.norm(now - track[oldest[0]])
        return beyond(way_px / ((times_ns[-1] - times_ns[oldest[0]]) / 1e9), active, above, below, hysteresis)

    return condition


def distance(
    bodyparts: Sequence[int],
    above: float | None = None,
    below: float | None = None,
    hysteresis: float = 0,
) -> Condition:
    def condition(positions: Array, times_ns: NDArray[np.int64], active: bool) -> Truth:
        a, b = positions[-1, list(bodyparts)]
        return beyond(float(np.linalg.norm(a - b)), active, above, below, hysteresis)

    return condition


def angle(
    bodyparts: Sequence[int],
    point: Sequence[float] | None = None,
    heading_deg: float | None = None,
    above: float | None = None,
    below: float | None = None,
    hysteresis: float = 0,
) -> Condition:
    def condition(positions: Array, times_ns: NDArray[np.int64], active: bool) -> Truth:
        places = positions[-1, list(bodyparts)]
        if len(places) == 3:
            first, second = places[0] - places[1], places[2] - places[1]
        else:
            first = places[1] - places[0]
            heading = np.radians(heading_deg or 0)
            second = point - places[1] if point is not None else np.array([np.cos(heading), np.sin(heading)])
        norms = np.linalg.norm(first) * np.linalg.norm(second)
        if norms == 0:
            return None
        return beyond(
            np.degrees(np.arccos(np.clip(first @ second / norms, -1, 1))), active, above, below, hysteresis
        )

    return condition


# Rules.


def rule_values(
    condition: Condition,
    poses: NDArray[np.float32],
    times_ns: NDArray[np.int64],
    *,
    min_likelihood: float = 0.6,
    individual: int | str = "any",
    min_duration_ms: float = 0,
    refractory_ms: float = 0,
    missing: str = "hold",
) -> list[bool]:
    """The rule's value at each frame of poses (T, individuals, bodyparts, 3).

    A condition with `of_all` gets the positions of all individuals and the index of the one it is about.
    """
    timing = {"min_duration_ms": min_duration_ms, "refractory_ms": refractory_ms, "missing": missing}
    positions = gated(poses, min_likelihood)
    individuals = [individual] if isinstance(individual, int) else range(poses.shape[1])
    join = all_of if individual == "all" else any_of

    def truth(i: int, active: bool) -> Truth:
        seen, times = positions[: i + 1], times_ns[: i + 1]
        if getattr(condition, "of_all", False):
            return join([condition(seen, k, times, active) for k in individuals])
        return join([condition(seen[:, k], times, active) for k in individuals])

    return timed(truth, times_ns, **timing)[1]


def timed(
    truth: Callable[[int, bool], Truth],
    times_ns: NDArray[np.int64],
    *,
    min_duration_ms: float = 0,
    refractory_ms: float = 0,
    missing: str = "hold",
) -> tuple[list[Truth], list[bool]]:
    """What a condition said in each frame, and the rule's values."""
    raw, value = False, False
    true_since_ns, ended_ns = None, -np.inf
    truths, values = [], []
    for i, now_ns in enumerate(times_ns):
        said = truth(i, value)
        raw = said if said is not None else {"hold": raw, "false": False, "true": True}[missing]
        if raw:
            true_since_ns = now_ns if true_since_ns is None else true_since_ns
            lasted = now_ns - true_since_ns >= min_duration_ms * 1e6
            value = value or bool(lasted and now_ns - ended_ns >= refractory_ms * 1e6)
        else:
            ended_ns = now_ns if value else ended_ns
            true_since_ns, value = None, False
        truths.append(said)
        values.append(value)
    return truths, values

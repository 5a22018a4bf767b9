"""What the rules on motion, shape, other animals, visits and lines compute, in NumPy; see oracle.rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oracle.rule import Array, Condition, Truth, all_of, any_of, beyond

Times = NDArray[np.int64]


def ellipse_signed_distance(
    center: Sequence[float], half_axes: Sequence[float], angle_deg: float, place: Sequence[float]
) -> float:
    """By looking at the border, ever finer."""
    turn = np.exp(1j * np.radians(angle_deg))
    at = complex(*np.subtract(place, center)) / turn
    low, high = 0.0, 2 * np.pi
    for _ in range(12):
        angles = np.linspace(low, high, 4001)
        away = np.abs(half_axes[0] * np.cos(angles) + 1j * half_axes[1] * np.sin(angles) - at)
        best, step = angles[away.argmin()], angles[1] - angles[0]
        low, high = best - 2 * step, best + 2 * step
    inside = (at.real / half_axes[0]) ** 2 + (at.imag / half_axes[1]) ** 2 <= 1
    return float(-away.min() if inside else away.min())


def mask_signed_distance(mask: NDArray[np.uint8], place: Sequence[float]) -> float:
    """Between centres of pixels, less half of one."""
    rows, columns = np.mgrid[: mask.shape[0], : mask.shape[1]]
    column, row = (
        int(np.floor(np.clip(v, 0, n - 1) + 0.5)) for v, n in zip(place, mask.shape[::-1], strict=True)
    )
    inside = bool(mask[row, column])
    other = (mask != 0) != inside
    nearest = np.hypot(rows[other] - row, columns[other] - column).min()
    return float(0.5 - nearest if inside else nearest - 0.5)


def window(track: Array, times_ns: Times, window_ms: float) -> tuple[Array, Array]:
    """Places (n, 2) that were seen in the window, and their times in s; empty if there is none now."""
    held = np.isfinite(track).all(axis=-1) & (times_ns[-1] - times_ns <= window_ms * 1e6)
    if not held[-1]:
        return track[:0], np.zeros(0)
    return track[held], times_ns[held] / 1e9


def speed_of(track: Array, times_ns: Times, window_ms: float) -> float:
    places, times = window(track, times_ns, window_ms)
    return (
        float(np.linalg.norm(places[-1] - places[0]) / (times[-1] - times[0])) if len(places) > 1 else np.nan
    )


def freezing(
    bodyparts: Sequence[int], which: str, below: float, window_ms: float, hysteresis: float
) -> Condition:
    def condition(positions: Array, times_ns: Times, active: bool) -> Truth:
        speeds = [speed_of(positions[:, part], times_ns, window_ms) for part in bodyparts]
        join = all_of if which == "all" else any_of
        return join([beyond(speed, active, None, below, hysteresis) for speed in speeds])

    return condition


def acceleration(bodypart: int, change: str, window_ms: float, **limit: Any) -> Condition:
    def condition(positions: Array, times_ns: Times, active: bool) -> Truth:
        places, times = window(positions[:, bodypart], times_ns, window_ms)
        if len(places) < 3:
            return None
        until = np.flatnonzero(times[1:-1] <= (times[0] + times[-1]) / 2)
        middle = 1 + (until[-1] if len(until) else 0)
        before, after = (
            (places[b] - places[a]) / (times[b] - times[a]) for a, b in ((0, middle), (middle, -1))
        )
        amount = np.linalg.norm(after) - np.linalg.norm(before)
        amount = (
            np.linalg.norm(after - before) if change == "any" else amount * (1 if change == "faster" else -1)
        )
        if change != "any" and amount <= 0 and limit.get("below") is not None:
            return False
        return beyond(float(amount / ((times[-1] - times[0]) / 2)), active, **limit)

    return condition


def sided(turn: float, side: str, active: bool, limit: dict[str, Any]) -> Truth:
    """A turn against a limit; one to the other side reaches none."""
    if np.isnan(turn):
        return None
    amount = abs(turn) if side == "both" else turn * (1 if side == "right" else -1)
    if side != "both" and amount <= 0:
        return False
    return beyond(amount, active, **limit)


def heading(places: Array) -> float:
    """Degrees; of two body parts, or of the joint that three make."""
    if np.isnan(places).any():
        return np.nan
    points = places @ [1, 1j]
    ways = [points[1] - points[0]] if len(points) == 2 else [points[2] - points[1], points[0] - points[1]]
    if any(way == 0 for way in ways):
        return np.nan
    return float(np.degrees(np.angle(ways[0] if len(ways) == 1 else ways[0] / ways[1])))


def angular_velocity(bodyparts: Sequence[int], side: str, window_ms: float, **limit: Any) -> Condition:
    def condition(positions: Array, times_ns: Times, active: bool) -> Truth:
        angles = np.array([heading(places) for places in positions[:, list(bodyparts)]])
        held = np.isfinite(angles) & (times_ns[-1] - times_ns <= window_ms * 1e6)
        if not held[-1] or held.sum() < 2:
            return None
        turned, times = np.unwrap(angles[held], period=360), times_ns[held] / 1e9
        return sided((turned[-1] - turned[0]) / (times[-1] - times[0]), side, active, limit)

    return condition


def egocentric(bodyparts: Sequence[int], side: str, **limit: Any) -> Condition:
    def condition(positions: Array, times_ns: Times, active: bool) -> Truth:
        back, neck, nose = positions[-1, list(bodyparts)] @ [1, 1j]
        if np.isnan([back, neck, nose]).any() or neck == back or nose == neck:
            return None
        return sided(float(np.degrees(np.angle((nose - neck) / (neck - back)))), side, active, limit)

    return condition


def body_length(bodyparts: Sequence[int], **limit: Any) -> Condition:
    def condition(positions: Array, times_ns: Times, active: bool) -> Truth:
        places = positions[-1, list(bodyparts)]
        return beyond(float(np.linalg.norm(np.diff(places, axis=0), axis=1).sum()), active, **limit)

    return condition


def posture(
    bodyparts: Sequence[int], places: Sequence[Sequence[float]], turn: bool, scale: bool, **limit: Any
) -> Condition:
    """By trying turns, ever finer; the size that fits best is the least squares' one, not below 0."""
    shape = np.asarray(places, float) @ [1, 1j]
    shape = shape - shape.mean()

    def misfit(seen: NDArray[np.complex128], angles: NDArray[np.float64]) -> NDArray[np.float64]:
        turned = shape * np.exp(1j * angles)[:, None]
        size = (
            (turned.conj() * seen).real.sum(axis=1) / (abs(shape) ** 2).sum()
            if scale
            else np.ones(len(angles))
        )
        size = np.maximum(size, 0)
        return np.sqrt((abs(seen - size[:, None] * turned) ** 2).mean(axis=1))

    def condition(positions: Array, times_ns: Times, active: bool) -> Truth:
        seen = positions[-1, list(bodyparts)] @ [1, 1j]
        if np.isnan(seen).any():
            return None
        seen = seen - seen.mean()
        low, high = 0.0, 2 * np.pi
        for _ in range(8 if turn else 0):
            angles = np.linspace(low, high, 2001)
            best = angles[misfit(seen, angles).argmin()]
            low, high = best - 2 * (angles[1] - angles[0]), best + 2 * (angles[1] - angles[0])
        return beyond(float(misfit(seen, np.array([best if turn else 0.0]))[0]), active, **limit)

    return condition


def distances(
    positions: Array, k: int, bodypart: int, point: Sequence[float] | None, to: int, who: int | str
) -> Array:
    """Of individual k to each target at each time: (T, targets)."""
    here = positions[:, k, bodypart]
    if point is not None:
        return np.linalg.norm(here - point, axis=-1)[:, None]
    targets = [k] if who == "self" else [i for i in range(positions.shape[1]) if i != k]
    if isinstance(who, int):
        targets = [who] if who != k else []
    return np.linalg.norm(here[:, None] - positions[:, targets, to], axis=-1)


def contact(
    bodypart: int, point: Sequence[float] | None = None, to: int = 0, who: int | str = "other", **limit: Any
) -> Any:
    def condition(positions: Array, k: int, times_ns: Times, active: bool) -> Truth:
        now = distances(positions, k, bodypart, point, to, who)[-1]
        now = now[np.isfinite(now)]
        return beyond(float(now.min()) if len(now) else np.nan, active, **limit)

    condition.of_all = True  # type: ignore[attr-defined]
    return condition


def approach(
    bodypart: int,
    point: Sequence[float] | None = None,
    to: int = 0,
    who: int | str = "other",
    away: bool = False,
    window_ms: float = 200,
    **limit: Any,
) -> Any:
    def condition(positions: Array, k: int, times_ns: Times, active: bool) -> Truth:
        rates = []
        for track in distances(positions, k, bodypart, point, to, who).T:
            held = np.isfinite(track) & (times_ns[-1] - times_ns <= window_ms * 1e6)
            if held[-1] and held.sum() > 1:
                seconds = (times_ns[-1] - times_ns[held][0]) / 1e9
                rates.append((track[-1] - track[held][0]) / seconds * (1 if away else -1))
        return beyond(max(rates) if rates else np.nan, active, **limit)

    condition.of_all = True  # type: ignore[attr-defined]
    return condition


def both(first: Condition, second: Condition) -> Condition:
    return lambda *seen: all_of([first(*seen), second(*seen)])


# Of series: one value a frame.


def edges(truths: Sequence[Truth], values: Sequence[bool], begins: bool) -> list[bool]:
    """Where values change; a begin counts once the condition was seen not to hold."""
    found = []
    for i, value in enumerate(values):
        before = values[i - 1] if i else False
        known = any(truth is False for truth in truths[:i])
        found.append(bool(value and not before and known) if begins else bool(before and not value))
    return found


def held_ms(values: Sequence[bool], times_ns: Times, within_ms: float | None) -> list[float]:
    """How long values were true: in the present visit, or within a window."""
    totals = []
    for i, now_ns in enumerate(times_ns):
        total = 0
        for j in range(i, 0, -1):
            together = values[j] and values[j - 1]
            if within_ms is None and not together:
                break
            start_ns = times_ns[j - 1]
            if within_ms is not None:
                start_ns = max(start_ns, now_ns - round(within_ms * 1e6))
            total += max(0, times_ns[j] - start_ns) if together else 0
        totals.append(total / 1e6 if within_ms is not None or values[i] else 0.0)
    return totals


def crossings(
    track: Array,
    times_ns: Times,
    start: Sequence[float],
    end: Sequence[float],
    side: str,
    hysteresis: float,
    max_gap_ms: float,
) -> list[bool]:
    """Whether a track (T, 2) has crossed the line in each frame."""
    line = np.subtract(end, start)
    found = [False] * len(track)
    last: int | None = None
    arrived, through = 0, False
    for i, place in enumerate(track):
        if np.isnan(place).any():
            continue
        if last is None or times_ns[i] - times_ns[last] > max_gap_ms * 1e6:
            last, arrived, through = None, 0, False
        behind = _cross(line, place - start) / np.linalg.norm(line)
        if last is not None:
            before = _cross(line, track[last] - start) / np.linalg.norm(line)
            if (before > 0) != (behind > 0):
                met = track[last] + (place - track[last]) * before / (before - behind)
                through = bool(0 <= (met - start) @ line / (line @ line) <= 1)
        if abs(behind) > hysteresis:
            now = 1 if behind > 0 else -1
            wanted = {"both": (-1, 1), "left": (-1,), "right": (1,)}[side]
            found[i] = arrived == -now and through and now in wanted
            arrived = now
        last = i
    return found


def _cross(a: Any, b: Any) -> float:
    return float(a[0] * b[1] - a[1] * b[0])


def sequence(begins: Sequence[Sequence[bool]], times_ns: Times, within_ms: float) -> list[bool]:
    """Whether one begin after another was just completed; by trying all choices since the last time."""
    found, since = [], 0
    for i in range(len(times_ns)):
        done = _chain(begins, len(begins) - 1, i, since, times_ns, within_ms)
        found.append(done)
        since = i + 1 if done else since
    return found


def _chain(
    begins: Sequence[Sequence[bool]], step: int, i: int, since: int, times_ns: Times, within_ms: float
) -> bool:
    if i < since or not begins[step][i]:
        return False
    if step == 0:
        return True
    return any(
        times_ns[i] - times_ns[j] <= within_ms * 1e6
        and _chain(begins, step - 1, j, since, times_ns, within_ms)
        for j in range(since, i)
    )


def series(values: Sequence[bool]) -> Callable[[int, bool], Truth]:
    """A condition for `oracle.rule.timed` that says what is given."""
    return lambda i, active: bool(values[i])

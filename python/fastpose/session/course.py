"""Picture of the latency report: the course over the session, with drops and late reactions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastpose.session import svg
from fastpose.session.charts import WIDTH, Float64, beyond_note, ms, range_ms

__all__ = ["Course", "course_chart"]

_COLUMNS = 420
_DOTS = 1_500  # up to so many frames are drawn one by one
_LEFT, _RIGHT, _TOP, _BOTTOM = 92.0, WIDTH - 62.0, 22.0, 262.0
_RUG_PX = 18


@dataclass(frozen=True)
class Course:
    """What the course over the session shows.

    Attributes
    ----------
    decided_s, decided_ms : ndarray
        (n,) time in the session and latency of each decision, ordered by time.
    acted_s, acted_ms : ndarray
        (m,) the same for frames that moved an output.
    late_s, late_ms : ndarray
        (k,) late reactions; NaN where the latency is unknown.
    drops_s : dict of ndarray
        Times of the drops, by reason.
    """

    decided_s: Float64
    decided_ms: Float64
    acted_s: Float64
    acted_ms: Float64
    late_s: Float64
    late_ms: Float64
    drops_s: dict[str, Float64]

    @property
    def dotted(self) -> bool:
        """Few enough frames to draw one by one."""
        return len(self.decided_s) <= _DOTS

    @property
    def rugs(self) -> dict[str, Float64]:
        """What is marked below the plot."""
        rows = {f"{reason} drops": times for reason, times in self.drops_s.items()} | {"late": self.late_s}
        return {name: times for name, times in rows.items() if len(times)}


def course_chart(course: Course, deadline_ms: float | None) -> str:
    """Latency over the session with drops below and late reactions marked."""
    x, y = _scales(course, deadline_ms)
    floor = _BOTTOM + (10 if course.rugs else 0) + _RUG_PX * len(course.rugs)
    parts = _y_axis(y)
    parts += (
        _dots(x, y, course.decided_s, course.decided_ms, "decided") if course.dotted else _band(x, y, course)
    )
    parts += _dots(x, y, *_fewer(course.acted_s, course.acted_ms), "acted")
    parts += [_late_mark(x, y, *mark) for mark in zip(*_fewer(course.late_s, course.late_ms), strict=True)]
    parts += [
        *_deadline_horizontal(y, deadline_ms),
        *beyond_note(course.decided_ms, y.high, _RIGHT, _TOP - 8),
    ]
    for row, (name, times) in enumerate(course.rugs.items()):
        parts += _rug(x, _BOTTOM + 12 + _RUG_PX * row, name, times)
    parts += [svg.line(_LEFT, _BOTTOM, _RIGHT, _BOTTOM, "axis"), *_time_axis(x, floor)]
    return svg.document(
        WIDTH, int(floor) + 30, "Latency over the session, with drops and late reactions", parts
    )


def _scales(course: Course, deadline_ms: float | None) -> tuple[svg.Scale, svg.Scale]:
    low, high = range_ms(np.concatenate([course.decided_ms, course.acted_ms]), deadline_ms)
    low = 0.0 if 0 < low < 0.6 * high else low
    times = np.concatenate([course.decided_s, *course.rugs.values()])
    first, last = float(times.min()), float(times.max())
    return svg.Scale(first, max(last, first + 1e-3), _LEFT, _RIGHT), svg.Scale(low, high, _BOTTOM, _TOP)


def _y_axis(y: svg.Scale) -> list[str]:
    ticks = svg.round_ticks(y.low, y.high, 5)
    parts = [svg.line(_LEFT, y(tick), _RIGHT, y(tick), "grid") for tick in ticks]
    parts += [svg.text(_LEFT - 10, y(tick) + 4, f"{tick:g}", "label", "end") for tick in ticks]
    return [*parts, svg.text(_LEFT - 10, _TOP - 8, "ms", "label", "end")]


def _deadline_horizontal(y: svg.Scale, deadline_ms: float | None) -> list[str]:
    if deadline_ms is None:
        return []
    at = y(deadline_ms)
    return [
        svg.line(_LEFT, at, _RIGHT, at, "deadline"),
        svg.text(_RIGHT, at - 5, f"deadline {deadline_ms:g} ms", "label late-text", "end"),
    ]


def _time_axis(x: svg.Scale, y: float) -> list[str]:
    unit, factor = ("min", 60.0) if x.high - x.low > 600 else ("s", 1.0)
    ticks = svg.round_ticks(x.low / factor, x.high / factor, 8)
    parts = [svg.text(x(tick * factor), y + 17, f"{tick:g}", "label", "middle") for tick in ticks]
    return [*parts, svg.text(x.stop + 14, y + 17, unit)]


def _fewer(times_s: Float64, values_ms: Float64) -> tuple[Float64, Float64]:
    """At most `_DOTS` of the values, the largest always among them."""
    if len(times_s) <= _DOTS:
        return times_s, values_ms
    spread = np.linspace(0, len(times_s) - 1, _DOTS - 20).astype(np.int64)
    largest = np.argsort(np.nan_to_num(values_ms, nan=-np.inf))[-20:]
    keep = np.union1d(spread, largest)
    return times_s[keep], values_ms[keep]


def _dots(x: svg.Scale, y: svg.Scale, times_s: Float64, values_ms: Float64, kind: str) -> list[str]:
    radius = 2.6 if kind == "acted" or len(times_s) < 300 else 1.6
    return [
        f'<circle class="dot-{kind}" cx="{x(at_s):.1f}" cy="{y(at_ms):.1f}" r="{radius}"'
        f' data-tip="{at_s:.3f} s: {kind} after {ms(float(at_ms))}"/>'
        for at_s, at_ms in zip(times_s, values_ms, strict=True)
    ]


@dataclass(frozen=True)
class _Columns:
    """Quantiles of the latency in columns of equal time; all (c,) over the columns that hold frames."""

    number: npt.NDArray[np.int64]
    count: npt.NDArray[np.int64]
    p50: Float64
    p99: Float64
    most: Float64


def _columns(x: svg.Scale, course: Course) -> _Columns:
    column = _column_of(x, course.decided_s)
    order = np.lexsort((course.decided_ms, column))
    values = course.decided_ms[order]
    number, first, count = np.unique(column[order], return_index=True, return_counts=True)
    p50, p99, most = (
        values[first + np.ceil(share * (count - 1)).astype(np.int64)] for share in (0.5, 0.99, 1.0)
    )
    return _Columns(number, count, p50, p99, most)


def _column_of(x: svg.Scale, times_s: Float64) -> npt.NDArray[np.int64]:
    share = (times_s - x.low) / (x.high - x.low)
    return (share * _COLUMNS).astype(np.int64).clip(0, _COLUMNS - 1)


def _column_start_s(x: svg.Scale, column: int) -> float:
    return x.low + column * (x.high - x.low) / _COLUMNS


def _band(x: svg.Scale, y: svg.Scale, course: Course) -> list[str]:
    """Median, 99th percentile and maximum over time."""
    columns = _columns(x, course)
    width = (x.stop - x.start) / _COLUMNS
    centre: Float64 = np.asarray(x.start + (columns.number + 0.5) * width, np.float64)
    parts = []
    for run in _runs(columns.number):
        p50, p99, most = (
            _points(centre[run], values[run], y) for values in (columns.p50, columns.p99, columns.most)
        )
        parts.append(svg.path(f"M{'L'.join(p99 + p50[::-1])}Z", "band"))
        parts.append(svg.path(f"M{'L'.join(most)}", "course-max"))
        parts.append(svg.path(f"M{'L'.join(p50)}", "course"))
    for place, number in enumerate(columns.number):
        found = {"p50": columns.p50, "p99": columns.p99, "max": columns.most}
        values = ", ".join(f"{name} {ms(float(of[place]))}" for name, of in found.items())
        tip = f"{_column_start_s(x, number):.2f} s: {values}, n = {columns.count[place]:,}"
        parts.append(svg.rect(x.start + number * width, y.stop, width, y.start - y.stop, "hover", tip))
    return parts


def _runs(number: npt.NDArray[np.int64]) -> Iterable[slice]:
    """Stretches of columns without a gap: a line does not cross a time without frames."""
    breaks = np.flatnonzero(np.diff(number) > 4) + 1
    starts, stops = [0, *breaks.tolist()], [*breaks.tolist(), len(number)]
    return (slice(start, stop) for start, stop in zip(starts, stops, strict=True))


def _points(at_x: Float64, values: Float64, y: svg.Scale) -> list[str]:
    return [f"{px:.1f} {y(value):.1f}" for px, value in zip(at_x, values, strict=True)]


def _late_mark(x: svg.Scale, y: svg.Scale, at_s: float, at_ms: float) -> str:
    known = np.isfinite(at_ms)
    px, py = x(at_s), y(at_ms) if known else y.stop
    tip = f"{at_s:.3f} s: late reaction" + (f", {ms(float(at_ms))}" if known else "")
    return svg.path(f"M{px:.1f} {py - 6:.1f}l5.5 10h-11z", "late", tip)


def _rug(x: svg.Scale, y: float, name: str, times_s: Float64) -> list[str]:
    """One row of ticks below the plot; neighbours that would touch become one."""
    kind = "late" if name == "late" else "drop"
    present, count = np.unique(_column_of(x, times_s), return_counts=True)
    parts = [
        svg.text(x.start - 10, y + 10, name, "label small", "end"),
        svg.text(x.stop + 12, y + 10, f"{len(times_s):,}", "label strong"),
        svg.line(x.start, y + 6, x.stop, y + 6, "grid"),
    ]
    for at, many in zip(present, count, strict=True):
        begin_s = _column_start_s(x, at)
        parts.append(svg.rect(x(begin_s), y, 2, 12, f"tick-{kind}", f"{begin_s:.2f} s: {many:,} {name}"))
    return parts

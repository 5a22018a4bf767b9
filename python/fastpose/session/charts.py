"""Pictures of the latency report: the stages laid end to end, and the histogram."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose.session import svg
from fastpose.session.latency import STAGES

__all__ = ["STAGE_LABELS", "WIDTH", "Float64", "histogram_chart", "ms", "range_ms", "stages_chart"]

Float64 = npt.NDArray[np.float64]

WIDTH = 960
STAGE_LABELS = (
    "exposure + transfer",
    "wait for the loop",
    "preprocess",
    "network",
    "decode",
    "filter",
    "rules + protocol",
    "output",
)
_MOST_BINS = 90
_LEFT, _RIGHT, _TOP, _BOTTOM = 62.0, WIDTH - 62.0, 46.0, 276.0  # of the histogram


def ms(value: float | None) -> str:
    """A duration with three digits, such as `8.24 ms` or `310 µs`; a dash for none."""
    if value is None:
        return "–"
    unit, shown = ("µs", value * 1000) if abs(value) < 0.9995 else ("ms", value)
    digits = 2 if abs(shown) < 9.995 else 1 if abs(shown) < 99.95 else 0
    return f"{shown:,.{digits}f}\u00a0{unit}"


def stages_chart(stages: dict[str, dict[str, Any]]) -> str:
    """The median of every stage laid end to end; a thin line reaches on to the 99th percentile."""
    found = [
        (number, label, stages[span.name])
        for number, (span, label) in enumerate(zip(STAGES, STAGE_LABELS, strict=True))
        if stages[span.name]["n"]
    ]
    ends = np.cumsum([max(values["p50"], 0.0) for _, _, values in found])
    starts = ends - [max(values["p50"], 0.0) for _, _, values in found]
    reach = max(start + max(values["p99"], 0.0) for start, (_, _, values) in zip(starts, found, strict=True))
    row, left, right = 34, 170, WIDTH - 190
    height = row * len(found) + 34
    scale = svg.Scale(0.0, max(reach, 1e-6), left, right)
    parts = x_axis(scale, svg.round_ticks(0.0, scale.high), 4, height - 26, "ms")
    for place, (start, (number, label, values)) in enumerate(zip(starts, found, strict=True)):
        parts += _stage_row(scale, 4 + place * row, float(start), number, label, values)
    return svg.document(WIDTH, height, "Median and 99th percentile of every stage", parts)


def _stage_row(
    scale: svg.Scale, y: float, start: float, number: int, label: str, values: dict[str, Any]
) -> list[str]:
    x, stop, p99 = (scale(start + at) for at in (0.0, values["p50"], values["p99"]))
    middle = y + 17
    found = ", ".join(f"{name} {ms(values[name])}" for name in ("p50", "p99", "max"))
    tip = f"{label}: {found}, n = {values['n']:,}"
    return [
        svg.text(scale.start - 14, middle + 4, label, "label strong", "end"),
        svg.line(x, middle, p99, middle, f"whisker stage{number}-line"),
        svg.line(p99, middle - 5, p99, middle + 5, f"whisker stage{number}-line"),
        svg.rect(x, y + 7, max(stop - x, 2.5), 20, f"stage{number}", radius=3),
        svg.text(scale.stop + 18, middle + 4, ms(values["p50"]), "label strong"),
        svg.text(scale.stop + 84, middle + 4, f"p99 {ms(values['p99'])}"),
        svg.rect(0, y, WIDTH, 34, "hover", tip),
    ]


def x_axis(scale: svg.Scale, ticks: list[float], top: float, bottom: float, unit: str) -> list[str]:
    parts = [svg.line(scale(tick), top, scale(tick), bottom, "grid") for tick in ticks]
    parts += [svg.text(scale(tick), bottom + 17, f"{tick:g}", "label", "middle") for tick in ticks]
    return [*parts, svg.text(scale.stop + 8, bottom + 17, unit)]


def histogram_chart(decided: Float64, acted: Float64, deadline_ms: float | None) -> str:
    """Frames by time from exposure start to decision, and to action, counts on a log axis.

    The axis ends a little beyond the 99.9th percentile; what lies further is told at its right end.
    """
    low, high = range_ms(np.concatenate([decided, acted]), deadline_ms)
    bins = int(np.clip(3 * np.sqrt(len(decided)), 24, _MOST_BINS))
    edges = np.linspace(low, high, bins + 1)
    counts = {"decided": np.histogram(decided, edges)[0], "acted": np.histogram(acted, edges)[0]}
    most = max(int(count.max(initial=1)) for count in counts.values()) * 1.6
    x = svg.Scale(low, high, _LEFT, _RIGHT)
    y = svg.Scale(np.log10(0.6), np.log10(most), _BOTTOM, _TOP)
    parts = x_axis(x, svg.round_ticks(low, high, 9), _TOP, _BOTTOM, "ms")
    for tick in (10**power for power in range(int(np.log10(most)) + 1)):
        parts.append(svg.line(_LEFT, y(np.log10(tick)), _RIGHT, y(np.log10(tick)), "grid"))
        parts.append(svg.text(_LEFT - 10, y(np.log10(tick)) + 4, f"{tick:,}", "label", "end"))
    for name, count in counts.items():
        parts += _bars(x, y, edges, count, name)
    parts += [svg.line(_LEFT, _BOTTOM, _RIGHT, _BOTTOM, "axis"), *_quantile_marks(x, decided)]
    parts += [*_deadline_mark(x, deadline_ms), *beyond_note(decided, high, _RIGHT, 14.0)]
    return svg.document(WIDTH, int(_BOTTOM) + 28, "Histogram of the latency from exposure start", parts)


def range_ms(values: Float64, deadline_ms: float | None) -> tuple[float, float]:
    """What an axis shows: all values, unless a few lie far beyond the 99.9th percentile."""
    low, tail, high = (float(found) for found in np.percentile(values, [0, 99.9, 100]))
    high = min(high, tail + 0.6 * (tail - low) + 0.5)
    if deadline_ms is not None:
        low, high = min(low, deadline_ms), max(high, deadline_ms)
    margin = max(0.03 * (high - low), 0.02 * abs(high), 1e-3)
    return (low - margin if low < 0 else max(low - margin, 0.0)), high + margin


def beyond_note(values: Float64, high: float, x: float, y: float) -> list[str]:
    """How many values an axis that ends at `high` leaves out, and the largest."""
    beyond = int((values > high).sum())
    if beyond == 0:
        return []
    return [svg.text(x, y, f"{beyond:,} beyond, up to {ms(float(values.max()))}", "label", "end")]


def _bars(x: svg.Scale, y: svg.Scale, edges: Float64, count: npt.NDArray[np.intp], name: str) -> list[str]:
    inset = 2.4 if name == "acted" else 0.5
    parts = []
    for number in np.flatnonzero(count):
        x0, x1, top = x(edges[number]), x(edges[number + 1]), y(np.log10(count[number]))
        tip = f"{edges[number]:.3g} to {edges[number + 1]:.3g} ms: {count[number]:,} {name}"
        size = (x1 - x0 - 2 * inset, y.start - top)
        parts.append(svg.rect(x0 + inset, top, *size, f"bar-{name}", tip, radius=1.5))
    return parts


def _quantile_marks(x: svg.Scale, values: Float64) -> list[str]:
    """p50 with its name to the left, p99 with its name to the right, so that they never meet."""
    if len(values) < 2:
        return []
    parts = []
    places = (("p50", 50, "end", 3), ("p99", 99, "start", -3))
    for name, share, anchor, shift in places:
        value = float(np.percentile(values, share))
        parts.append(svg.line(x(value), _TOP - 4, x(value), _BOTTOM, "mark"))
        parts.append(svg.text(x(value) + shift, _TOP - 10, f"{name} {ms(value)}", "label strong", anchor))
    return parts


def _deadline_mark(x: svg.Scale, deadline_ms: float | None) -> list[str]:
    if deadline_ms is None:
        return []
    at = x(deadline_ms)
    anchor, shift = ("start", 7) if at < _RIGHT - 140 else ("end", -7)
    return [
        svg.line(at, _TOP, at, _BOTTOM, "deadline"),
        svg.text(at + shift, _TOP + 14, f"deadline {deadline_ms:g} ms", "label late-text", anchor),
    ]

"""From segments to the numbers of the report: percentiles, ratios, lost frames and targets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from benches.latency.conditions import Condition
from benches.latency.segment import Counts, Segment
from benches.latency.spans import SPANS, Durations, ratios, summary

__all__ = ["Measured", "results", "targets", "text"]

ACTED, DECIDED = "dequeued_to_acted", "dequeued_to_decided"
SHOWN_SPANS = (ACTED, "exposure_start_to_acted", DECIDED, "received_to_dequeued")
SHOWN = ("p50_us", "p90_us", "p99_us", "p99_9_us", "max_us")


Value = Callable[[dict[str, Any]], float | None]
TARGETS: tuple[tuple[str, str, float, Value], ...] = (
    ("idle", "p50 from dequeued to acted, us", 500.0, lambda found: found["spans"][ACTED].get("p50_us")),
    ("python_thread", "p50 over that of idle", 1.1, lambda found: (found["p50_ratio"] or {}).get("median")),
    ("video_python_protocol", "frames lost by the camera", 0, lambda found: found["lost"]["camera"]),
    ("video_python_protocol", "frames lost by the recorder", 0, lambda found: found["lost"]["recorder"]),
)


@dataclass
class Measured:
    """The segments of one condition, one a round; None where a round failed."""

    condition: Condition
    segments: list[Segment | None] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def good(self) -> list[Segment]:
        """The segments that ran."""
        return [segment for segment in self.segments if segment is not None]

    def rounds(self, span: str) -> list[Durations]:
        """Durations of each round, ns; empty where it failed."""
        nothing = np.zeros(0, np.int64)
        return [nothing if segment is None else segment.times[span] for segment in self.segments]

    def pooled(self, span: str) -> Durations:
        """Durations of all rounds, ns."""
        return np.concatenate([np.zeros(0, np.int64), *self.rounds(span)])


def results(measured: list[Measured]) -> dict[str, Any]:
    """The report's entry of each condition, by name."""
    by_name = {each.condition.name: each for each in measured}
    return {name: _result(each, by_name.get(each.condition.baseline)) for name, each in by_name.items()}


def _result(each: Measured, baseline: Measured | None) -> dict[str, Any]:
    counts = reduce(add, (segment.counts for segment in each.good), Counts())
    return {
        "about": each.condition.about,
        "source": each.condition.source,
        "condition": asdict(each.condition),
        "rounds": len(each.good),
        "failures": each.failures,
        "spans": {span: summary(each.pooled(span)) for span in SPANS},
        "p50_ratio": None if baseline is None else _ratio(each, baseline),
        "frames": counts.as_json(),
        "lost": _lost(each.condition, counts),
        "granted": each.good[0].granted if each.good else {},
    }


def _ratio(each: Measured, baseline: Measured) -> dict[str, Any] | None:
    """Of the way to the action; to the decision where one of the two has no actions."""
    for span in (ACTED, DECIDED):
        found = ratios(each.rounds(span), baseline.rounds(span))
        if found is not None:
            return {"to": baseline.condition.name, "span": span, **found}
    return None


def _lost(condition: Condition, counts: Counts) -> dict[str, int]:
    """Frames that never reached the ring, and frames that are not in the video."""
    lost = {"camera": counts.exposures - counts.received}
    return lost | {"recorder": counts.received - counts.recorded} if condition.record else lost


def targets(found: dict[str, Any]) -> list[dict[str, Any]]:
    """What the engine must reach, for those conditions that were measured."""
    judged = []
    for condition, name, limit, value_of in TARGETS:
        value = value_of(found[condition]) if found.get(condition, {}).get("rounds") else None
        if value is not None:
            row = {"condition": condition, "value_of": name, "value": value, "limit": limit}
            judged.append(row | {"met": value <= limit})
    return judged


def text(found: dict[str, Any], judged: list[dict[str, Any]]) -> str:
    """The report as text for a terminal."""
    lines: list[str] = []
    for name, result in found.items():
        lines += [f"\n{name}: {result['about']}; {result['source']}"]
        lines += [f"  {span:<26}{_numbers(result['spans'][span])}" for span in SHOWN_SPANS]
        lines.append(f"  {_counted(result)}{_compared(result['p50_ratio'])}")
        lines += [f"  ! {failure}" for failure in result["failures"]]
    lines += ["", *(_judged(each) for each in judged)]
    return "\n".join(lines)


def _numbers(numbers: dict[str, float]) -> str:
    if not numbers["n"]:
        return "none"
    values = "  ".join(f"{name.removesuffix('_us').replace('_', '.')} {numbers[name]:9.1f}" for name in SHOWN)
    return f"{values} us  n {numbers['n']}"


def _counted(result: dict[str, Any]) -> str:
    frames = result["frames"]
    drops = ", ".join(f"{count} {reason}" for reason, count in frames["drops"].items()) or "none"
    lost = ", ".join(f"{count} by the {who}" for who, count in result["lost"].items())
    return f"{frames['exposures']} exposures, drops: {drops}; lost: {lost}; {frames['late']} late"


def _compared(ratio: dict[str, Any] | None) -> str:
    if ratio is None:
        return ""
    spread = f"{ratio['min']:.2f}-{ratio['max']:.2f} over {ratio['rounds']} rounds"
    return f"; p50 {ratio['median']:.2f} times that of {ratio['to']} ({spread})"


def _judged(target: dict[str, Any]) -> str:
    verdict = "met" if target["met"] else "MISSED"
    what = f"{target['condition']}, {target['value_of']}"
    return f"{verdict}: {what}: {target['value']:g} (limit {target['limit']:g})"

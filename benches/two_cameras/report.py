"""From segments to the numbers of the report."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Any

import numpy as np
from benches.latency.spans import summary
from benches.two_cameras.session import LOOP_SPANS, Fates, Measured

__all__ = ["report", "text"]

LOOP, P99_TARGET = "dequeued_to_decided", 1.2


def report(measured: dict[str, Measured]) -> dict[str, Any]:
    """Conditions by name, and what the demand asks for."""
    conditions = {name: _condition(each) for name, each in measured.items()}
    recorded = conditions["recorded"]["cameras"].values()
    ratio = _p99_ratio(measured, LOOP)
    return {
        "conditions": conditions,
        "demand": {
            "lost_silently": sum(camera["lost_silently"] for camera in recorded),
            "p99_over_unrecorded": ratio,
            "p99_allowed": P99_TARGET,
            "p99_over_unrecorded_from_exposure": _p99_ratio(measured, "exposure_start_to_decided"),
            "reached": bool(
                ratio is not None
                and ratio <= P99_TARGET
                and not sum(camera["lost_silently"] for camera in recorded)
            ),
        },
    }


def _condition(each: Measured) -> dict[str, Any]:
    cameras = each.segments[0].fates
    return {
        "rounds": len(each.segments),
        "ended": [segment.ended for segment in each.segments],
        "spans": {span: summary(each.pooled(span)) for span in LOOP_SPANS},
        "cameras": {
            name: reduce(add, (segment.fates[name] for segment in each.segments), Fates()).as_json()
            for name in cameras
        },
        "granted": each.segments[0].granted,
    }


def _p99_ratio(measured: dict[str, Measured], span: str) -> float | None:
    recorded, unrecorded = (measured[name].pooled(span) for name in ("recorded", "unrecorded"))
    if not len(recorded) or not len(unrecorded):
        return None
    return round(float(np.percentile(recorded, 99) / np.percentile(unrecorded, 99)), 3)


def text(content: dict[str, Any]) -> str:
    """The report for a terminal."""
    lines = []
    for name, condition in content["conditions"].items():
        lines.append(f"{name}, {condition['rounds']} rounds")
        for span, values in condition["spans"].items():
            shown = "  ".join(f"{key.removesuffix('_us')} {value:,.0f}" for key, value in values.items())
            lines.append(f"  {span:26} {shown}  us")
        for camera, counts in condition["cameras"].items():
            lines.append(f"  {camera:6} {', '.join(f'{key} {value}' for key, value in counts.items())}")
    lines.append(f"demand: {content['demand']}")
    return "\n".join(lines)

"""How well the cameras' clocks are known, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["clock_text", "clock_texts"]

_SOURCES = {
    "latched": "clock read {readings:,} times",
    "frames": "clock taken from {readings:,} frames' arrival, it cannot be read",
}


def clock_texts(clocks: Mapping[str, Any]) -> dict[str, str]:
    """In words for each camera whose clock session.json tells of; {} for sessions of older versions."""
    told = {name: clock for name, clock in clocks.items() if isinstance(clock, Mapping)}
    return {name: clock_text(clock) for name, clock in told.items() if clock.get("source", "none") != "none"}


def clock_text(clock: Mapping[str, Any]) -> str:
    """One camera's: how it was fitted, offset, drift, residual, outliers, restarts and PTP state.

    Parameters
    ----------
    clock : mapping
        As `_core.ClockFit.report()`.
    """
    parts = [
        _SOURCES[clock["source"]].format(**clock),
        f"exposures within {_duration(clock['error_ns'])}",
        f"drift {clock['drift_ppm']:.1f} +- {clock['drift_error_ppm']:.1f} ppm",
        f"residual {_duration(clock['residual_ns'])}",
    ]
    parts += [f"{clock[name]:,} {name}" for name in ("outliers", "restarts") if clock[name]]
    parts += [f"PTP {clock['ptp']}"] if clock.get("ptp") else []
    return ", ".join(parts)


def _duration(ns: float) -> str:
    for unit, size in (("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return f"{ns / size:.1f} {unit}"
    return f"{ns:.0f} ns"

"""How well clocks are known, in words."""

from __future__ import annotations

from typing import Any

from fastpose import _core
from fastpose.session.clocks import clock_text, clock_texts

REPORT: dict[str, Any] = {
    "source": "latched",
    "readings": 7200,
    "outliers": 3,
    "restarts": 1,
    "offset_ns": -12_500_000_000,
    "drift_ppm": 34.96,
    "drift_error_ppm": 0.12,
    "residual_ns": 41_200.0,
    "error_ns": 212_000,
    "ptp": "Slave",
}


def test_all_there_is_to_say() -> None:
    assert clock_text(REPORT) == (
        "clock read 7,200 times, exposures within 212.0 us, drift 35.0 +- 0.1 ppm, residual 41.2 us, "
        "3 outliers, 1 restarts, PTP Slave"
    )


def test_nothing_of_what_is_not_there() -> None:
    quiet = {**REPORT, "source": "frames", "outliers": 0, "restarts": 0, "ptp": "", "residual_ns": 12.0}
    assert clock_text(quiet) == (
        "clock taken from 7,200 frames' arrival, it cannot be read, exposures within 212.0 us, "
        "drift 35.0 +- 0.1 ppm, residual 12 ns"
    )


def test_only_clocks_that_are_told() -> None:
    unread = {**REPORT, "source": "none"}
    older = {"drift_ppm": 1.0, "residual_ns": 2.0}  # of sessions before
    told = clock_texts({"top": REPORT, "file": unread, "side": None, "old": older})
    assert list(told) == ["top"]


def test_the_engine_reports_what_the_words_need() -> None:
    clock = _core.ClockFit()
    clock.add(100, 50, 200)
    assert dict(clock.report()).keys() == REPORT.keys()
    assert clock_text(clock.report()).startswith("clock read 1 times")

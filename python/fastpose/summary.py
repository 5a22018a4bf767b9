"""The few lines that a run ends with."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from fastpose.runner import RunSummary

__all__ = ["print_summary"]

_PERCENTILES = ("p50", "p90", "p99", "p99.9", "max")


def print_summary(summary: RunSummary, console: Console) -> None:
    """Print where the session is and how it went."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("session", Text(str(summary.directory)))
    table.add_row("ended", Text(summary.ended))
    if summary.network:
        table.add_row("network", Text(summary.network))
    if summary.hint:
        table.add_row("", Text(summary.hint, style="dim"))
    table.add_row("frames", f"{summary.frames:,} seen, {summary.processed:,} processed")
    table.add_row("drops", _drops(summary.drops))
    for index, line in enumerate(summary.video):
        table.add_row("" if index else "video", Text(line))
    for camera, latency in (summary.latencies_ms or {"": summary.latency_ms}).items():
        several = len(summary.latencies_ms) > 1
        table.add_row(f"latency {camera}" if several else "latency", _latency(latency))
    for index, line in enumerate(summary.timing):
        table.add_row("" if index else "timing", Text(line))
    for index, line in enumerate(summary.clocks):
        table.add_row("" if index else "clocks", Text(line))
    table.add_row("reactions", Text(_reactions(summary.directory / "events.csv")))
    for line in summary.warnings:
        table.add_row(Text("warning", style="bold yellow"), Text(line))
    console.print(table)


def _drops(drops: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in drops.items() if count) or "none"


def _latency(latency_ms: dict[str, float]) -> str:
    if not latency_ms.get("n"):
        return "no pose, no latency"
    values = "   ".join(f"{name} {latency_ms[name]:.2f}" for name in _PERCENTILES if name in latency_ms)
    return f"{values}   ms from exposure to decision, n {latency_ms['n']:,.0f}"


def _reactions(events: Path) -> str:
    """Count what the outputs did."""
    if not events.is_file():
        return "not known, there is no events.csv"
    high: Counter[str] = Counter()
    other: Counter[str] = Counter()
    with events.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["event"] == "output" and row["value"] == "1":
                high[row["name"]] += 1
            elif row["event"] in ("late", "refused"):
                other[row["event"]] += 1
    parts = [f"{name} went high {count:,} times" for name, count in high.items()]
    parts += [
        f"{count:,} {'suppressed as late' if event == 'late' else 'refused'}"
        for event, count in other.items()
    ]
    return ", ".join(parts) or "none"

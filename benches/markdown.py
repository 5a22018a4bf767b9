"""Markdown that the benches' tables are made of."""

from __future__ import annotations

from typing import Any

__all__ = ["machine_line", "markdown"]


def markdown(header: tuple[str, ...], rows: list[list[str]]) -> str:
    """A table: its first column to the left, the others to the right."""
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [list(header), rule, *rows])


def machine_line(machine: dict[str, Any]) -> str:
    """Which machine, in one line."""
    load = machine["load_average_1min"]
    busy = f", load average {load:g} before the bench" if load >= 0.5 else ""
    taken = machine.get("taken_away", {})
    if taken.get("times_per_s"):
        longest_ms = taken["longest_us"] / 1000
        busy += f", a core stood still {taken['times_per_s']:g} times a second, {longest_ms:.1f} ms at most"
    parts = (machine["cpu"], f"{machine['cores']} cores", machine["isa"], machine["system"])
    return f"{', '.join(parts)}, Python {machine['python']}{busy}."

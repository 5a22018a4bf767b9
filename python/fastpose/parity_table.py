"""Tables of what was imported and how near it comes, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from fastpose.verify import Report

__all__ = ["print_imported", "print_parity"]


def print_imported(
    kind: str, found: Sequence[tuple[str, str]], notes: Sequence[str], console: Console
) -> None:
    """Print what a source is, what it holds, and what the user should know of it."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in (("source", kind), *found):
        table.add_row(label, Text(text))
    for note in notes:
        table.add_row(Text("note", style="yellow"), Text(note))
    console.print(table)


def print_parity(report: Report, console: Console) -> None:
    """Print the distances from the reference, a row for each device and precision."""
    columns = ("device", "precision", "mean px", "max px", "max likelihood", "keypoints", "ties", "missed")
    table = Table(*columns, box=None, padding=(0, 2, 0, 0))
    for (device, precision), cell in report.cells.items():
        if "not_run" in cell:
            continue
        keys = ("mean_px", "max_px", "max_likelihood", "keypoints", "ties", "missed")
        named = f"{precision} (emulated)" if cell.get("emulated") else precision
        table.add_row(device, named, *(f"{cell[key]:g}" for key in keys))
    console.print(table)
    for (device, _), cell in report.cells.items():
        if "not_run" in cell:
            console.print(Text(f"{device}, not run: {cell['not_run']}", style="dim"))

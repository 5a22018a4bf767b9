"""What ``fastpose optimize`` shows: the forms and their cost, and where the time goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from fastpose.optimizing.optimize import Report
    from fastpose.optimizing.profile import LayerTime

__all__ = ["print_profile", "print_report"]

_LONGEST = 12


def print_report(report: Report, console: Console) -> None:
    """Each form with its distance from float32."""
    table = Table(
        "form", "mean px", "p95 px", "max px", "keypoints", "missed", box=None, padding=(0, 2, 0, 0)
    )
    for name, cost in report.forms.items():
        pixels = (f"{value:.3g}" for value in (cost.mean_px, cost.p95_px, cost.max_px))
        table.add_row(name, *pixels, str(cost.keypoints), str(cost.missed))
    console.print(table)
    if report.kept:
        console.print(f"in float32: {', '.join(report.kept)}")


def print_profile(form: str, layers: list[LayerTime], console: Console) -> None:
    """Kinds of layers and the longest layers, with their share."""
    from fastpose.optimizing.profile import by_kind

    total = sum(layer.ms for layer in layers)
    table = Table(f"{form}: kind", "layers", "ms", "share", box=None, padding=(0, 2, 0, 0))
    for kind, count, ms in by_kind(layers):
        table.add_row(kind, str(count), f"{ms:.2f}", f"{ms / total:.0%}")
    console.print(table)
    longest = Table("longest layers", "kind", "ms", box=None, padding=(0, 2, 0, 0))
    for layer in layers[:_LONGEST]:
        longest.add_row(layer.name, layer.kind, f"{layer.ms:.3f}")
    console.print(longest)

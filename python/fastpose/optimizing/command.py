"""``fastpose optimize``: make the forms, say what they cost, show where the time goes."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from fastpose.optimizing.optimize import Options, Report, optimize
from fastpose.optimizing.profile import layer_times
from fastpose.optimizing.table import print_profile, print_report

__all__ = ["run"]


def run(folder: Path, options: Options, console: Console, *, profile: bool) -> None:
    """Optimise a package and print what came of it; see `optimize` for what is raised."""
    report = optimize(folder, options)
    print_report(report, console)
    if profile:
        _profile(report, console)


def _profile(report: Report, console: Console) -> None:
    for name, file in {"as imported": report.package.network, **report.files}.items():
        precision = "bf16" if name == "bf16" else "fp32"
        print_profile(name, layer_times(file, report.input_shape, precision=precision), console)

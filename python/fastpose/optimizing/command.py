"""``fastpose optimize``: make the forms, say what they cost, show where the time goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console

from fastpose.optimizing.gpu import GpuOptions, optimize_for_gpu
from fastpose.optimizing.optimize import Options, Report, optimize
from fastpose.optimizing.profile import layer_times
from fastpose.optimizing.table import print_profile, print_report

__all__ = ["run", "run_for_gpu"]


def run(folder: Path, options: Options, console: Console, *, profile: bool) -> None:
    """Optimise a package and print what came of it; see `optimize` for what is raised."""
    report = optimize(folder, options)
    print_report(report, console)
    if profile:
        _profile(report, console)


def run_for_gpu(
    folder: Path, precision: Any, frames: Path | None, budget_px: float, console: Console
) -> None:
    """Make a package's form for GPUs and print what came of it; see `optimize_for_gpu` for what is raised."""
    report = optimize_for_gpu(folder, GpuOptions(precision, frames, budget_px, say=print))
    print_report(report, console)
    print(f"{folder}: written; to measure it on a GPU: fastpose verify {folder} --device cuda:0")


def _profile(report: Report, console: Console) -> None:
    for name, file in {"as imported": report.package.network, **report.files}.items():
        precision = "bf16" if name == "bf16" else "fp32"
        print_profile(name, layer_times(file, report.input_shape, precision=precision), console)

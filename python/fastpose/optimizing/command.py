"""``fastpose optimize``: make the forms, say what they cost, show where the time goes."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from fastpose.model_package import ModelPackage
from fastpose.optimizing.frames import frames_of
from fastpose.optimizing.optimize import Options, optimize
from fastpose.optimizing.profile import layer_times
from fastpose.optimizing.table import print_profile, print_report
from fastpose.optimizing.tensors import tensors_of

__all__ = ["run"]


def run(folder: Path, options: Options, console: Console, *, profile: bool) -> None:
    """Optimise a package and print what came of it; see `optimize` for what is raised."""
    report = optimize(folder, options)
    print_report(report, console)
    if profile:
        _profile(report.package, report.forms, options, console)


def _profile(package: ModelPackage, forms: object, options: Options, console: Console) -> None:
    shape = tensors_of(package, frames_of(package, options.frames).held[:1])[0].shape
    assert isinstance(forms, dict)
    files = {"as imported": package.network} | {name: package.folder / f"model_{name}.xml" for name in forms}
    for name, file in files.items():
        precision = "bf16" if name == "bf16" else "fp32"
        print_profile(name, layer_times(file, shape, precision=precision), console)

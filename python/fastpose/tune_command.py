"""``fastpose tune``: from the command line's words to a measurement and its table."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fastpose.config import Config, load_config
from fastpose.config.model import package_folder
from fastpose.errors import ConfigError
from fastpose.input_sizes import Size
from fastpose.model_forms import shape_text
from fastpose.model_package import read_model_package
from fastpose.tuning import Tuning, tune, tuned_shapes

__all__ = ["print_tuning", "tune_package"]


def tune_package(
    folder: Path | str | None, *, input_sizes: Sequence[str], config: Path | None, seconds: float
) -> Tuning:
    """Tune a package for sizes, or for what a config makes of it.

    Parameters
    ----------
    folder : path-like, optional
        The package, or ``builtin:NAME``; None: that of the config.
    input_sizes : sequence of str
        Such as "640x480"; empty: those of the config, else the package's own.
    config : Path, optional
    seconds : float
        For each form and size.

    Raises
    ------
    ConfigError, CameraError, ModelError, DeviceError
        As `fastpose.tuning.tune` and `fastpose.tuning.tuned_shapes` say, and for arguments that do not fit.
    """
    if config is not None and input_sizes:
        raise ConfigError("--config and --input-size are both given; allowed: one of them")
    experiment = load_config(config) if config is not None else None
    where = folder if folder is not None else _folder_of(experiment)
    package = read_model_package(package_folder(where))
    shapes = tuned_shapes(package, input_sizes=[_size(text) for text in input_sizes], config=experiment)
    console = Console(file=sys.stderr)
    with console.status("tune") as status:
        return tune(where, shapes, seconds=seconds, on_step=status.update)


def print_tuning(tuning: Tuning, console: Console) -> None:
    """Print the best setting of each form at each size; the first of a size is what precision auto takes."""
    columns = ("input", "form", "threads", "pinned", "p50 ms", "p99 ms", "n", "from fp32 px")
    table = Table(*columns, box=None, padding=(0, 2, 0, 0))
    for shape, settings in tuning.best.items():
        for place, one in enumerate(settings):
            mean_px = one.form.mean_px
            table.add_row(
                shape_text(shape) if place == 0 else "",
                one.form.key,
                str(one.threads),
                "yes" if one.pinned else "no",
                f"{one.p50_ms:.2f}",
                f"{one.p99_ms:.2f}",
                f"{len(one.durations_ms):,}",
                "" if mean_px is None else f"{mean_px:.2f}",
                style="bold" if place == 0 else None,
            )
    console.print(table)
    for note in tuning.notes:
        console.print(Text(f"note  {note}", style="yellow"))
    console.print(Text(f"{tuning.file}: {tuning.cpu.key}"))


def _folder_of(experiment: Config | None) -> Path:
    networks = list(experiment.networks.values()) if experiment is not None else []
    if not networks:
        raise ConfigError("no model package is given; allowed: DIR, or --config with a network")
    return networks[0].folder


def _size(text: str) -> Size:
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", text.strip())
    if match is None:
        raise ConfigError(f"--input-size is {text!r}; allowed: WIDTHxHEIGHT in px, such as 640x480")
    return int(match[1]), int(match[2])

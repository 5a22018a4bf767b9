"""Measures which form of a package's network runs fastest here, with which threads: ``fastpose tune``.

Note [how it is measured]: First each form alone, with every number of threads, pinned or not; then the best
of each form against each other. What is compared takes turns of some 20 ms, so that whatever else the machine
does meets all of it. Settings that are clearly slower leave after a third of the time. The winner has the
lowest median; within 3 % of it, which is noise, the lowest 99th percentile.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fastpose import _core
from fastpose.assembly.backends import load_on_cpu
from fastpose.config import Config
from fastpose.config.model import package_folder
from fastpose.cpu import Cpu, OtherPrograms, this_cpu
from fastpose.drivers import driver_of
from fastpose.errors import ConfigError
from fastpose.form_files import Tuned, write_tuned
from fastpose.input_sizes import Size, input_shapes, shapes_of_config
from fastpose.model_forms import Form, Shape, forms_of, shape_text, verify_files
from fastpose.model_package import ModelPackage, read_model_package

__all__ = ["Measured", "Tuning", "tune", "tuned_shapes"]

TURN_MS = 20.0
MOST_RUNS_OF_A_TURN = 50
CLEARLY_SLOWER = 1.15
NOISE = 1.03
FEW_CORES = 8  # up to here every number of threads is tried
BUSY_CORES = 0.5


@dataclass
class Measured:
    """One form with one number of threads, and how long its runs took."""

    form: Form
    threads: int
    pinned: bool
    backend: _core.Backend
    durations_ms: list[float] = field(default_factory=list)

    @property
    def p50_ms(self) -> float:
        """Median."""
        return float(np.percentile(self.durations_ms, 50))

    @property
    def p99_ms(self) -> float:
        """99th percentile."""
        return float(np.percentile(self.durations_ms, 99))

    def tuned(self) -> Tuned:
        """What tuned.json says of it."""
        return Tuned(
            threads=self.threads,
            pinned=self.pinned,
            p50_ms=round(self.p50_ms, 4),
            p99_ms=round(self.p99_ms, 4),
            n=len(self.durations_ms),
            sha256=self.form.sha256,
        )


@dataclass(frozen=True)
class Tuning:
    """What was measured.

    Attributes
    ----------
    file : Path
        The tuned.json that was written.
    best : dict
        Of each shape: the best setting of each form, the fastest first.
    notes : list of str
        What the user should know, a line each.
    """

    file: Path
    cpu: Cpu
    best: dict[Shape, list[Measured]]
    notes: list[str]


def tune(
    folder: str | os.PathLike[str],
    shapes: Iterable[Shape],
    *,
    seconds: float = 4.0,
    on_step: Callable[[str], None] | None = None,
) -> Tuning:
    """Measure every form within its budget and write tuned.json.

    Parameters
    ----------
    folder : path-like
        The package, or ``builtin:NAME``.
    shapes : iterable of tuple
        N, C, H, W of the inputs; see `tuned_shapes`.
    seconds : float
        For each form and shape, without the time that compiling takes; and once more for the comparison.
    on_step : callable, optional
        Called with a line about what is measured now.

    Raises
    ------
    ModelError
        The package is damaged, or tuned.json cannot be written.
    DeviceError
        There is no OpenVINO.
    """
    package, cpu = read_model_package(package_folder(folder)), this_cpu()
    notes, others = _notes(package, cpu), OtherPrograms()
    say = on_step or (lambda _line: None)
    best = {shape: _best_of_each_form(package, cpu, shape, seconds, say) for shape in dict.fromkeys(shapes)}
    measured: dict[str, dict[str, Tuned]] = {}
    for shape, settings in best.items():
        for setting in settings:
            measured.setdefault(setting.form.key, {})[shape_text(shape)] = setting.tuned()
    return Tuning(
        write_tuned(package.folder, cpu.key, measured), cpu, best, [*notes, *_load_note(cpu, others)]
    )


def tuned_shapes(
    package: ModelPackage, *, input_sizes: Sequence[Size] = (), config: Config | None = None
) -> list[Shape]:
    """N, C, H, W of the inputs to measure.

    Parameters
    ----------
    package : ModelPackage
    input_sizes : sequence of tuple
        Widths and heights, px.
    config : Config, optional
        The frames of its camera and its roi say the sizes.

    Raises
    ------
    ConfigError
        The network does not take such a size, or none is known.
    CameraError
        The config's video cannot be read.
    """
    if config is not None:
        return _shapes_of(package, config)
    sizes = list(input_sizes) or [
        size for size in (package.input_size or package.training_size,) if size is not None
    ]
    if not sizes and package.detector is None:
        raise ConfigError(
            f"model package '{package.name}' does not say on which size it was trained; give --input-size "
            "WIDTHxHEIGHT or --config"
        )
    return [
        shape
        for size in sizes or [(1, 1)]  # behind a detector the crops have the package's size
        for shape in input_shapes(package, size, input_size=size).values()
    ]


def _shapes_of(package: ModelPackage, config: Config) -> list[Shape]:
    models = [
        model for model in config.networks.values() if model.folder.resolve() == package.folder.resolve()
    ]
    if not models:
        raise ConfigError(
            f"the config runs another network than '{package.folder}': "
            f"{', '.join(str(model.folder) for model in config.networks.values()) or 'none'}"
        )
    frame_size = _frame_size(config, models[0].seen[0])
    return list(shapes_of_config(package, models[0], frame_size).values())


def _frame_size(config: Config, camera: str) -> Size:
    spec = config.cameras[camera]
    return driver_of(spec.driver).look(spec).size


def _notes(package: ModelPackage, cpu: Cpu) -> list[str]:
    notes = [
        f"form {form.name} is left out: {form.over_budget}"
        for form in forms_of(package, cpu)
        if form.over_budget
    ]
    return list(dict.fromkeys(notes))


def _load_note(cpu: Cpu, others: OtherPrograms) -> list[str]:
    busy = others.busy_cores()
    if busy is None or busy < BUSY_CORES:
        return []
    return [
        f"other programs kept {busy:.1f} of {cpu.cores} cores busy meanwhile: measure again when the machine "
        "is idle"
    ]


def _best_of_each_form(
    package: ModelPackage, cpu: Cpu, shape: Shape, seconds: float, say: Callable[[str], None]
) -> list[Measured]:
    winners = []
    for form in forms_of(package, cpu):
        if form.over_budget:
            continue
        verify_files(package, form)
        say(f"{shape_text(shape)}: {form.key}, {len(_threads(cpu.cores)) * 2} settings")
        winners.append(_best_setting(package, form, cpu, shape, seconds))
    for winner in winners:
        winner.durations_ms = []
    say(f"{shape_text(shape)}: the best of each form")
    _take_turns(winners, seconds)
    return sorted(winners, key=lambda winner: winner.p50_ms)


def _best_setting(package: ModelPackage, form: Form, cpu: Cpu, shape: Shape, seconds: float) -> Measured:
    settings = [
        _loaded(package, form, threads, shape, pinned=pinned)
        for threads in _threads(cpu.cores)
        for pinned in (True, False)
    ]
    _take_turns(settings, seconds / 3)
    limit_ms = CLEARLY_SLOWER * min(setting.p50_ms for setting in settings)
    settings = [setting for setting in settings if setting.p50_ms <= limit_ms]
    _take_turns(settings, seconds * 2 / 3)
    return best_of(settings)


def best_of(settings: Sequence[Measured]) -> Measured:
    """The lowest median; within the noise of it the lowest 99th percentile."""
    limit_ms = NOISE * min(setting.p50_ms for setting in settings)
    return min(
        (setting for setting in settings if setting.p50_ms <= limit_ms), key=lambda setting: setting.p99_ms
    )


def _loaded(package: ModelPackage, form: Form, threads: int, shape: Shape, *, pinned: bool) -> Measured:
    backend = load_on_cpu(
        form.file, package.outputs, shape, precision=form.asked, threads=threads, pinned=pinned
    )
    backend.run(np.random.default_rng(0).uniform(-2, 2, shape).astype(np.float32))
    return Measured(form, threads, pinned, backend)


def _threads(cores: int) -> list[int]:
    """Numbers of threads to try: all where there are few cores, else powers of two, half and all."""
    if cores <= FEW_CORES:
        return list(range(1, cores + 1))
    return sorted({*(2**power for power in range(int(math.log2(cores)) + 1)), cores // 2, cores})


def _take_turns(settings: Sequence[Measured], seconds: float, least_rounds: int = 3) -> None:
    """Let each run for some 20 ms, over and over; the first of several runs, on cold caches, is left out."""
    runs = [_runs_of_a_turn(setting) for setting in settings]
    end_s, rounds = time.perf_counter() + seconds, 0
    while rounds < least_rounds or time.perf_counter() < end_s:
        for setting, count in zip(settings, runs, strict=True):
            durations_ns = setting.backend.time_runs(count)
            setting.durations_ms += [ns / 1e6 for ns in durations_ns[1 if count > 2 else 0 :]]
        rounds += 1


def _runs_of_a_turn(setting: Measured) -> int:
    once_ms = min(setting.backend.time_runs(2)) / 1e6
    return min(MOST_RUNS_OF_A_TURN, max(1, math.ceil(TURN_MS / once_ms)))

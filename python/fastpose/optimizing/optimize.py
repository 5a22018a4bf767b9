"""Makes faster forms of a package's network: a rewritten graph in float32, bf16, int8."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import openvino

from fastpose.assembly.backends import Device
from fastpose.cache import cache_in
from fastpose.config.model import package_folder
from fastpose.errors import ModelError
from fastpose.model_package import ModelPackage, read_model_package
from fastpose.network_tensors import tensors_of
from fastpose.optimizing.byte_input import with_byte_input
from fastpose.optimizing.candidate import Cost, Poses, cost_of, exchanged, original, poses_of, save
from fastpose.optimizing.extra import require_nncf
from fastpose.optimizing.frames import Split, frames_of
from fastpose.optimizing.fuse import fuse_group_norms
from fastpose.optimizing.half import half_form
from fastpose.optimizing.heads import join_heads
from fastpose.optimizing.input_range import span_all_pixels
from fastpose.optimizing.mark import mark_as_quantised
from fastpose.optimizing.plain_weights import make_weights_plain
from fastpose.optimizing.quantise import RANGES, Ranges, quantised
from fastpose.optimizing.sensitivity import costly_layers
from fastpose.optimizing.write import MadeForm, write_forms
from fastpose.rounding_ties import maps_of, ties_of_rounding

__all__ = ["Options", "Report", "optimize"]

Precision = Literal["bf16", "int8"]
_JUDGED = 6  # tensors on which layers are ranked
_RANKED = 2  # the same for bf16, which needs no ranges
_EMULATED = Device("cpu", "bf16", emulated=True)
_ATTEMPTS = (1, 2, 4, 8, 16)  # layers given back to float32


@dataclass(frozen=True)
class Options:
    """What is wanted.

    Attributes
    ----------
    precision : {"bf16", "int8"}
    frames : Path or None
        Video, image or folder of images; None: the reference frames of the package.
    budget_px : float
        Mean distance to the poses in float32 that is allowed, px.
    say : callable
        Gets a line about each step.
    """

    precision: Precision = "int8"
    frames: Path | None = None
    budget_px: float = 0.5
    say: Callable[[str], None] = field(default=lambda line: None)


@dataclass(frozen=True)
class Report:
    """What was made.

    Attributes
    ----------
    forms : dict
        Name of each form that is within the budget, and its cost.
    files : dict
        Name and graph of each, in the package.
    kept : tuple of str
        Layers of the int8 or bf16 form that stay in float32.
    input_shape : tuple of int
        (N, C, H, W) of the network's input for the frames.
    """

    package: ModelPackage
    forms: dict[str, Cost]
    files: dict[str, Path]
    kept: tuple[str, ...]
    input_shape: tuple[int, ...]


@dataclass(frozen=True)
class _Work:
    package: ModelPackage
    options: Options
    split: Split
    folder: Path
    single: Any
    """The graph in float32, openvino.Model, for the frames' size."""
    shape: Any
    """The input's shape as the package has it."""
    truth: Poses


def optimize(folder: str | os.PathLike[str], options: Options | None = None) -> Report:
    """Make the form that is wanted, measure its cost on held frames, and write it into the package.

    With group normalisation in the network a float32 form is made as well: the same numbers, fewer passes.

    Parameters
    ----------
    folder : path-like
        The package, or ``builtin:NAME``.
    options : Options, optional

    Raises
    ------
    ModelError
        The package or the frames cannot be read, nncf is missing, or the form is over the budget, with the
        numbers; then the package stays as it was.
    DeviceError
        This CPU has no bf16, and OpenVINO does not round in its stead.
    """
    options = options or Options()
    package = read_model_package(package_folder(folder))
    _refuse_unsupported(package)
    if options.precision == "int8":
        require_nncf()
    split = frames_of(package, options.frames)
    with TemporaryDirectory(prefix="fastpose-optimize-") as temporary, cache_in(Path(temporary) / "cache"):
        work = _begin(package, options, split, Path(temporary))
        kept, made = _make(work)
        write_forms(package, made, split, options.budget_px)
    files = {form.name: package.folder / form.path.name for form in made}
    costs = {form.name: form.cost for form in made}
    return Report(package, costs, files, kept, tuple(work.single.input().get_shape()))


def _refuse_unsupported(package: ModelPackage) -> None:
    if package.detector is not None:
        raise ModelError(
            f"model package '{package.name}' has a detector; this version optimises networks that see the "
            "frame or a roi of it"
        )


def _begin(package: ModelPackage, options: Options, split: Split, folder: Path) -> _Work:
    model = openvino.Core().read_model(str(package.network))
    shape = model.input().get_partial_shape()
    tensor = tensors_of(package, split.held[:1])[0]
    model.reshape(list(tensor.shape))
    join_heads(model)
    make_weights_plain(model)
    options.say(
        f"{len(split.calibration)} frames of {split.source} to measure ranges, {len(split.held)} held back; "
        f"network input {'x'.join(str(size) for size in tensor.shape)}"
    )
    truth = poses_of(package, split.held, original(package, folder), "fp32")
    return _Work(package, options, split, folder, model, shape, truth)


def _make(work: _Work) -> tuple[tuple[str, ...], list[MadeForm]]:
    made = list(_single_form(work))
    if work.options.precision == "bf16":
        half = _half_form(work, made)
        return half.kept, [*made, half]
    kept, form = _whole_form(work)
    return kept, [*made, form]


def _single_form(work: _Work) -> Iterator[MadeForm]:
    """The graph in float32 with the engine's group normalisation, where there is one."""
    model = work.single.clone()
    if not fuse_group_norms(model):
        return
    model.reshape(work.shape)
    path = _saved(work.folder, model, "fp32")
    cost = cost_of(poses_of(work.package, work.split.held, path, "fp32"), work.truth)
    work.options.say(f"fp32 with fused group normalisation: {cost.mean_px:.3g} px mean")
    if _over(cost, work.options.budget_px):
        raise ModelError(
            f"the rewritten float32 graph is {cost.mean_px:.3g} px from the original; please report"
        )
    yield MadeForm("fp32", path, cost)


def _half_form(work: _Work, made: list[MadeForm]) -> MadeForm:
    """Layers in bf16 but for those that cost too much, see `half_form`; ties are left out."""
    package, held = work.package, work.split.held
    exact = maps_of(exchanged(package, work.folder / package.network_file), held, Device("cpu", "fp32"))

    def cost(path: Path) -> Cost:
        ties = ties_of_rounding(package, exact, maps_of(exchanged(package, path), held, _EMULATED))
        return cost_of(poses_of(package, held, path, "bf16"), work.truth, ties)

    model = work.single.clone()
    model.reshape(work.shape)
    network = made[0].path if made else _saved(work.folder, model, "bf16")
    tensors = tensors_of(package, work.split.calibration[:_RANKED])
    found, tried = half_form(network, tensors, work.options.budget_px, cost, work.options.say)
    if found is None:
        raise ModelError(_refusal(work, "bf16", [str(each) for each in tried]))
    return MadeForm("bf16", found.path, found.cost, found.kept)


def _whole_form(work: _Work) -> tuple[tuple[str, ...], MadeForm]:
    """All layers in int8, by the ranges that cost less; over the budget the costliest stay in float32."""
    tensors = tensors_of(work.package, work.split.calibration)
    attempts = [_attempt(work, tensors, ranges) for ranges in RANGES]
    best = whole = min(attempts, key=lambda each: (math.isnan(each.cost.mean_px), each.cost.mean_px))
    costly: list[str] = []
    for count in _ATTEMPTS:
        if not _over(best.cost, work.options.budget_px):
            return best.kept, MadeForm("int8", best.path, best.cost, best.kept)
        costly = costly or costly_layers(work.single, whole.model, tensors[:_JUDGED])
        if count > len(costly):
            break
        best = _attempt(work, tensors, whole.ranges, kept=tuple(costly[:count]))
        attempts.append(best)
    if not _over(best.cost, work.options.budget_px):
        return best.kept, MadeForm("int8", best.path, best.cost, best.kept)
    raise ModelError(_refusal(work, "int8", [str(each) for each in attempts]))


@dataclass(frozen=True)
class _Attempt:
    """An int8 form and its cost."""

    ranges: Ranges
    kept: tuple[str, ...]
    model: Any
    cost: Cost
    path: Path

    def __str__(self) -> str:
        return (
            f"{self.cost.mean_px:.3g} px mean, {self.cost.max_px:.3g} px max with {self.ranges} ranges and "
            f"{len(self.kept)} layers in float32"
        )


def _attempt(work: _Work, tensors: Sequence[Any], ranges: Ranges, kept: tuple[str, ...] = ()) -> _Attempt:
    model = quantised(work.single, tensors, but=kept, ranges=ranges)
    cost, path = _measured(work, model, f"int8_{ranges}_{len(kept)}")
    attempt = _Attempt(ranges, kept, model, cost, path)
    work.options.say(f"int8: {attempt}")
    return attempt


def _measured(work: _Work, model: Any, name: str) -> tuple[Cost, Path]:
    whole = model.clone()
    span_all_pixels(whole, work.package.normalisation)
    fuse_group_norms(whole)
    whole.reshape(work.shape)
    if work.package.padding.mode != "zero":  # whose zeros are values of the tensor, not counts
        whole = with_byte_input(whole)
    mark_as_quantised(whole)
    place = work.folder / name
    place.mkdir()
    path = _saved(place, whole, "int8")
    return cost_of(poses_of(work.package, work.split.held, path, "fp32"), work.truth), path


def _saved(folder: Path, model: Any, name: str) -> Path:
    path = folder / f"model_{name}.xml"
    save(model, path)
    return path


def _over(cost: Cost, budget_px: float) -> bool:
    return not cost.mean_px <= budget_px  # NaN is over every budget


def _refusal(work: _Work, name: str, found: list[str]) -> str:
    return (
        f"{name} form of model package '{work.package.name}' is over its budget of "
        f"{work.options.budget_px:g} px mean: {'; '.join(found)}; nothing was written. "
        "Allow more with --budget-px, or give --frames that show what the network was trained on"
    )

"""Makes the forms of a package's network that GPUs run: ONNX in fp16 or bf16, or with int8 convolutions.

Note [what is measured]: No GPU is needed. The cost in pixels is that of the file's numbers (16-bit weights,
256 steps) with the arithmetic between them in float32, on the CPU; what a GPU rounds besides is measured
there by ``fastpose verify --device cuda:0``. Values that fp16 could not hold are looked for, and stay in
float32.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from fastpose.cache import cache_in
from fastpose.config.model import package_folder
from fastpose.cuda.forms import FORMS
from fastpose.cuda.onnx_quantise import quantisable, quantised_in_half
from fastpose.cuda.onnx_types import with_half_types
from fastpose.errors import ModelError
from fastpose.model_package import ModelPackage, read_model_package
from fastpose.network_tensors import tensors_of
from fastpose.optimizing.candidate import Poses, cost_of, original, poses_of
from fastpose.optimizing.extra import require_onnx
from fastpose.optimizing.frames import Split, frames_of
from fastpose.optimizing.onnx_ranges import measured_ranges
from fastpose.optimizing.optimize import Report
from fastpose.optimizing.write import MadeForm, write_forms

__all__ = ["GpuOptions", "optimize_for_gpu"]

MOST_IN_FP16 = 16_000.0
"""A quarter of what fp16 holds: frames that were not measured may have larger values."""
_MEASURED = 6  # frames for ranges of all tensors


@dataclass(frozen=True)
class GpuOptions:
    """What is wanted.

    Attributes
    ----------
    precision : {"fp16", "bf16", "int8"}
    frames : Path or None
        Video, image or folder of images; None: the reference frames of the package.
    budget_px : float
        Mean distance to the poses in float32 that is allowed, px.
    say : callable
        Gets a line about each step.
    """

    precision: Literal["fp16", "bf16", "int8"] = "fp16"
    frames: Path | None = None
    budget_px: float = 0.5
    say: Callable[[str], None] = field(default=lambda line: None)


@dataclass(frozen=True)
class _Work:
    package: ModelPackage
    options: GpuOptions
    split: Split
    folder: Path
    model: Any
    """onnx.ModelProto, float32."""
    truth: Poses


def optimize_for_gpu(folder: str | os.PathLike[str], options: GpuOptions | None = None) -> Report:
    """Make the form that is wanted, measure its cost on held frames, and write it into the package.

    Parameters
    ----------
    folder : path-like
        The package, or ``builtin:NAME``.
    options : GpuOptions, optional

    Raises
    ------
    ModelError
        The package or the frames cannot be read, onnx is missing, or the form is over the budget; then the
        package stays as it was.
    """
    options = options or GpuOptions()
    package = read_model_package(package_folder(folder))
    _refuse_unsupported(package)
    onnx = require_onnx()
    split = frames_of(package, options.frames)
    with TemporaryDirectory(prefix="fastpose-optimize-") as temporary, cache_in(Path(temporary) / "cache"):
        place = Path(temporary)
        truth = poses_of(package, split.held, original(package, place), "fp32")
        work = _Work(package, options, split, place, onnx.load(str(package.network)), truth)
        kept, form = _best(work, _attempts(work))
        write_forms(package, [form], split, options.budget_px)
    shape = tuple(tensors_of(package, split.held[:1])[0].shape)
    return Report(package, {form.name: form.cost}, {form.name: package.folder / form.path.name}, kept, shape)


def _refuse_unsupported(package: ModelPackage) -> None:
    if package.network.suffix != ".onnx":
        raise ModelError(
            f"model package '{package.name}': {package.network_file} is OpenVINO's; a GPU needs model.onnx"
        )
    if package.detector is not None:
        raise ModelError(
            f"model package '{package.name}' has a detector; this version makes forms for GPUs of networks "
            "that see the frame or a roi of it"
        )


def _attempts(work: _Work) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """Graphs that may serve, the preferred first, with what stays in float32 in each."""
    if work.options.precision == "int8":
        yield from _quantised(work)
    else:
        kept = _too_large(work) if work.options.precision == "fp16" else ()
        yield with_half_types(work.model, work.options.precision, but=kept), kept


def _too_large(work: _Work) -> tuple[str, ...]:
    """Tensors whose values fp16 might not hold."""
    names = [name for node in work.model.graph.node for name in node.output]
    tensors = tensors_of(work.package, work.split.calibration[:_MEASURED])
    floats = _floats(work.model, names)
    ranges = measured_ranges(work.model, tensors, floats)
    kept = tuple(name for name in floats if ranges[name].max() > MOST_IN_FP16)
    if kept:
        largest = max(float(ranges[name].max()) for name in kept)
        work.options.say(f"{len(kept)} tensors reach {largest:.3g} and stay in float32")
    return kept


def _floats(model: Any, names: Sequence[str]) -> list[str]:
    import onnx

    graph = onnx.shape_inference.infer_shapes(model).graph
    values = (*graph.value_info, *graph.output)
    floats = {value.name for value in values if value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT}
    constants = {node.output[0] for node in model.graph.node if node.op_type == "Constant"}
    return [name for name in names if name in floats and name not in constants]


def _quantised(work: _Work) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """All convolutions by typical ranges, by whole ones, without the heads, without the first layer."""
    layers = quantisable(work.model)
    if not layers:
        raise ModelError(f"model package '{work.package.name}' has no convolution that int8 could speed up")
    tensors = tensors_of(work.package, work.split.calibration)
    measured = measured_ranges(work.model, tensors, {node.input[0] for node in layers})
    typical = {name: float(values.mean()) for name, values in measured.items()}
    whole = {name: float(values.max()) for name, values in measured.items()}
    heads = tuple(_heads(work.model, layers))
    for ranges, kept in ((typical, ()), (whole, ()), (whole, heads), (whole, (*heads, layers[0].output[0]))):
        yield quantised_in_half(work.model, ranges, but=kept), kept


def _heads(model: Any, layers: Sequence[Any]) -> list[str]:
    """The last convolution before each output of the network."""
    made_by = {name: node for node in model.graph.node for name in node.output}
    convolutions = {node.output[0] for node in layers}
    found: list[str] = []
    for output in model.graph.output:
        names, seen = [output.name], set[str]()
        while names:
            name = names.pop(0)
            if name in convolutions:
                found.append(name)
                break
            if name in made_by and name not in seen:
                seen.add(name)
                names.extend(made_by[name].input)
    return list(dict.fromkeys(found))


def _best(work: _Work, attempts: Iterator[tuple[Any, tuple[str, ...]]]) -> tuple[tuple[str, ...], MadeForm]:
    """The first within the budget; raises ModelError where there is none."""
    precision, budget_px = work.options.precision, work.options.budget_px
    left = "convolutions in fp16" if precision == "int8" else "tensors in float32"
    found: list[str] = []
    for number, (model, kept) in enumerate(attempts):
        path = _saved(work, model, number)
        cost = cost_of(poses_of(work.package, work.split.held, path, "fp32"), work.truth)
        told = f"{cost.mean_px:.3g} px mean, {cost.max_px:.3g} px max, {len(kept)} {left}"
        work.options.say(f"{precision}: {told}")
        if cost.mean_px <= budget_px:
            return kept, MadeForm(FORMS[precision], path, cost, kept)
        found.append(told)
    raise ModelError(
        f"{precision} form of model package '{work.package.name}' is over its budget of {budget_px:g} px "
        f"mean: {'; '.join(found)}; nothing was written. Allow more with --budget-px, or give --frames that "
        "show what the network was trained on"
    )


def _saved(work: _Work, model: Any, number: int) -> Path:
    place = work.folder / f"attempt{number}"
    place.mkdir()
    path = place / f"model_{work.options.precision}.onnx"
    path.write_bytes(model.SerializeToString())
    return path

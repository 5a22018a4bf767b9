"""From an ONNX file to a network in the engine's graph: the runtime, the plan, the warm-up, the capture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Lock

from fastpose.cuda.engine_cache import Plan, keep_extra, kept_plan
from fastpose.cuda.nvinfer import open_tensorrt, open_tensorrt_rtx
from fastpose.cuda.progress import shown
from fastpose.cuda.runtime import CaptureRefused, Carrier, Gpu, Job, Missing, Program, Runtime
from fastpose.cuda.torch_runtime import open_torch
from fastpose.errors import DeviceError, ModelError
from fastpose.model_forms import shape_text

__all__ = ["ORDER", "Loaded", "choose_runtime", "install", "load_program"]

ORDER: dict[str, Callable[[], Runtime]] = {
    "tensorrt": open_tensorrt,
    "tensorrt-rtx": open_tensorrt_rtx,
    "torch": open_torch,
}
"""Runtimes in the order in which `auto` tries them."""

_building = Lock()


@dataclass(frozen=True)
class Loaded:
    """A program, and what the user should know.

    Attributes
    ----------
    program : Program
    runtime : Runtime
    plan : Plan
    notes : tuple of str
        Runtimes that were skipped and why, what was wrong with the cache.
    """

    program: Program
    runtime: Runtime
    plan: Plan
    job: Job
    gpu: Gpu
    notes: tuple[str, ...] = ()


def choose_runtime(name: str, gpu: Gpu, precision: str) -> tuple[Runtime, tuple[str, ...]]:
    """The runtime that was asked for, or the first that can run here.

    Parameters
    ----------
    name : str
        "auto", or one of `ORDER`.
    gpu : Gpu
    precision : str

    Returns
    -------
    Runtime
    tuple of str
        Why each one before it was skipped.

    Raises
    ------
    DeviceError
        What was asked for cannot run here, or nothing can: with the reason for each.
    """
    if name != "auto" and name not in ORDER:
        raise DeviceError(f"model.runtime is {name!r}; allowed: auto, {', '.join(ORDER)}")
    skipped: list[str] = []
    for each in ORDER if name == "auto" else (name,):
        try:
            runtime = ORDER[each]()
        except Missing as missing:
            skipped.append(str(missing))
            continue
        reason = runtime.suits(gpu, precision)
        if not reason:
            return runtime, tuple(f"runtime auto: {line}" for line in skipped)
        skipped.append(reason)
    where = f"device cuda:{gpu.index} ({gpu.name}), precision {precision}"
    if name != "auto":
        raise DeviceError(f"{where}: runtime {name}: {skipped[0]}")
    raise DeviceError(f"{where}: no runtime can be used: {'; '.join(skipped)}")


def load_program(job: Job, gpu: Gpu, runtime: str = "auto", *, what: str = "") -> Loaded:
    """Build a network's plan, or take it from the cache, and make it ready on its GPU.

    Under `auto` a runtime that refuses the network is skipped for the next, and that is said.

    Parameters
    ----------
    job : Job
    gpu : Gpu
    runtime : str
        "auto", or one of `ORDER`.
    what : str
        The package, for what is shown while it is built.

    Raises
    ------
    DeviceError
        No runtime can be used, or the GPU has no room; under `auto` also: every runtime refuses the network.
    ModelError
        The runtime that was asked for refuses the network.
    """
    if runtime != "auto":
        return _load(job, gpu, *choose_runtime(runtime, gpu, job.precision), what)
    refused: list[str] = []
    chosen, notes = choose_runtime("auto", gpu, job.precision)
    for name in list(ORDER)[list(ORDER).index(chosen.name) :]:
        try:
            return _load(job, gpu, *choose_runtime(name, gpu, job.precision), what, (*notes, *refused))
        except (ModelError, DeviceError) as error:
            refused.append(f"runtime auto: {error}")
    raise DeviceError(*refused)


def _load(
    job: Job, gpu: Gpu, runtime: Runtime, skipped: tuple[str, ...], what: str, notes: Sequence[str] = ()
) -> Loaded:
    def build() -> bytes:
        title = f"{runtime.name} engine of {what or job.file.name}"
        with shown(f"{title} ({job.precision}, {shape_text(job.input_shape)}) for {gpu.name}") as progress:
            return runtime.build(job, gpu, progress)

    with _building:  # graphs that are made at once take the plan of the first
        plan = kept_plan(runtime, job, gpu, build)
    try:
        program = runtime.load(plan.content, job, gpu, plan.extra)
    except DeviceError as error:
        if not plan.cached or plan.file is None:
            raise
        plan.file.unlink(missing_ok=True)
        plan = replace(kept_plan(runtime, job, gpu, build), note=f"engine cache: {error}; built again")
        program = runtime.load(plan.content, job, gpu)
    said = (*notes, *skipped, *((plan.note,) if plan.note else ()))
    return Loaded(program, runtime, plan, job, gpu, said)


def install(loaded: Loaded, carrier: Carrier) -> tuple[str, ...]:
    """Put a program into the engine's graph: bound, run once, captured; or called by Python each frame.

    Returns
    -------
    tuple of str
        What the user should know: that capture was refused, and what that costs.

    Raises
    ------
    DeviceError
        The network does not run.
    """
    program, notes = loaded.program, loaded.notes
    program.bind(carrier.input_address, carrier.output_addresses)
    program.enqueue(carrier.stream)  # what is done once must not be captured
    carrier.synchronize()
    keep_extra(loaded.plan, loaded.runtime, loaded.job, loaded.gpu, program.extra)
    try:
        program.capture(carrier)
    except CaptureRefused as refused:
        carrier.call_each_frame(_caller(program, carrier.stream))
        notes += (f"{refused}: Python starts the network for each frame, two launches in place of one",)
    carrier.keep(program)
    carrier.finish()
    return notes


def _caller(program: Program, stream: int) -> Callable[[], bool]:
    def call() -> bool:
        try:
            program.enqueue(stream)
        except DeviceError:
            return False
        return True

    return call

"""Faster forms of a package's network, and how each runs best on a machine: optimized.json and tuned.json.

Note [forms]: A form is a file that holds the same network: ``onnx`` is the package's own; ``fastpose
optimize`` adds others (``int8``: quantised; ``fp32``, ``bf16``: rewritten for speed). A form runs at a
precision: those of floats at fp32 or bf16, int8 at int8 with the rest as the runtime likes it. tuned.json
names a form at a precision ``FORM/PRECISION``, such as ``onnx/bf16`` or ``int8/int8``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from fastpose.cpu import Cpu
from fastpose.errors import DeviceError, ModelError
from fastpose.form_files import (
    OPTIMIZE,
    OPTIMIZED,
    TUNE,
    TUNED,
    OptimizedForm,
    Tuned,
    read_optimized,
    read_tuned,
)
from fastpose.model_package import ModelPackage, digest_of

__all__ = [
    "OPTIMIZE",
    "OPTIMIZED",
    "PRECISIONS",
    "TUNE",
    "TUNED",
    "Form",
    "OptimizedForm",
    "Plan",
    "Precision",
    "Shape",
    "Tuned",
    "form_of",
    "forms_of",
    "plan_of",
    "read_optimized",
    "read_tuned",
    "shape_text",
    "threads_text",
    "tune_hint",
    "verify_files",
]

PRECISIONS = ("auto", "fp32", "bf16", "int8")
"""On the CPU."""
ONNX = "onnx"
_RUNS_AT = {ONNX: ("fp32", "bf16"), "fp32": ("fp32", "bf16"), "bf16": ("bf16",), "int8": ("int8",)}
"""Precisions of each form; of several forms for one precision the later in this order come first."""

Precision = Literal["auto", "fp32", "fp16", "bf16", "int8"]
Shape = tuple[int, int, int, int]  # N, C, H, W of the network's input


@dataclass(frozen=True)
class Form:
    """A file to run and how.

    Attributes
    ----------
    name : str
        "onnx", "fp32", "bf16" or "int8"; see Note [forms].
    precision : str
        "fp32", "bf16" or "int8".
    asked : str
        What the runtime is asked for: the precision, or "auto" where the choice between fp32 and bf16 is its.
    file : Path
    sha256 : str
        Of the file.
    optimized : OptimizedForm or None
        None: the package's own network.
    tuned : Tuned or None
        How it ran best on this machine at this shape; None: never measured.
    """

    name: str
    precision: str
    asked: str
    file: Path
    sha256: str
    optimized: OptimizedForm | None = None
    tuned: Tuned | None = None

    @property
    def key(self) -> str:
        """Its name in tuned.json."""
        return f"{self.name}/{self.precision}"

    @property
    def mean_px(self) -> float | None:
        """Mean distance from fp32, px; None: it is fp32, or was not measured."""
        return self.optimized.mean_px if self.optimized else None

    @property
    def over_budget(self) -> str:
        """Why it must not be armed; empty where it may."""
        return self.optimized.over_budget if self.optimized else ""

    def text(self, precision: str = "") -> str:
        """In words: precision and distance from fp32."""
        distance = "" if self.mean_px is None else f" ({self.mean_px:.2f} px from fp32)"
        return f"{precision or self.precision}{distance}"


def form_of(package: ModelPackage, precision: str, cpu: Cpu, shape: Shape | None = None) -> Form:
    """What runs where this precision is asked for.

    Parameters
    ----------
    package : ModelPackage
    precision : str
        "fp32", "bf16", "int8"; or "auto": the fastest of those within their budget. That is told by
        tuned.json where this machine measured all of them at this shape; else it is int8 where the CPU
        multiplies it fast, else what the runtime takes.
    cpu : Cpu
    shape : tuple of int, optional
        N, C, H, W of the network's input; None: nothing measured is used.

    Raises
    ------
    DeviceError
        There is no such precision.
    ModelError
        The package has no such form, or it is damaged, or of another network; or a file cannot be read.
    """
    if precision not in PRECISIONS:
        raise DeviceError(f"model.precision is {precision!r}; allowed on cpu: {', '.join(PRECISIONS)}")
    forms = forms_of(package, cpu, shape, None if precision == "auto" else precision)
    found = _fastest(forms) if precision == "auto" else _asked_for(package, precision, forms)
    if precision == "auto" and found is None:
        found = _untuned(forms, cpu)
    assert found is not None
    verify_files(package, found)
    return found


@dataclass(frozen=True)
class Plan:
    """A form, and what the runtime is asked for.

    Attributes
    ----------
    form : Form
    threads : int
        0: the runtime's choice.
    pinned : bool or None
        Whether they stay on their cores; None: the runtime's choice.
    threads_by : str
        Who chose them: "config", "tuned.json" or "runtime".
    """

    form: Form
    threads: int
    pinned: bool | None
    threads_by: str

    @property
    def text(self) -> str:
        """In words."""
        if self.threads_by == "runtime":
            return f"{self.form.text()}, threads as the runtime chooses"
        pinned = "" if self.pinned is None else ", pinned" if self.pinned else ", not pinned"
        return f"{self.form.text()}, {threads_text(self.threads)}{pinned} ({self.threads_by})"


def plan_of(
    package: ModelPackage, precision: str, threads: int, cpu: Cpu, shape: Shape | None = None
) -> Plan:
    """Form and threads, 0: what tuned.json says, if anything; else as `form_of`, which see for errors."""
    form = form_of(package, precision, cpu, shape)
    if form.tuned and threads in (0, form.tuned.threads):
        by = "config" if threads else TUNED
        return Plan(form, form.tuned.threads, form.tuned.pinned, by)
    return Plan(form, threads, None, "config" if threads else "runtime")


def threads_text(count: int) -> str:
    """``1 thread``, ``2 threads``."""
    return f"{count} thread{'' if count == 1 else 's'}"


def tune_hint(package: ModelPackage) -> str:
    """What a user of a package that was not tuned here can do."""
    return f"not tuned on this machine: {TUNE} {package.folder} finds its fastest form and threads"


def forms_of(
    package: ModelPackage, cpu: Cpu, shape: Shape | None = None, precision: str | None = None
) -> list[Form]:
    """Every form of the package at every precision, the preferred of a precision first.

    Parameters
    ----------
    package : ModelPackage
    cpu : Cpu
        Without bf16 there is none at bf16, unless it is asked for by name (the runtime then refuses it).
    shape : tuple of int, optional
        Adds what was measured at it.
    precision : str, optional
        Only those that run at it; others are not looked at, whatever is wrong with them.

    Raises
    ------
    ModelError
        optimized.json or tuned.json cannot be read, or a form was made from another network.
    """
    optimized, measured = read_optimized(package.folder), read_tuned(package.folder).get(cpu.key, {})
    wanted = (precision,) if precision else ("int8", *(("bf16",) if cpu.has_bf16 else ()), "fp32")
    found = []
    for at in wanted:
        for name in reversed([name for name, runs_at in _RUNS_AT.items() if at in runs_at]):
            if name == ONNX or name in optimized:
                form = _form(package, name, at, optimized.get(name))
                found.append(_with_tuned(form, measured, shape))
    return found


def shape_text(shape: Shape) -> str:
    """Key of tuned.json: ``1x3x480x640``."""
    return "x".join(map(str, shape))


def _form(package: ModelPackage, name: str, precision: str, optimized: OptimizedForm | None) -> Form:
    source = package.sha256.get(package.network_file, "").lower()
    if optimized is None:
        return Form(name, precision, precision, package.network, source)
    if optimized.source_sha256.lower() != source:
        raise ModelError(
            f"model package '{package.folder}': form {name} in {OPTIMIZED} was made from another "
            f"{package.network_file} ({optimized.source_sha256[:12]}..., here {source[:12]}...); make it "
            f"again with: {OPTIMIZE} {package.folder}, or remove {OPTIMIZED}"
        )
    digest = optimized.sha256.get(optimized.file, "").lower()
    return Form(name, precision, precision, package.folder / optimized.file, digest, optimized)


def _with_tuned(form: Form, measured: Mapping[str, Mapping[str, Tuned]], shape: Shape | None) -> Form:
    tuned = measured.get(form.key, {}).get(shape_text(shape)) if shape else None
    if tuned is None or (tuned.sha256 or form.sha256).lower() != form.sha256:
        return form
    return replace(form, tuned=tuned)


def _asked_for(package: ModelPackage, precision: str, forms: list[Form]) -> Form:
    """The fastest form for a precision by name; one over its budget only where there is no other."""
    if not forms:
        raise ModelError(
            f"model.precision is {precision}; model package '{package.folder}' has no {precision} form; "
            f"make it with: {OPTIMIZE} {package.folder} --precision {precision}"
        )
    allowed = [form for form in forms if not form.over_budget] or forms
    return _fastest(allowed) or allowed[0]


def _fastest(forms: list[Form]) -> Form | None:
    """By what was measured; None unless all that may be used were."""
    allowed = [form for form in forms if not form.over_budget]
    times_ms = [form.tuned.p50_ms if form.tuned else math.nan for form in allowed]
    if not allowed or any(map(math.isnan, times_ms)):
        return None
    return allowed[times_ms.index(min(times_ms))]


def _untuned(forms: list[Form], cpu: Cpu) -> Form:
    """Int8 where the CPU is made for it; else floats, and the runtime chooses between fp32 and bf16."""
    allowed = [form for form in forms if not form.over_budget]
    quantised = next((form for form in allowed if form.precision == "int8"), None)
    if quantised is not None and cpu.has_int8:
        return quantised
    return replace(next(form for form in allowed if form.precision != "int8"), asked="auto")


def verify_files(package: ModelPackage, form: Form) -> None:
    """Raise ModelError unless an optimized form's files are those that were measured."""
    if form.optimized is None:
        return
    way_out = f"make it again with: {OPTIMIZE} {package.folder}"
    for name in filter(None, (form.optimized.file, form.optimized.weights)):
        if name not in form.optimized.sha256:
            raise ModelError(
                f"model package '{package.folder}': {OPTIMIZED} holds no sha256 of {name}; {way_out}"
            )
    for name, expected in form.optimized.sha256.items():
        found = _digest(package.folder / name, way_out)
        if found != expected.lower():
            raise ModelError(
                f"model package '{package.folder}': {name} has sha256 {found[:12]}..., {OPTIMIZED} says "
                f"{expected[:12]}...; {way_out}"
            )


def _digest(path: Path, way_out: str) -> str:
    try:
        return digest_of(path)
    except OSError as error:
        raise ModelError(f"'{path}' cannot be read ({error.strerror}); {way_out}") from None

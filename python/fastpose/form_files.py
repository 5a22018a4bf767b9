"""The files beside a package's network: optimized.json has faster forms of it, tuned.json how each runs best.

tuned.json names a machine by `fastpose.cpu.Cpu.key`, a form as Note [forms] of `fastpose.model_forms` says,
and an input by its N, C, H, W.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fastpose.config.problems import problems_of
from fastpose.errors import ModelError, RecordError
from fastpose.session.atomic import write_json

__all__ = [
    "OPTIMIZE",
    "OPTIMIZED",
    "TUNE",
    "TUNED",
    "OptimizedForm",
    "Tuned",
    "read_optimized",
    "read_tuned",
    "write_tuned",
]

OPTIMIZED, TUNED = "optimized.json", "tuned.json"
OPTIMIZE, TUNE = "fastpose optimize", "fastpose tune"

FileName = Annotated[str, Field(pattern=r"^\w[\w.-]*$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class OptimizedForm(_Entry):
    """What optimized.json says of one form."""

    file: FileName
    """The network, OpenVINO IR or ONNX; its inputs and outputs are those of the package's own."""
    weights: FileName | None = None
    """Beside the network, where its format is two files."""
    source_sha256: Sha256
    """Of the package's own network that it was made from."""
    sha256: dict[FileName, Sha256]
    """Of its files."""
    budget_px: Annotated[float, Field(gt=0)]
    """Allowed mean distance from fp32."""
    mean_px: float | None = None
    """Mean distance of its keypoints from those at fp32, on the frames that it was measured on."""
    p95_px: float | None = None
    max_px: float | None = None
    keypoints: int | None = None

    @property
    def over_budget(self) -> str:
        """Why it is not to be used; empty where it is within its budget."""
        if self.mean_px is None:
            return "its distance from fp32 was never measured"
        if not self.mean_px <= self.budget_px:  # NaN is over every budget
            return f"{self.mean_px:.4g} px from fp32 (mean) is over the budget of {self.budget_px:g} px"
        return ""


class Tuned(_Entry):
    """What was measured of one form at one precision and input shape."""

    threads: Annotated[int, Field(ge=1)]
    pinned: bool
    """Whether the threads stay on their cores."""
    p50_ms: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    p99_ms: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    n: Annotated[int, Field(ge=1)]
    """Runs that the percentiles are of."""
    sha256: Sha256 | None = None
    """Of the form's file as it was measured; null: not known."""


class _Optimized(_Entry):
    schema_: Annotated[Literal[1], Field(alias="schema")]
    forms: dict[str, OptimizedForm] = {}


class _Tuned(_Entry):
    schema_: Annotated[Literal[1], Field(alias="schema")]
    machines: dict[str, dict[str, dict[str, Tuned]]] = {}


def read_optimized(folder: Path) -> dict[str, OptimizedForm]:
    """Read what ``fastpose optimize`` made, by the name of the form; empty where it never ran.

    Raises
    ------
    ModelError
        The file is there, but damaged.
    """
    content = _read(folder / OPTIMIZED, _Optimized, f"{OPTIMIZE} {folder}")
    return dict(content.forms) if content else {}


def read_tuned(folder: Path) -> dict[str, dict[str, dict[str, Tuned]]]:
    """Read what ``fastpose tune`` measured: machine, form/precision, shape; empty where it never ran.

    Raises
    ------
    ModelError
        The file is there, but damaged.
    """
    content = _read(folder / TUNED, _Tuned, f"{TUNE} {folder}")
    return dict(content.machines) if content else {}


def write_tuned(folder: Path, machine: str, measured: dict[str, dict[str, Tuned]]) -> Path:
    """Add what was measured on a machine to tuned.json; what was measured elsewhere stays.

    Parameters
    ----------
    folder : Path
        The package.
    machine : str
    measured : dict
        Form/precision, shape: the numbers.

    Raises
    ------
    ModelError
        The file that is there is damaged, or it cannot be written.
    """
    machines = read_tuned(folder)
    forms = machines.setdefault(machine, {})
    for form, shapes in measured.items():
        forms[form] = {**forms.get(form, {}), **shapes}
    content = _Tuned.model_validate({"schema": 1, "machines": machines})
    try:
        write_json(folder / TUNED, content.model_dump(mode="json", by_alias=True))
    except RecordError as error:
        raise ModelError(f"{error}; copy the package to a folder that can be written") from None
    return folder / TUNED


_Content = TypeVar("_Content", bound=_Entry)


def _read(path: Path, kind: type[_Content], way_out: str) -> _Content | None:
    if not path.is_file():
        return None
    data: Any = None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return kind.model_validate(data)
    except ValidationError as error:
        reason = "; ".join(map(str, problems_of(error, data, kind.model_json_schema())))
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
    raise ModelError(
        f"model package '{path.parent}': {path.name} cannot be read ({reason}); make it again with: "
        f"{way_out}, or remove it"
    )

"""Ranges and names as types: what every part of the config shares."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo
from pydantic_core import PydanticCustomError

ALLOWED = "x-allowed"  # key in the JSON schema: what is allowed, in words
BUILTIN = "builtin:"  # prefix of a model package that fastpose ships


class Section(BaseModel):
    """A part of the config: frozen, unknown keys refused, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


def _refuse_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise PydanticCustomError("bool_for_number", "a truth value is not a number")
    return value


def number_to_text(value: Any) -> Any:
    """Take a bare 7 in YAML for the text "7"; for fields whose type is text."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def absolute(path: Path, info: ValidationInfo) -> Path:
    """Return the path relative to the config file (validation context "base"), as an absolute one."""
    if str(path).startswith(BUILTIN):
        return path
    base = (info.context or {}).get("base", Path())
    return Path(os.path.abspath(base / path.expanduser()))  # noqa: PTH100  resolve() follows links


def _absolute_from_working_directory(path: Path) -> Path:
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100


NUMBER = BeforeValidator(_refuse_bool)  # goes behind Field, or the bounds miss in the JSON schema

Float = Annotated[float, NUMBER]
PositiveFloat = Annotated[float, Field(gt=0), NUMBER]
NonNegativeFloat = Annotated[float, Field(ge=0), NUMBER]
PositiveInt = Annotated[int, Field(ge=1), NUMBER]
NonNegativeInt = Annotated[int, Field(ge=0), NUMBER]
Fraction = Annotated[float, Field(ge=0, le=1), NUMBER]  # 0-1: probability, likelihood, share of time
Pixels = Annotated[int, Field(ge=1, le=16384), NUMBER]  # width or height of a frame, px
Size = tuple[Pixels, Pixels]  # width, height; px
Point = tuple[Float, Float]  # x, y; full-frame sensor px, centre of the first pixel is (0, 0)

Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$", max_length=40)]
Text = Annotated[str, Field(min_length=1)]
FileText = Annotated[
    str,
    Field(
        pattern=r"^\w[\w.-]*$",
        max_length=80,
        json_schema_extra={ALLOWED: "letters, digits, '.', '_' and '-' (at most 80 characters)"},
    ),
    BeforeValidator(number_to_text),
]

ConfigPath = Annotated[Path, AfterValidator(absolute)]  # relative to the config file
WorkingPath = Annotated[Path, AfterValidator(_absolute_from_working_directory)]


class Rectangle(Section):
    """Rectangle of full-frame sensor pixels."""

    x: NonNegativeInt
    """Left column, px."""
    y: NonNegativeInt
    """Top row, px."""
    width: Pixels
    height: Pixels


def no_repeats(names: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse a name that stands twice."""
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise ValueError(f"{repeated!r} stands twice")
    return names

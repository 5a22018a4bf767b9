"""Protocols: what the outputs do when rules change."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator
from typing_extensions import Self

from fastpose.config.action import Actions
from fastpose.config.types import ALLOWED, PositiveFloat, PositiveInt, Section, Text, absolute


class NoProtocol(Section):
    """Nothing acts: track and record."""

    type: Literal["none"] = "none"


class ConditionalProtocol(Section):
    """When the rule becomes true, do this to the outputs."""

    type: Literal["conditional"]
    when: Text
    """Name of one of the rules."""
    do: Actions
    """Per output: on, off, follow (high while the rule is true), {pulse_ms: x}, {train: {...}}, {level: x} or
    {ramp: {...}}."""
    deadline_ms: PositiveFloat | None = None
    """From exposure_start to the action; null: none."""
    on_late: Literal["suppress", "flag"] = "suppress"
    """What happens to a reaction that would miss the deadline."""
    inter_trial_s: PositiveFloat | None = None
    """After a reaction began there is no other for so long; null: the next rise of the rule is the next."""
    max_reactions: PositiveInt | None = None
    """The session ends when the rule has become false, and inter_trial_s is over, after so many; null: no
    limit."""
    max_session_s: PositiveFloat | None = None
    """The session ends so long after its first frame; null: no limit."""

    @property
    def is_plain(self) -> bool:
        """Neither pauses nor limits: its states are not told."""
        return self.inter_trial_s is None and self.max_reactions is None and self.max_session_s is None


class PythonProtocol(Section):
    """A fastpose.Protocol in a Python file; runs beside the loop."""

    type: Literal["python"]
    path: Text
    """FILE.py:Class, relative to the config file."""
    camera: Text | None = None
    """Camera whose poses and rules it gets; null: the only one that a network sees."""

    @field_validator("path")
    @classmethod
    def _file_and_class(cls, value: str, info: ValidationInfo) -> str:
        file, colon, name = value.rpartition(":")
        if not (colon and file.endswith(".py") and name.isidentifier()):
            raise ValueError(f"{value!r} names no class in a file; allowed: FILE.py:Class")
        return f"{absolute(Path(file), info)}:{name}"

    @property
    def file(self) -> Path:
        """The Python file."""
        return Path(self.path.rpartition(":")[0])

    @property
    def class_name(self) -> str:
        """The class in that file."""
        return self.path.rpartition(":")[2]


class CythonProtocol(Section):
    """A compiled protocol; runs in the loop."""

    type: Literal["cython"]
    path: Text | None = None
    """FILE.pyx, relative to the config file, that ``fastpose compile`` has compiled."""
    module: (
        Annotated[
            str,
            Field(
                pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$",
                json_schema_extra={ALLOWED: "the dotted name of a module"},
            ),
        ]
        | None
    ) = None
    """Dotted name of an extension module that Python can import; in place of path."""
    camera: Text | None = None
    """Camera whose poses and rules it gets; null: the only one that a network sees. In a synchronised set it
    gets the rules of all cameras of the set."""

    @field_validator("path")
    @classmethod
    def _cython_file(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        if not value.endswith(".pyx"):
            raise ValueError(f"{value!r} is no protocol in Cython; allowed: FILE.pyx")
        return str(absolute(Path(value), info))

    @model_validator(mode="after")
    def _path_or_module(self) -> Self:
        if (self.path is None) == (self.module is None):
            given = "both are given" if self.path else "neither path nor module is given"
            raise ValueError(f"{given}; allowed: one of path (FILE.pyx) and module (a dotted name)")
        return self

    @property
    def source(self) -> Path | None:
        """The file in Cython; None where a module is named."""
        return None if self.path is None else Path(self.path)

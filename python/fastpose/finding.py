"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One thing that a check looked at."""

    level: Literal["ok", "warning", "problem"]
    path: str
    """Where in the config, such as rules.in_corner.zone."""
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


def ok(path: str, text: str) -> Finding:
    """Return a finding that is as it should be."""
    return Finding("ok", path, text)


def warning(path: str, text: str) -> Finding:
    """Return a finding that costs something but stops nothing."""
    return Finding("warning", path, text)


def problem(path: str, text: str) -> Finding:
    """Return a finding that must be mended before a run."""
    return Finding("problem", path, text)

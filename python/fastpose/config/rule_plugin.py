"""Rules of other packages, found by their entry point."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from fastpose.config.rule_parts import PoseRule
from fastpose.config.types import Text


class PluginRule(PoseRule):
    """A compiled condition of an installed package: entry point group fastpose.rules."""

    type: Literal["plugin"]
    name: Text
    """Name of the entry point."""
    options: dict[str, Any] = Field(default_factory=dict)
    """What the plug-in takes."""
    individual: Literal["any"] = "any"
    """Not for plug-ins: they see every individual."""

"""Faster forms of a package's network, with what they cost in pixels: ``fastpose optimize``."""

from __future__ import annotations

from fastpose.optimizing.optimize import Options, Report, optimize

__all__ = ["Options", "Report", "optimize"]

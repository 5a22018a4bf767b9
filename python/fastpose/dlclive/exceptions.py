"""Errors and warnings that carry the original's names."""

from __future__ import annotations

from fastpose.errors import FastposeError

__all__ = ["DLCLiveError", "DLCLiveWarning"]


class DLCLiveError(FastposeError, RuntimeError):
    """A call that `DLCLive` cannot answer: no frame, no window system."""


class DLCLiveWarning(UserWarning):
    """An argument that is accepted for the sake of older scripts and changes nothing."""

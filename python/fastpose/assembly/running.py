"""What runs: a compiled network, its form, and what the runtime granted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastpose import _core
from fastpose.model_forms import Form, Shape, shape_text, threads_text

__all__ = ["Running", "text_of_all"]

_PRECISIONS = {"f32": "fp32", "bf16": "bf16", "f16": "fp16"}


@dataclass(frozen=True)
class Running:
    """One network at one input size.

    Attributes
    ----------
    part : str
        What it sees: "frame", "roi", "crops"; "detector" for the network that finds the animals.
    input_shape : tuple of int
        N, C, H, W.
    backend : Backend
    form : Form or None
        None: the package's only file for this.
    threads_by : str
        Who chose the threads: "config", "tuned.json" or "runtime"; empty for device fake.
    note : str
        Why what was compiled is not kept; empty where it is.
    """

    part: str
    input_shape: Shape
    backend: _core.Backend
    form: Form | None = None
    threads_by: str = ""
    note: str = ""

    @property
    def precision(self) -> str:
        """What it computes with: "int8", else as the runtime granted it."""
        if self.form is not None and self.form.precision == "int8":
            return "int8"
        granted = str(self.backend.granted["precision"])
        return _PRECISIONS.get(granted, granted)

    @property
    def text(self) -> str:
        """In words: ``int8 (0.21 px from fp32), 2 threads, pinned``."""
        if not self.threads_by:
            return self.backend.description
        granted = self.backend.granted
        named = self.form.text(self.precision) if self.form else self.precision
        return f"{named}, {threads_text(granted['threads'])}, {'' if granted['pinned'] else 'not '}pinned"

    def as_json(self) -> dict[str, Any]:
        """For session.json."""
        form = self.form
        return {
            "part": self.part,
            "input": shape_text(self.input_shape),
            "form": form.name if form else None,
            "file": form.file.name if form else None,
            "sha256": form.sha256 if form else None,
            "mean_px_from_fp32": form.mean_px if form else None,
            **self.backend.granted,
            "precision": self.precision,
            "threads_by": self.threads_by,
            "runtime": self.backend.description,
        }


def text_of_all(runs: Sequence[Running]) -> str:
    """In words, once where all are alike."""
    texts = {running.part: running.text for running in runs}
    if len(set(texts.values())) == 1:
        return next(iter(texts.values()))
    return "; ".join(f"{part}: {text}" for part, text in texts.items())

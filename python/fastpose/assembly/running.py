"""What runs: a compiled network, its form, and what the runtime granted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastpose import _core
from fastpose.model_forms import Form, Shape, shape_text, threads_text

__all__ = ["GpuGrant", "Running", "text_of_all"]

_PRECISIONS = {"f32": "fp32", "bf16": "bf16", "f16": "fp16"}


@dataclass(frozen=True)
class GpuGrant:
    """What a network got that is part of a CUDA graph, and so is no backend by itself.

    Attributes
    ----------
    description : str
    precision : str
    cached : bool
        Its engine was kept from before.
    """

    description: str
    precision: str
    cached: bool = False

    @property
    def granted(self) -> dict[str, Any]:
        """As `fastpose._core.Backend.granted`."""
        return {"precision": self.precision, "threads": 0, "pinned": False, "cached": self.cached}


@dataclass(frozen=True)
class Running:
    """One network at one input size.

    Attributes
    ----------
    part : str
        What it sees: "frame", "roi", "crops"; "detector" for the network that finds the animals.
    input_shape : tuple of int
        N, C, H, W.
    runtime : Backend or GpuGrant
    form : Form or None
        None: the package's only file for this.
    threads_by : str
        Who chose the threads: "config", "tuned.json" or "runtime"; empty for devices without (fake, cuda).
    note : str
        What stood in the way, such as why what was compiled is not kept; empty: nothing did.
    """

    part: str
    input_shape: Shape
    runtime: _core.Backend | GpuGrant
    form: Form | None = None
    threads_by: str = ""
    note: str = ""

    @property
    def backend(self) -> _core.Backend:
        """What runs it; not where it is part of a CUDA graph."""
        assert isinstance(self.runtime, _core.Backend)
        return self.runtime

    @property
    def precision(self) -> str:
        """What it computes with: "int8", else as the runtime granted it."""
        if self.form is not None and self.form.precision == "int8":
            return "int8"
        granted = str(self.runtime.granted["precision"])
        return _PRECISIONS.get(granted, granted)

    @property
    def text(self) -> str:
        """In words: ``int8 (0.21 px from fp32), 2 threads, pinned``."""
        if not self.threads_by:
            return self.runtime.description
        granted = self.runtime.granted
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
            **self.runtime.granted,
            "precision": self.precision,
            "threads_by": self.threads_by,
            "runtime": self.runtime.description,
        }


def text_of_all(runs: Sequence[Running]) -> str:
    """In words, once where all are alike."""
    texts = {running.part: running.text for running in runs}
    if len(set(texts.values())) == 1:
        return next(iter(texts.values()))
    return "; ".join(f"{part}: {text}" for part, text in texts.items())

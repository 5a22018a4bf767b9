"""Says what a source is: one table of readers, each with a test of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from fastpose.errors import ModelError
from fastpose.importing import looks
from fastpose.importing.imported import Found, Imported, Options

__all__ = ["READERS", "Reader", "detect"]


@dataclass(frozen=True)
class Reader:
    """One kind of source.

    Attributes
    ----------
    description : str
        In words, for the user.
    looks_like : callable
        Whether a path is such a source; quick, from names and heads of files, and executes nothing.
    module : str
        Module of `fastpose.importing` with ``read(source, options) -> Imported``; loaded when needed.
    """

    description: str
    looks_like: Callable[[Path], bool]
    module: str

    def read(self, source: Path, options: Options) -> Imported:
        """Read a source of this kind."""
        imported: Imported = import_module(f"fastpose.importing.{self.module}").read(source, options)
        return imported


READERS: dict[str, Reader] = {
    "dlc3_export": Reader("DeepLabCut 3 export (.pt)", looks.dlc3_export, "dlc3_export"),
    "dlc3_project": Reader(
        "DeepLabCut 3 project, or a shuffle's train folder", looks.dlc3_project, "dlc3_project"
    ),
    "dlc2_export": Reader("DeepLabCut 2 export (pose_cfg.yaml, .pb)", looks.dlc2_export, "dlc2"),
    "sleap": Reader("sleap-nn export (export_metadata.json, model.onnx)", looks.sleap, "sleap"),
    "lightning": Reader("Lightning Pose model with exports_onnx", looks.lightning, "lightning"),
    "bare": Reader("ONNX file beside a model.yaml", looks.bare, "bare"),
}
"""Asked in this order; the first that recognises the source reads it."""


def detect(source: str | os.PathLike[str]) -> Found:
    """Say what a source is.

    Parameters
    ----------
    source : path-like
        A file or folder that another tool wrote.

    Raises
    ------
    ModelError
        There is nothing, or nothing that a reader knows.
    """
    path = Path(source)
    if not path.exists():
        raise ModelError(f"source '{path}': no such file or folder")
    if path.is_dir() and not any(path.iterdir()):
        raise ModelError(f"source '{path}' is an empty folder; allowed: {_known()}")
    for kind, reader in READERS.items():
        if reader.looks_like(path):
            return Found(kind, reader.description, reader.read)
    raise ModelError(f"source '{path}' is nothing that can be imported; allowed: {_known()}")


def _known() -> str:
    return ", ".join(reader.description for reader in READERS.values())

"""Writes what a reader found as a model package."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import yaml

from fastpose.errors import ModelError
from fastpose.importing.detect import detect
from fastpose.importing.imported import Content, Found, Imported, Options, Reference
from fastpose.model_package import DESCRIPTION, read_model_package

__all__ = ["import_model", "write_package"]

REFERENCE = "reference.npz"


def import_model(
    source: str | os.PathLike[str], folder: str | os.PathLike[str], options: Options | None = None
) -> tuple[Found, Imported]:
    """Read a model of another tool and write it as a package, without parity.json.

    Parameters
    ----------
    source : path-like
        What another tool wrote.
    folder : path-like
        Where the package goes; must not exist, or be empty.
    options : Options, optional

    Raises
    ------
    ModelError
        The source is not known, damaged or not supported, or the folder is not free.
    """
    refuse_unless_free(Path(folder))
    found = detect(source)
    imported = found.read(Path(source), options or Options())
    write_package(Path(folder), imported)
    return found, imported


def refuse_unless_free(folder: Path) -> None:
    """Raise ModelError unless a package can be written there."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ModelError(f"'{folder}' is there already; give another folder with -o, or remove it first")


def write_package(folder: Path, imported: Imported) -> None:
    """Write model.yaml, the networks and reference.npz; the folder appears whole or not at all.

    Raises
    ------
    ModelError
        The folder is not free, or what was imported is no valid package.
    """
    refuse_unless_free(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as name:
        made = Path(name) / "package"
        made.mkdir()
        for file, content in imported.files.items():
            _write(made / file, content)
        _write_reference(made / REFERENCE, imported.reference)
        _write_description(made, imported)
        read_model_package(made)
        if folder.exists():
            folder.rmdir()
        made.replace(folder)


def _write(path: Path, content: Content) -> None:
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, Path):
        shutil.copyfile(content, path)
    else:
        content(path)


def _write_reference(path: Path, reference: Reference) -> None:
    arrays: dict[str, Any] = {"frames": reference.frames, "poses": reference.poses.astype(np.float32)}
    if reference.ties is not None:
        arrays["ties"] = reference.ties
    np.savez_compressed(path, **arrays, made_by=np.array(reference.made_by))


def _write_description(folder: Path, imported: Imported) -> None:
    digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in imported.files}
    content = {**imported.description, "sha256": digests}
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)
    (folder / DESCRIPTION).write_text(text, encoding="utf-8")

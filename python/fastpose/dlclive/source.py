"""From the path that a script gives to a model package: as it is, or imported once and kept."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import yaml

from fastpose.cache import cache_folder
from fastpose.config.model import package_folder
from fastpose.errors import ModelError
from fastpose.model_package import DESCRIPTION

__all__ = ["package_of", "source_config"]

SOURCE_CONFIG = "source_config.json"


def package_of(path: str | os.PathLike[str]) -> Path:
    """Return the model package for a path; other tools' files are imported at their first use.

    Parameters
    ----------
    path : path-like
        A model package, ``builtin:NAME``, or anything that ``fastpose import`` reads. Imports are kept in
        `cache_folder`, keyed by the content of the file.

    Raises
    ------
    ModelError
        There is nothing there, or nothing that can be imported.
    """
    if str(path).startswith("builtin:") or (Path(path) / DESCRIPTION).is_file():
        return package_folder(path)
    source = Path(path)
    if not source.exists():
        raise ModelError(
            f"model_path is '{path}': no such file or folder; allowed: a model package, builtin:NAME, "
            "or a model that fastpose import reads, such as DeepLabCut's exported .pt"
        )
    folder = cache_folder() / "imported" / _digest(source)[:32] / "package"
    if not (folder / DESCRIPTION).is_file():
        _import(source, folder)
    return folder


def source_config(package: Path) -> dict[str, Any]:
    """The config that came with the model: DeepLabCut's where it was imported from there, else model.yaml.

    ``["metadata"]["bodyparts"]`` and ``["all_joints_names"]`` are always there.
    """
    kept = package.parent / SOURCE_CONFIG
    if kept.is_file():
        found = json.loads(kept.read_text("utf-8"))
    else:
        found = yaml.safe_load((package / DESCRIPTION).read_text("utf-8"))
    parts = found.get("bodyparts") or found.get("metadata", {}).get("bodyparts") or []
    found.setdefault("metadata", {}).setdefault("bodyparts", parts)
    found.setdefault("all_joints_names", found["metadata"]["bodyparts"])
    return dict(found)


def _import(source: Path, folder: Path) -> None:
    from fastpose.importing import import_model  # torch and the like are needed for this alone

    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        import_model(source, folder)
    except ModelError:
        if not (folder / DESCRIPTION).is_file():  # another process was faster
            raise
    _keep_config(source, folder.parent / SOURCE_CONFIG)


def _keep_config(source: Path, target: Path) -> None:
    """Keep the config of DeepLabCut beside the package: reading it again would take torch."""
    if source.suffix == ".pt":
        from fastpose.importing.torch_file import load_torch

        config = load_torch(source).get("config")
    else:
        found = sorted(source.glob("pose_cfg.yaml")) if source.is_dir() else []
        config = yaml.safe_load(found[0].read_text("utf-8")) if found else None
    if isinstance(config, dict):
        target.write_text(json.dumps(config, default=str), "utf-8")


def _digest(source: Path) -> str:
    """Of the file, or of every file of the folder with its name."""
    digest = hashlib.sha256()
    files = [source] if source.is_file() else sorted(path for path in source.rglob("*") if path.is_file())
    for path in files:
        if source.is_dir():
            digest.update(str(path.relative_to(source)).encode() + b"\0")
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()

"""Reads what ``deeplabcut.export_model`` writes: one ``.pt`` with config, pose and detector."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastpose.errors import ModelError
from fastpose.importing.dlc3 import Trained, import_trained
from fastpose.importing.imported import Imported, Options
from fastpose.importing.torch_file import load_torch

__all__ = ["digest", "read"]


def read(source: Path, options: Options) -> Imported:
    """Read an export; see `fastpose.importing.detect.Reader`.

    Raises
    ------
    ModelError
        It is damaged, incomplete or not supported.
    """
    content = load_torch(source)
    missing = [key for key in ("config", "pose") if not isinstance(content.get(key), Mapping)]
    if missing:
        raise ModelError(_why_not(source, content, missing))
    return import_trained(
        Trained(
            config=content["config"],
            pose=content["pose"],
            detector=content.get("detector"),
            where=f"'{source}'",
            name=source.stem,
            source={"kind": "export", "file": source.name, "sha256": digest(source)},
        ),
        options,
    )


def digest(path: Path) -> str:
    """Hex sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _why_not(source: Path, content: Mapping[str, Any], missing: list[str]) -> str:
    if "model" in content:
        return (
            f"'{source}' is a snapshot, which holds no config; import its folder: "
            f"fastpose import '{source.parent}' --snapshot {source.name}"
        )
    keys = ", ".join(map(str, list(content)[:5])) or "nothing"
    return (
        f"'{source}': {' and '.join(missing)} missing; it holds {keys}; "
        "allowed: config, pose and detector, as deeplabcut.export_model writes them"
    )

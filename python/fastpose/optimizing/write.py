"""Adds forms of a network to its package: their files and optimized.json."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import openvino

from fastpose.errors import ModelError
from fastpose.model_package import ModelPackage
from fastpose.optimizing.candidate import Cost
from fastpose.optimizing.frames import Split

__all__ = ["FORMS", "MadeForm", "write_forms"]

FORMS = "optimized.json"


@dataclass(frozen=True)
class MadeForm:
    """A form of the network: its graph (.onnx, or .xml with .bin), its cost, layers left in float32."""

    name: str
    path: Path
    cost: Cost
    kept: tuple[str, ...] = ()


def write_forms(package: ModelPackage, made: list[MadeForm], split: Split, budget_px: float) -> None:
    """Copy the forms into the package; forms made before of the same network stay.

    Raises
    ------
    ModelError
        The package cannot be written to.
    """
    target = package.folder / FORMS
    try:
        forms = _made_before(target, package) | {
            form.name: _entry(package, form, split, budget_px) for form in made
        }
        _replace(target, json.dumps({"schema": 1, "forms": forms}, indent=1) + "\n")
    except OSError as error:
        raise ModelError(
            f"model package '{package.folder}' cannot be written to ({error.strerror}); copy it to a "
            "folder of yours and optimise it there"
        ) from None


def _entry(package: ModelPackage, form: MadeForm, split: Split, budget_px: float) -> dict[str, Any]:
    files = [form.path, *filter(Path.is_file, [form.path.with_suffix(".bin")])]
    for file in files:
        shutil.copyfile(file, package.folder / file.name)
    return {
        "file": files[0].name,
        **({"weights": files[1].name} if len(files) > 1 else {}),
        "source_sha256": package.sha256[package.network_file],
        "sha256": {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files},
        "budget_px": budget_px,
        **asdict(form.cost),
        "frames_used": {
            "source": split.source,
            "calibration": len(split.calibration),
            "held": len(split.held),
        },
        "layers_in_fp32": list(form.kept),
        "made_with": {"openvino": openvino.__version__},
    }


def _made_before(path: Path, package: ModelPackage) -> dict[str, Any]:
    try:
        forms = json.loads(path.read_text(encoding="utf-8"))["forms"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    mine = package.sha256[package.network_file]
    return {name: form for name, form in forms.items() if form.get("source_sha256") == mine}


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)

"""Reads a DeepLabCut 3 project: a shuffle's ``pytorch_config.yaml`` and one of its snapshots."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from fastpose.errors import ModelError
from fastpose.importing.dlc3 import Trained, import_trained
from fastpose.importing.dlc3_export import digest
from fastpose.importing.frames import image_files
from fastpose.importing.imported import Imported, Options
from fastpose.importing.looks import CONFIG, train_folders
from fastpose.importing.torch_file import load_torch

__all__ = ["read"]

SHUFFLE = re.compile(r"shuffle(\d+)$")
EPOCHS = re.compile(r"-(\d+)$")


def read(source: Path, options: Options) -> Imported:
    """Read a shuffle of a project; see `fastpose.importing.detect.Reader`.

    Raises
    ------
    ModelError
        No or several shuffles fit, a file is damaged, or the network is not supported.
    """
    train = _train_folder(source, options.shuffle)
    snapshot = _snapshot(train, options.snapshot)
    content = load_torch(snapshot)
    if not isinstance(content.get("model"), Mapping):
        keys = ", ".join(map(str, content)) or "nothing"
        raise ModelError(f"'{snapshot}': model missing; it holds {keys}; allowed: a snapshot of DeepLabCut 3")
    project = _project(train)
    return import_trained(
        Trained(
            config=_yaml(train / CONFIG),
            pose=content["model"],
            detector=_detector(train),
            antialias=False,
            where=f"'{snapshot}'",
            name=_name(train, project),
            source=_provenance(train, snapshot, content),
            skeleton=_skeleton(project),
            frames=_labelled_frames(project),
        ),
        options,
    )


def _train_folder(source: Path, shuffle: int | None) -> Path:
    """The one train folder that is meant, of the highest iteration."""
    folders = train_folders(source)
    numbers = {folder: _shuffle_of(folder) for folder in folders}
    wanted = [folder for folder in folders if shuffle is None or numbers[folder] == shuffle]
    wanted = [folder for folder in wanted if _iteration_of(folder) == max(map(_iteration_of, wanted))]
    if len(wanted) != 1:
        known = ", ".join(sorted({str(number) for number in numbers.values() if number is not None}))
        problem = "no shuffle" if not wanted else f"{len(wanted)} trained networks"
        raise ModelError(
            f"'{source}': {problem}{'' if shuffle is None else f' with --shuffle {shuffle}'}; "
            f"shuffles there: {known or 'none'}; choose with --shuffle N, or give the train folder itself"
        )
    return wanted[0]


def _shuffle_of(train: Path) -> int | None:
    found = SHUFFLE.search(train.resolve().parent.name)
    return int(found[1]) if found else None


def _iteration_of(train: Path) -> int:
    _, _, number = train.resolve().parent.parent.name.partition("iteration-")
    return int(number) if number.isdigit() else -1


def _snapshot(train: Path, name: str | None) -> Path:
    """The named snapshot, else the best, else the one of most epochs."""
    snapshots = [path for path in train.glob("snapshot*.pt") if "detector" not in path.name]
    if not snapshots:
        raise ModelError(f"'{train}' has no snapshot*.pt; train the network first, or give another --shuffle")
    if name is None:
        return max(snapshots, key=lambda path: ("best" in path.name, _epochs(path) or -1, path.name))
    for path in snapshots:
        if name in (path.name, path.stem, path.stem.removeprefix("snapshot-")):
            return path
    known = ", ".join(sorted(path.stem for path in snapshots))
    raise ModelError(f"'{train}' has no snapshot {name!r}; allowed: {known}")


def _detector(train: Path) -> Mapping[str, Any] | None:
    """Weights of the best detector, else the one of most epochs; None where there is none."""
    snapshots = list(train.glob("snapshot-detector*.pt"))
    if not snapshots:
        return None
    best = max(snapshots, key=lambda path: ("best" in path.name, _epochs(path) or -1, path.name))
    weights = load_torch(best).get("model")
    if not isinstance(weights, Mapping):
        raise ModelError(f"'{best}': model missing; allowed: a snapshot of a detector of DeepLabCut 3")
    return weights


def _epochs(snapshot: Path) -> int | None:
    found = EPOCHS.search(snapshot.stem)
    return int(found[1]) if found else None


def _provenance(train: Path, snapshot: Path, content: Mapping[str, Any]) -> dict[str, Any]:
    metadata = content.get("metadata")
    epochs = metadata.get("epoch") if isinstance(metadata, Mapping) else _epochs(snapshot)
    return {
        "kind": "project",
        "shuffle": train.resolve().parent.name,
        "file": snapshot.name,
        "epochs": None if epochs is None else int(epochs),
        "sha256": digest(snapshot),
    }


def _project(train: Path) -> Path | None:
    """The project's folder, where the train folder lies in one."""
    parents = train.resolve().parents
    found = parents[3] if len(parents) > 3 else None
    return found if found is not None and (found / "config.yaml").is_file() else None


def _name(train: Path, project: Path | None) -> str:
    task = _yaml(project / "config.yaml").get("Task") if project is not None else None
    return str(task or train.resolve().parent.name)


def _skeleton(project: Path | None) -> tuple[tuple[str, str], ...]:
    edges = _yaml(project / "config.yaml").get("skeleton") if project is not None else None
    if not isinstance(edges, list):
        return ()
    return tuple((str(edge[0]), str(edge[1])) for edge in edges if isinstance(edge, list) and len(edge) == 2)


def _labelled_frames(project: Path | None) -> Path | None:
    """The first folder of labelled images."""
    folders = sorted((project / "labeled-data").glob("*/")) if project is not None else []
    return next((folder for folder in folders if image_files(folder)), None)


def _yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ModelError(f"'{path}' cannot be read ({' '.join(str(error).split())})") from None
    if not isinstance(content, dict):
        raise ModelError(f"'{path}' is no config of DeepLabCut")
    return content

"""A small experiment that tests change one value of, and a model package that fits it."""

from __future__ import annotations

import copy
import hashlib
from pathlib import Path
from typing import Any

import yaml

BODYPARTS = ("snout", "leftear", "rightear", "center", "tailbase")
MISSING = object()

SAMPLE: dict[str, Any] = {
    "session": {"subject": "m001"},
    "cameras": {"top": {"driver": "sim", "size": [640, 480], "rate_hz": 100}},
    "model": {"path": "package", "device": "fake"},
    "zones": {"corner": {"polygon": [[0, 0], [200, 0], [200, 200], [0, 200]]}},
    "rules": {"in_corner": {"type": "in_zone", "zone": "corner", "bodyparts": ["snout"]}},
    "outputs": {"laser": {"driver": "sim", "max_on_ms": 100}},
    "protocol": {"type": "conditional", "when": "in_corner", "do": {"laser": {"pulse_ms": 10}}},
    "record": {"video": None},
}


def changed(path: str = "", value: Any = MISSING) -> dict[str, Any]:
    """Return the sample with the value at a dotted path set, or removed where none is given."""
    config = copy.deepcopy(SAMPLE)
    if not path:
        return config
    *parents, last = path.split(".")
    section = config
    for key in parents:
        section = section.setdefault(key, {})
    if value is MISSING:
        section.pop(last, None)
    else:
        section[last] = value
    return config


def write_config(folder: Path, path: str = "", value: Any = MISSING) -> Path:
    """Write the changed sample and its model package into a folder."""
    write_package(folder / "package")
    config = changed(path, value)
    config["session"].setdefault("directory", str(folder / "sessions"))
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump(config, sort_keys=False))
    return file


def write_package(folder: Path, **changes: Any) -> Path:
    """Write a package whose network is a few bytes; None leaves a key out."""
    folder.mkdir(exist_ok=True)
    network = folder / "model.onnx"
    network.write_bytes(b"no real network")
    description = {
        "name": "sample",
        "bodyparts": list(BODYPARTS),
        "skeleton": [["snout", "center"], ["center", "tailbase"]],
        "individuals": [],
        "colour": "grey",
        "normalisation": {"scale": [1 / 255], "offset": [0.0]},
        "padding": {"multiple": 8},
        "stride": 8,
        "locref_stdev": 7.2801,
        "decoder": "heatmap",
        "activation": "sigmoid",
        "outputs": ["heatmap", "locref"],
        "training_size": [640, 480],
        "source": {"tool": "test"},
        "sha256": {"model.onnx": hashlib.sha256(network.read_bytes()).hexdigest()},
        **changes,
    }
    kept = {key: value for key, value in description.items() if value is not None}
    (folder / "model.yaml").write_text(yaml.safe_dump(kept))
    return folder

"""What lies beside the network in an export of sleap-nn: ``export_metadata.json``, training configs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from fastpose.errors import ModelError

__all__ = ["KINDS", "METADATA", "Metadata", "Training", "read_metadata", "read_training"]

METADATA = "export_metadata.json"
KINDS = ("single_instance", "topdown", "bottomup")


@dataclass(frozen=True)
class Metadata:
    """The part of ``export_metadata.json`` that says what the numbers mean."""

    model_type: str
    model_name: str
    node_names: tuple[str, ...]
    edge_inds: tuple[tuple[int, int], ...]
    input_channels: int
    input_scale: float
    """Of the network that sees the whole frame."""
    output_stride: int
    peak_threshold: float
    version: str
    crop_size: tuple[int, int] | None
    """Height and width, px; top-down only."""
    max_instances: int | None
    max_peaks_per_node: int


@dataclass(frozen=True)
class Training:
    """The part of a training config that the metadata does not repeat."""

    max_stride: int
    output_strides: dict[str, int]
    """By head: confmaps, pafs."""
    scale: float
    edges: tuple[tuple[str, str], ...]
    size: tuple[int, int] | None
    """Width and height of the frames that it was trained on, px; None: not said."""

    def multiple(self, scale: float) -> int:
        """px that a frame's sides must be multiples of, so that the scaled frame fits the backbone."""
        return (Fraction(self.max_stride) / Fraction(scale).limit_denominator(1000)).numerator


def read_metadata(folder: Path) -> Metadata:
    """Read and check ``export_metadata.json``.

    Raises
    ------
    ModelError
        It is missing or damaged, or the model is of a type that is not supported.
    """
    path = folder / METADATA
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        metadata = _parse(content)
    except OSError as error:
        raise ModelError(
            f"sleap-nn export '{folder}': {METADATA} cannot be read ({error.strerror})"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"sleap-nn export '{folder}': {METADATA} is damaged ({type(error).__name__}: {error}); "
            "export again"
        ) from None
    _check(metadata, content)
    return metadata


def read_training(folder: Path, head: str = "") -> Training:
    """Read the training config that sleap-nn copies beside ``model.onnx``.

    Parameters
    ----------
    folder : Path
    head : str
        "centroid" or "centered_instance" for the two networks of a top-down export.

    Raises
    ------
    ModelError
        It is missing or says no stride.
    """
    path = folder / (f"training_config_{head}.yaml" if head else "training_config.yaml")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return _training(content)
    except (OSError, KeyError, TypeError, ValueError, AttributeError, StopIteration, yaml.YAMLError) as error:
        raise ModelError(
            f"sleap-nn export '{folder}': {path.name} does not say the backbone's max_stride "
            f"({type(error).__name__}: {' '.join(str(error).split())}); sleap-nn writes it beside model.onnx"
        ) from None


def _training(content: dict[str, Any]) -> Training:
    model, data = content["model_config"], content.get("data_config") or {}
    backbone = next(each for each in model["backbone_config"].values() if each)
    heads: dict[str, Any] = next((each for each in (model.get("head_configs") or {}).values() if each), {})
    strides = {name: int(head["output_stride"]) for name, head in heads.items() if head}
    frames = data.get("preprocessing") or {}
    width, height, scale = (frames.get(key) for key in ("max_width", "max_height", "scale"))
    size = (int(width), int(height)) if width and height else None
    return Training(int(backbone["max_stride"]), strides, float(scale or 1), _edges(data), size)


def _edges(data: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    skeleton = (data.get("skeletons") or [{}])[0]
    edges = skeleton.get("edges") or ()
    return tuple((str(edge["source"]["name"]), str(edge["destination"]["name"])) for edge in edges)


def _parse(content: dict[str, Any]) -> Metadata:
    threshold, crop = content.get("peak_threshold"), content.get("crop_size")
    most = content.get("max_instances")
    return Metadata(
        model_type=str(content["model_type"]),
        model_name=str(content.get("model_name", "")),
        node_names=tuple(map(str, content["node_names"])),
        edge_inds=tuple((int(a), int(b)) for a, b in content.get("edge_inds", [])),
        input_channels=int(content["input_channels"]),
        input_scale=float(content["input_scale"]),
        output_stride=int(content["output_stride"]),
        peak_threshold=0.2 if threshold is None else float(threshold),
        version=str(content.get("sleap_nn_version", "")),
        crop_size=None if crop is None else (int(crop[0]), int(crop[1])),
        max_instances=None if most is None else int(most),
        max_peaks_per_node=int(content.get("max_peaks_per_node") or 20),
    )


def _check(metadata: Metadata, content: dict[str, Any]) -> None:
    for value, allowed, what in (
        (metadata.model_type, KINDS, "model_type"),
        (content.get("normalization", "0_to_1"), ("0_to_1",), "normalization"),
        (metadata.input_channels, (1, 3), "input_channels"),
    ):
        if value not in allowed:
            names = ", ".join(map(str, allowed))
            raise ModelError(f"sleap-nn export: {what} {value!r} is not supported; allowed: {names}")
    parts = len(metadata.node_names)
    if not parts or any(not 0 <= end < parts for edge in metadata.edge_inds for end in edge):
        raise ModelError(f"sleap-nn export: {METADATA} names {parts} nodes and edges {metadata.edge_inds}")
    if metadata.input_scale <= 0 or metadata.output_stride <= 0:
        raise ModelError(
            f"sleap-nn export: input_scale {metadata.input_scale}, output_stride {metadata.output_stride}; "
            "allowed: more than 0"
        )
    if metadata.model_type == "topdown" and not metadata.crop_size:
        raise ModelError(f"sleap-nn export: {METADATA} says no crop_size; export again")
    if metadata.model_type == "bottomup" and not metadata.edge_inds:
        raise ModelError(f"sleap-nn export: {METADATA} says no edges, which bottomup needs; export again")

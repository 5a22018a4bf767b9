"""Reads what sleap-nn's exporter writes: ``model.onnx``, ``export_metadata.json`` training configs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from fastpose.errors import ModelError
from fastpose.importing import onnx_graph
from fastpose.importing.frames import reference_frames
from fastpose.importing.imported import Imported, Options, Reference
from fastpose.importing.onnx_shrink import replace_resize
from fastpose.importing.run_network import run_network
from fastpose.importing.soft_decode import window_mean

__all__ = ["METADATA", "read"]

METADATA = "export_metadata.json"
SUPPORTED = ("single_instance",)
SMALLEST_SIDE_PX = 96
WINDOW = 5  # cells, sleap-nn's default for its integral refinement


@dataclass(frozen=True)
class Metadata:
    """The part of ``export_metadata.json`` that says what the numbers mean."""

    model_type: str
    model_name: str
    node_names: tuple[str, ...]
    edge_inds: tuple[tuple[int, int], ...]
    input_channels: int
    input_scale: float
    output_stride: int
    peak_threshold: float
    version: str


def read(source: Path, options: Options) -> Imported:
    """Read a single-instance export of sleap-nn.

    The exported graph ends in grid peaks; it is cut before them, at the confidence maps, so that the place
    within a cell is found as sleap-nn's own inference finds it (integral refinement, 5 x 5 cells).

    Parameters
    ----------
    source : Path
        The folder of the export, or its ``model.onnx``.
    options : Options

    Raises
    ------
    ModelError
        Files are missing or damaged, or the model is of a type that is not supported.
    """
    folder = source if source.is_dir() else source.parent
    metadata = _metadata(folder)
    graph = onnx_graph.read_onnx(folder / "model.onnx")
    _check_input(graph, metadata)
    network = _confidence_maps(graph, metadata)
    multiple = _multiple(folder, metadata)
    description = _description(metadata, options, multiple)
    frames = _frames(options, metadata, multiple)
    return Imported(
        description=description,
        files={"model.onnx": network},
        reference=_reference(network, frames, description),
        found=_found(metadata),
    )


def _metadata(folder: Path) -> Metadata:
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


def _parse(content: dict[str, Any]) -> Metadata:
    threshold = content.get("peak_threshold")
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
    )


def _check(metadata: Metadata, content: dict[str, Any]) -> None:
    for value, allowed, what in (
        (metadata.model_type, SUPPORTED, "model_type"),
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


def _check_input(graph: Any, metadata: Metadata) -> None:
    shape = onnx_graph.input_shape(graph)
    if len(shape) != 4 or shape[1] != metadata.input_channels:
        raise ModelError(
            f"sleap-nn export: model.onnx takes {shape}, {METADATA} says {metadata.input_channels} channels; "
            "they do not belong together"
        )


def _confidence_maps(graph: Any, metadata: Metadata) -> bytes:
    """The graph from float pixels (0..255; it divides by 255 itself) to the maps before the peaks."""
    maps = _before_peaks(graph, "peak_vals")
    image = graph.graph.input[0].name
    _make_resize_portable(graph, metadata)
    shape = ("batch", metadata.input_channels, "height", "width")
    return onnx_graph.to_bytes(onnx_graph.cut(graph, {image: shape}, {maps: "heatmap"}))


def _make_resize_portable(graph: Any, metadata: Metadata) -> None:
    """Replace the resize of the frame by input_scale, the only one of the pixels divided by 255."""
    if metadata.input_scale == 1:
        return
    factor = round(1 / metadata.input_scale)
    scaled = {name for node in graph.graph.node if node.op_type == "Div" for name in node.output}
    resize = [node for node in graph.graph.node if node.op_type == "Resize" and node.input[0] in scaled]
    if len(resize) != 1 or abs(factor * metadata.input_scale - 1) > 1e-6:
        raise ModelError(
            f"sleap-nn export: input_scale {metadata.input_scale:g} is not supported; allowed: 1, 1/2, "
            "1/3, 1/4 ..."
        )
    replace_resize(graph, resize[0], channels=metadata.input_channels, factor=factor)


def _before_peaks(graph: Any, values: str) -> str:
    """The maps whose flattened maximum an output is."""
    made_by = onnx_graph.producers(graph)
    for node in onnx_graph.ancestors(graph, values):
        flat = made_by.get(node.input[0]) if node.op_type == "ReduceMax" else None
        if flat is not None and flat.op_type == "Reshape":
            return str(flat.input[0])
    raise ModelError(
        f"sleap-nn export: model.onnx has no output {values!r} that is the maximum of confidence maps; "
        "allowed: graphs written by sleap-nn 0.1 or later"
    )


def _multiple(folder: Path, metadata: Metadata) -> int:
    """px that a frame's sides must be multiples of, so that the scaled frame fits the backbone's stride."""
    path = folder / "training_config.yaml"
    try:
        backbones = yaml.safe_load(path.read_text(encoding="utf-8"))["model_config"]["backbone_config"]
        stride = next(int(backbone["max_stride"]) for backbone in backbones.values() if backbone)
    except (OSError, KeyError, TypeError, AttributeError, StopIteration, yaml.YAMLError) as error:
        raise ModelError(
            f"sleap-nn export '{folder}': training_config.yaml does not say the backbone's max_stride "
            f"({type(error).__name__}: {error}); sleap-nn writes it beside model.onnx"
        ) from None
    scale = Fraction(metadata.input_scale).limit_denominator(1000)
    return (Fraction(stride) / scale).numerator


def _description(metadata: Metadata, options: Options, multiple: int) -> dict[str, Any]:
    names = metadata.node_names
    return {
        "name": options.name or metadata.model_name or "sleap",
        "bodyparts": list(names),
        "skeleton": [[names[a], names[b]] for a, b in metadata.edge_inds],
        "individuals": [],
        "colour": "grey" if metadata.input_channels == 1 else "rgb",
        "normalisation": {
            "scale": [1.0] * metadata.input_channels,
            "offset": [0.0] * metadata.input_channels,
        },
        "padding": {"multiple": multiple, "mode": "zero"},
        "stride": metadata.output_stride / metadata.input_scale,
        "locref_stdev": 0.0,
        "decoder": "soft_heatmap",
        "activation": "none",
        "outputs": ["heatmap"],
        "soft": {"method": "window", "size": WINDOW, "min_score": metadata.peak_threshold},
        "resized_origin": "corner",
        "source": {
            "tool": f"sleap-nn {metadata.version}".strip(),
            "model_type": metadata.model_type,
            "file": metadata.model_name,
        },
    }


def _frames(options: Options, metadata: Metadata, multiple: int) -> npt.NDArray[np.uint8]:
    """Frames whose sides the network takes as they are: cropped at the right and bottom."""
    side = -(-SMALLEST_SIDE_PX * 2 // multiple) * multiple
    colour = "grey" if metadata.input_channels == 1 else "rgb"
    frames = reference_frames(options.frames, size=(side, side), colour=colour)
    height, width = (size // multiple * multiple for size in frames.shape[1:3])
    if not height or not width:
        raise ModelError(f"frames are {frames.shape[2]} x {frames.shape[1]} px; allowed: {multiple} or more")
    return np.ascontiguousarray(frames[:, :height, :width])


def _reference(network: bytes, frames: npt.NDArray[np.uint8], description: dict[str, Any]) -> Reference:
    tensors = frames[:, None] if frames.ndim == 3 else frames.transpose(0, 3, 1, 2)
    soft = description["soft"]
    poses = [
        window_mean(
            run_network(network, tensor[None].astype(np.float32))["heatmap"][0],
            description["stride"],
            soft["size"],
            soft["min_score"],
        )
        for tensor in tensors
    ]
    _check_parts(len(poses[0]), len(description["bodyparts"]))
    return Reference(
        frames,
        np.stack(poses)[:, None].astype(np.float32),
        made_by="OpenVINO fp32 and sleap-nn's integral refinement in NumPy",
    )


def _check_parts(maps: int, names: int) -> None:
    if maps != names:
        raise ModelError(
            f"sleap-nn export: model.onnx gives {maps} maps, {METADATA} names {names} nodes; "
            "they do not belong together"
        )


def _found(metadata: Metadata) -> tuple[tuple[str, str], ...]:
    return (
        ("source", f"sleap-nn {metadata.version} export, {metadata.model_type}"),
        ("architecture", f"stride {metadata.output_stride}, input scale {metadata.input_scale:g}"),
        ("body parts", ", ".join(metadata.node_names)),
    )

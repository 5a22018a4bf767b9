"""Cuts sleap-nn's exported graphs where the numbers are still maps."""

from __future__ import annotations

from typing import Any

from fastpose.errors import ModelError
from fastpose.importing import onnx_graph
from fastpose.importing.onnx_shrink import make_from_pixels
from fastpose.importing.sleap_metadata import METADATA, Metadata

__all__ = ["bottom_up", "centroids", "check_input", "crops", "single"]


def check_input(graph: Any, metadata: Metadata) -> None:
    """Raise ModelError unless the graph takes what the metadata says."""
    shape = onnx_graph.input_shape(graph)
    if len(shape) != 4 or shape[1] != metadata.input_channels:
        raise ModelError(
            f"sleap-nn export: model.onnx takes {shape}, {METADATA} says {metadata.input_channels} channels; "
            "they do not belong together"
        )


def single(graph: Any, metadata: Metadata) -> bytes:
    """From float pixels (0..255; the graph divides by 255 itself) to the maps before the peaks."""
    return _frame_network(graph, metadata, {_before_maximum(graph, "peak_vals"): "heatmap"})


def centroids(graph: Any, metadata: Metadata) -> bytes:
    """The part of a top-down graph from the frame (0..255) to the map of centroids."""
    return _frame_network(graph, metadata, {_head_before(graph, "centroid_vals"): "heatmap"})


def crops(graph: Any, metadata: Metadata, scale: float) -> bytes:
    """The part of a top-down graph from crops (0..255) to their maps."""
    image, maps = _first_crops(graph), _before_maximum(graph, "peak_vals")
    resize = _resize_of(graph, image, scale)
    channels, factor = metadata.input_channels, _factor(scale)
    make_from_pixels(graph, "pixels", resize or image, channels=channels, factor=factor)
    assert metadata.crop_size is not None
    shape = ("batch", channels, *metadata.crop_size)
    return onnx_graph.to_bytes(onnx_graph.cut(graph, {"pixels": shape}, {maps: "heatmap"}))


def bottom_up(graph: Any, metadata: Metadata) -> bytes:
    """From float pixels (0..255) to heatmap and limbs."""
    maps, fields = _head_before(graph, "peak_vals"), _fields(graph)
    return _frame_network(graph, metadata, {maps: "heatmap", fields: "limbs"})


def _frame_network(graph: Any, metadata: Metadata, outputs: dict[str, str]) -> bytes:
    image, scale = graph.graph.input[0].name, metadata.input_scale
    divide = next((node for node in graph.graph.node if node.op_type == "Div"), None)
    if divide is None:
        raise _unknown("division of the pixels by 255")
    resize = _resize_of(graph, divide.output[0], scale)
    if resize is not None:
        pixels, channels = divide.input[0], metadata.input_channels
        make_from_pixels(graph, pixels, resize, channels=channels, factor=_factor(scale))
    shape = ("batch", metadata.input_channels, "height", "width")
    return onnx_graph.to_bytes(onnx_graph.cut(graph, {image: shape}, outputs))


def _factor(scale: float) -> int:
    factor = round(1 / scale)
    if abs(factor * scale - 1) > 1e-6:
        raise ModelError(
            f"sleap-nn export: input_scale {scale:g} is not supported; allowed: 1, 1/2, 1/3, 1/4 ..."
        )
    return factor


def _resize_of(graph: Any, pixels: str, scale: float) -> str | None:
    """The pixels resized by the input scale; None where that is 1."""
    if _factor(scale) == 1:
        return None
    resize = [node for node in graph.graph.node if node.op_type == "Resize" and node.input[0] == pixels]
    if len(resize) != 1:
        raise _unknown(f"resize of the pixels, input_scale {scale:g} needs one")
    return str(resize[0].output[0])


def _before_maximum(graph: Any, values: str) -> str:
    """The maps whose flattened maximum an output is."""
    made_by = onnx_graph.producers(graph)
    for node in onnx_graph.ancestors(graph, values):
        flat = made_by.get(node.input[0]) if node.op_type == "ReduceMax" else None
        if flat is not None and flat.op_type == "Reshape":
            return str(flat.input[0])
    raise _unknown(f"output {values!r} that is the maximum of confidence maps")


def _head_before(graph: Any, values: str) -> str:
    """The maps whose highest cells an output is: what the nearest convolution makes."""
    for node in onnx_graph.ancestors(graph, values):
        if node.op_type == "Conv":
            return str(node.output[0])
    raise _unknown(f"output {values!r} that comes from confidence maps")


def _fields(graph: Any) -> str:
    """The part affinity fields: what is sampled along the lines."""
    for node in onnx_graph.ancestors(graph, "line_scores"):
        if node.op_type == "GridSample":
            return _head_before(graph, node.input[0])
    raise _unknown("output 'line_scores' that comes from part affinity fields")


def _first_crops(graph: Any) -> str:
    """The crops as the second network takes them, (crops, C, h, w) in 0..1."""
    sampled = [node for node in graph.graph.node if node.op_type == "GridSample"]
    if len(sampled) != 1:
        raise _unknown("crops, sampled from the frame around centroids")
    name = str(sampled[0].output[0])
    while True:
        reshaped = [node for node in graph.graph.node if node.op_type == "Reshape" and node.input[0] == name]
        if len(reshaped) != 1:
            return name
        name = str(reshaped[0].output[0])


def _unknown(what: str) -> ModelError:
    return ModelError(
        f"sleap-nn export: model.onnx has no {what}; allowed: graphs written by sleap-nn 0.1 or later"
    )

"""Takes the head that looks at one frame out of the ONNX export of a Lightning Pose context model.

Note [context models]: ``heatmap_mhcrnn`` exports take five frames and give two sets of maps of the third: one
by a head that sees the third frame alone, one by a recurrent head that sees all five. A closed loop has to
act on the newest frame, when the two after it do not exist. So the network here is the backbone and the first
head, for one frame at a time: the same numbers, at a fifth of the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastpose.errors import ModelError
from fastpose.importing import onnx_graph
from fastpose.importing.extra import require
from fastpose.importing.run_network import run_network

__all__ = ["FRAMES", "single_frame_network"]

FRAMES, MIDDLE = 5, 2
SAME = 1e-4
"""Largest difference between the maps of the whole export and of the part of it."""


def single_frame_network(export: Any, size: tuple[int, int], where: str) -> bytes:
    """ONNX file of the part that makes the first maps from the third frame, (1, 3, height, width).

    Parameters
    ----------
    export : onnx.ModelProto
        In single precision, images (batch, 5, 3, height, width) in.
    size : tuple of int
        Width and height of its frames, px.
    where : str
        For errors.

    Raises
    ------
    ModelError
        The graph is not built as Lightning Pose builds it, or its part gives other maps.
    """
    graph = type(export)()
    graph.CopyFrom(export)
    maps = graph.graph.output[0].name
    frames = _frames(graph, where)
    chosen, features = _chosen(graph, maps, where)
    for node in graph.graph.node:
        node.input[:] = [features if name == chosen else name for name in node.input]
    shape = (1, 3, *size[::-1])
    part = onnx_graph.to_bytes(onnx_graph.cut(graph, {frames: shape}, {maps: "heatmap"}))
    _compare(onnx_graph.to_bytes(export), maps, part, shape, where)
    return part


def _frames(graph: Any, where: str) -> str:
    """The tensor (5, 3, height, width) into which the frames are reshaped."""
    image = graph.graph.input[0].name
    readers = [node for node in graph.graph.node if image in node.input]
    if len(readers) != 1 or readers[0].op_type != "Reshape":
        raise _unknown(where, "its five frames do not go into one Reshape")
    return str(readers[0].output[0])


def _chosen(graph: Any, maps: str, where: str) -> tuple[str, str]:
    """What is gathered of the third frame, and the features of all five that it is gathered from."""
    made_by = onnx_graph.producers(graph)
    for node in onnx_graph.ancestors(graph, maps):
        before = _chain(made_by, node, ("Gather", "Transpose", "Reshape"))
        if before is not None and _index(graph, node) == MIDDLE:
            return str(node.output[0]), before
    raise _unknown(where, "its first maps are not those of the third frame")


def _chain(made_by: dict[str, Any], node: Any, kinds: Sequence[str]) -> str | None:
    """The first input of the last of these nodes, each made from the one before; None: there are others."""
    name = ""
    for kind in kinds:
        if node is None or node.op_type != kind:
            return None
        name = str(node.input[0])
        node = made_by.get(name)
    return name


def _index(graph: Any, gather: Any) -> int | None:
    """What a Gather along the first axis takes; None: not known."""
    if any(attribute.name == "axis" and attribute.i != 0 for attribute in gather.attribute):
        return None
    to_array = require("onnx").numpy_helper.to_array
    values = {weight.name: weight for weight in graph.graph.initializer}
    values |= {node.output[0]: node.attribute[0].t for node in graph.graph.node if node.op_type == "Constant"}
    found = values.get(gather.input[1])
    index = None if found is None else to_array(found)
    return None if index is None or index.size != 1 else int(index.reshape(-1)[0])


def _compare(export: bytes, maps: str, part: bytes, shape: tuple[int, ...], where: str) -> None:
    tensors = np.random.default_rng(0).standard_normal((1, FRAMES, *shape[1:]), np.float32)
    whole = run_network(export, tensors)[maps]
    alone = run_network(part, tensors[:, MIDDLE])["heatmap"]
    if whole.shape != alone.shape or np.abs(whole - alone).max() > SAME:
        raise _unknown(where, "the part that sees one frame gives other maps")


def _unknown(where: str, reason: str) -> ModelError:
    return ModelError(
        f"'{where}' is not built as heatmap_mhcrnn exports of Lightning Pose 2.4 are ({reason}); "
        "train model_type: heatmap on the same labels"
    )

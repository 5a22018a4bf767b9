"""Small questions to an OpenVINO graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["CONVOLUTIONS", "constant", "consumers", "convolutions", "kind", "redirect", "source", "unshaped"]

CONVOLUTIONS = ("Convolution", "ConvolutionBackpropData", "GroupConvolution", "MatMul")

Node = Any  # openvino.Node; the wheel has no types of its own
Model = Any


def kind(node: Node) -> str:
    """Name of the operation."""
    return str(node.get_type_name())


def source(node: Node, port: int = 0) -> Node:
    """The node that feeds an input."""
    return node.input_value(port).get_node()


def consumers(output: Any) -> list[Node]:
    """The nodes that read an output."""
    return [target.get_node() for target in output.get_target_inputs()]


def redirect(output: Any, replacement: Any) -> None:
    """Let all who read `output` read `replacement` instead."""
    for target in list(output.get_target_inputs()):
        target.replace_source_output(replacement)


def constant(node: Node) -> npt.NDArray[Any] | None:
    """The value of a constant, also behind a conversion; None for other nodes."""
    if kind(node) == "Convert":
        node = source(node)
    return np.asarray(node.get_data()) if kind(node) == "Constant" else None


def unshaped(node: Node) -> Node:
    """What lies behind a Reshape, which the reader of ONNX puts before constants; other nodes as they are."""
    return source(node) if kind(node) == "Reshape" else node


def convolutions(model: Model) -> Iterator[Node]:
    """Layers with weights, in the order of the data."""
    return (node for node in model.get_ordered_ops() if kind(node) in CONVOLUTIONS)

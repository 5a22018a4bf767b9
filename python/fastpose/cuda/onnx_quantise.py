"""Int8 in an ONNX graph as TensorRT takes it: QuantizeLinear and DequantizeLinear around convolutions.

Note [symmetric]: TensorRT computes with signed bytes and zero points of 0 alone. So a step is the largest
magnitude divided by 127, one for a tensor of features, one for each output channel of weights. What is not
int8 is fp16: float32 would be slower, and TensorRT-RTX has no matrix products of it for Turing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose.cuda.onnx_types import with_half_types

__all__ = ["quantisable", "quantised_in_half", "with_quantised_convolutions"]

_CHANNEL_AXIS = {"Conv": 0, "ConvTranspose": 1}
_STEPS = 127
_OPSET = 19
_LEAST_STEP = 1e-6  # what fp16 can still hold


def quantisable(model: Any, *, but: Collection[str] = ()) -> list[Any]:
    """Convolutions with constant weights, those named by an output in `but` left out."""
    weights = {weight.name for weight in model.graph.initializer}
    return [
        node
        for node in model.graph.node
        if node.op_type in _CHANNEL_AXIS and node.input[1] in weights and not set(but) & set(node.output)
    ]


def quantised_in_half(model: Any, ranges: Mapping[str, float], *, but: Collection[str] = ()) -> Any:
    """As `with_quantised_convolutions`, all else in fp16 (opset 19, the first whose steps may be fp16)."""
    from onnx import version_converter

    made = with_quantised_convolutions(model, ranges, but=but)
    opset = next(each.version for each in made.opset_import if each.domain in ("", "ai.onnx"))
    newer = made if opset >= _OPSET else version_converter.convert_version(made, _OPSET)
    return with_half_types(newer, "fp16")


def with_quantised_convolutions(model: Any, ranges: Mapping[str, float], *, but: Collection[str] = ()) -> Any:
    """A copy of a graph whose convolutions are int8.

    Parameters
    ----------
    model : onnx.ModelProto
        float32, opset 13 or newer.
    ranges : mapping
        Largest magnitude of each convolution's features, by tensor.
    but : collection of str
        Outputs of convolutions that stay as they are.
    """
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(onnx.shape_inference.infer_shapes(model))  # outputs get shapes, which the checker wants
    graph = copy.graph
    chosen = {node.output[0] for node in quantisable(copy, but=but)}
    weights = {weight.name: weight for weight in graph.initializer}
    made: dict[str, str] = {}
    nodes: list[Any] = []
    for node in graph.node:
        if node.output and node.output[0] in chosen:
            features, kernel = node.input[0], node.input[1]
            if features not in made:
                nodes += _around(graph, features, ranges[features])
                made[features] = f"{features}_q_dq"
            if kernel not in made:
                axis = _axis(node, weights[kernel])
                nodes.append(_weights(graph, weights[kernel], axis))
                made[kernel] = f"{kernel}_dq"
            node.input[0], node.input[1] = made[features], made[kernel]
        nodes.append(node)
    _replace(graph, nodes)
    del graph.value_info[:]
    onnx.checker.check_model(copy)
    return copy


def _axis(node: Any, weight: Any) -> int:
    """Axis of the output channels; grouped transposed convolutions have them in two, so there is one step."""
    groups = next((attribute.i for attribute in node.attribute if attribute.name == "group"), 1)
    return -1 if node.op_type == "ConvTranspose" and groups > 1 else _CHANNEL_AXIS[node.op_type]


def _around(graph: Any, name: str, largest: float) -> list[Any]:
    from onnx import helper

    _add(graph, f"{name}_step", np.array(max(largest / _STEPS, _LEAST_STEP), np.float32))
    _add(graph, f"{name}_zero", np.array(0, np.int8))
    both = [f"{name}_step", f"{name}_zero"]
    return [
        helper.make_node("QuantizeLinear", [name, *both], [f"{name}_q"]),
        helper.make_node("DequantizeLinear", [f"{name}_q", *both], [f"{name}_q_dq"]),
    ]


def _weights(graph: Any, weight: Any, axis: int) -> Any:
    from onnx import helper, numpy_helper

    values = numpy_helper.to_array(weight).astype(np.float32)
    steps = _steps(values, axis)
    shape = [1] * values.ndim
    if axis >= 0:
        shape[axis] = -1
    rounded = np.clip(np.rint(values / steps.reshape(shape)), -_STEPS, _STEPS).astype(np.int8)
    _add(graph, f"{weight.name}_q", rounded)
    _add(graph, f"{weight.name}_step", steps if axis >= 0 else steps.reshape(()))
    _add(graph, f"{weight.name}_zero", np.zeros(steps.shape if axis >= 0 else (), np.int8))
    names = [f"{weight.name}_{part}" for part in ("q", "step", "zero")]
    along = {"axis": axis} if axis >= 0 else {}
    return helper.make_node("DequantizeLinear", names, [f"{weight.name}_dq"], **along)


def _steps(values: npt.NDArray[np.float32], axis: int) -> npt.NDArray[np.float32]:
    others = tuple(place for place in range(values.ndim) if place != axis)
    largest = np.abs(values).max(others) if axis >= 0 else np.abs(values).max(keepdims=True).reshape(1)
    return np.asarray(np.maximum(largest / _STEPS, _LEAST_STEP), np.float32)


def _add(graph: Any, name: str, values: npt.NDArray[Any]) -> None:
    from onnx import numpy_helper

    graph.initializer.append(numpy_helper.from_array(values, name))


def _replace(graph: Any, nodes: list[Any]) -> None:
    """Set the nodes, and drop weights that nobody reads any more."""
    del graph.node[:]
    graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    kept = [weight for weight in graph.initializer if weight.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)

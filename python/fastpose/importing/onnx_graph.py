"""Reads, checks and cuts ONNX graphs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fastpose.errors import ModelError
from fastpose.importing.extra import require

__all__ = [
    "ancestors",
    "cut",
    "input_shape",
    "output_shapes",
    "producers",
    "read_onnx",
    "to_bytes",
    "to_float32",
]

Shape = tuple[int | None, ...]
"""Sizes; None where the graph leaves them open."""


def read_onnx(path: Path) -> Any:
    """Read an ONNX file with the weights that lie beside it.

    Raises
    ------
    ModelError
        It cannot be read, or is no valid graph with one input of a fixed rank.
    """
    onnx = require("onnx")
    try:
        model = onnx.load(str(path))
    except Exception as error:  # protobuf, onnx and the file system each raise their own
        raise ModelError(f"'{path}' is no readable ONNX file ({_one_line(error)})") from None
    count = len(_inputs(model))
    if count != 1:
        raise ModelError(f"'{path}': the network has {count} inputs; allowed: one, (1, C, H, W)")
    input_shape(model)
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise ModelError(f"'{path}' is no readable ONNX file ({_one_line(error)})") from None
    return model


def to_bytes(model: Any) -> bytes:
    """An ONNX file's content, weights included."""
    content: bytes = model.SerializeToString()
    return content


def input_shape(model: Any) -> Shape:
    """Shape of the only input.

    Raises
    ------
    ModelError
        Even the rank is open.
    """
    return _shape(_inputs(model)[0])


def output_shapes(model: Any) -> dict[str, Shape]:
    """Shape of each output by name; see `input_shape`."""
    return {output.name: _shape(output) for output in model.graph.output}


def producers(model: Any) -> dict[str, Any]:
    """The node that makes each tensor, by the tensor's name."""
    return {name: node for node in model.graph.node for name in node.output}


def ancestors(model: Any, tensor: str) -> Iterator[Any]:
    """The nodes that a tensor is made by, nearest first."""
    made_by, seen, names = producers(model), set[str](), [tensor]
    while names:
        node = made_by.get(names.pop(0))
        if node is None or node.output[0] in seen:
            continue
        seen.add(node.output[0])
        names.extend(node.input)
        yield node


def cut(
    model: Any,
    inputs: Mapping[str, Sequence[int | str]],
    outputs: Mapping[str, str],
) -> Any:
    """The part of a graph between tensors.

    Parameters
    ----------
    model : onnx.ModelProto
    inputs : mapping
        Name and shape of each tensor that becomes a float32 input; a name for a size that stays open.
    outputs : mapping
        Tensor that becomes a float32 output, and its new name.
    """
    onnx = require("onnx")
    kept = _needed(model, inputs, outputs)
    nodes = [node for node in model.graph.node if node.output[0] in kept]
    used = {name for node in nodes for name in node.input}
    weights = [weight for weight in model.graph.initializer if weight.name in used]
    nodes += [onnx.helper.make_node("Identity", [old], [new]) for old, new in outputs.items()]
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        nodes,
        model.graph.name,
        [value(name, onnx.TensorProto.FLOAT, list(shape)) for name, shape in inputs.items()],
        [value(name, onnx.TensorProto.FLOAT, None) for name in outputs.values()],
        weights,
    )
    return onnx.shape_inference.infer_shapes(
        onnx.helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    )


def to_float32(model: Any) -> Any:
    """A copy of a half-precision graph in single precision; every weight keeps its value."""
    onnx = require("onnx")
    half, single = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for weight in copy.graph.initializer:
        _widen(weight)
    for node in copy.graph.node:
        for attribute in node.attribute:
            if attribute.name in ("to", "dtype") and attribute.i == half:
                attribute.i = single
            _widen(attribute.t)
    for value in (*copy.graph.input, *copy.graph.output):
        if value.type.tensor_type.elem_type == half:
            value.type.tensor_type.elem_type = single
    del copy.graph.value_info[:]
    return copy


def _widen(tensor: Any) -> None:
    onnx = require("onnx")
    if tensor.data_type == onnx.TensorProto.FLOAT16:
        values = onnx.numpy_helper.to_array(tensor).astype("float32")
        tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))


def _needed(model: Any, inputs: Mapping[str, Any], outputs: Mapping[str, str]) -> set[str]:
    """First output of each node that is needed."""
    made_by, needed, names = producers(model), set[str](), list(outputs)
    while names:
        name = names.pop()
        node = made_by.get(name)
        if name in inputs or node is None or node.output[0] in needed:
            continue
        needed.add(node.output[0])
        names.extend(node.input)
    return needed


def _inputs(model: Any) -> list[Any]:
    weights = {weight.name for weight in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in weights]


def _shape(value: Any) -> Shape:
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        raise ModelError(
            f"the network's {value.name!r} has no fixed rank; allowed: (1, C, H, W), sizes may be open: "
            "export it again with a fixed number of dimensions"
        )
    return tuple(size.dim_value if size.HasField("dim_value") else None for size in tensor.shape.dim)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]

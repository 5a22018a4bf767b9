"""Gives an ONNX graph another floating-point type inside; its inputs and outputs stay float32."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

import numpy as np

__all__ = ["Half", "with_half_types"]

Half = Literal["fp16", "bf16"]

_FLOAT = 1  # onnx.TensorProto.FLOAT
_TYPES = {"fp16": 10, "bf16": 16}  # FLOAT16, BFLOAT16
_NUMBERS = {"Resize": (1, 2), "Upsample": (1,)}
"""Inputs that are float32 by the definition of an operation: roi and scales."""
_IN_FLOAT = {10: ("Range",), 16: ("Range", "ConvTranspose")}
"""Operations that TensorRT-RTX 1.7 does not have in a type."""


def with_half_types(model: Any, half: Half, *, but: Collection[str] = ()) -> Any:
    """A copy of a graph that computes in 16 bits.

    Parameters
    ----------
    model : onnx.ModelProto
        float32, its types can be inferred.
    half : {"fp16", "bf16"}
    but : collection of str
        Outputs of nodes that go on computing in float32: those whose values 16 bits cannot hold.
    """
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(onnx.shape_inference.infer_shapes(model))
    _Rewrite(copy.graph, _TYPES[half], frozenset(but)).run()
    del copy.graph.value_info[:]
    onnx.checker.check_model(copy)
    return copy


class _Rewrite:
    """Every node gets one type; where it meets a tensor of the other a Cast comes between."""

    def __init__(self, graph: Any, half: int, but: frozenset[str]) -> None:
        from onnx import helper

        self._helper, self._graph, self._half, self._but = helper, graph, half, but
        _constants_to_weights(graph)
        self._weights = {weight.name: weight for weight in graph.initializer}
        self._is_float = _float_tensors(graph)
        self._type_of: dict[str, int] = {}  # of tensors that nodes made
        self._cast: dict[tuple[str, int], str] = {}
        self._nodes: list[Any] = []

    def run(self) -> None:
        """Rewrite the graph in place."""
        outputs = [output.name for output in self._graph.output]
        for node in list(self._graph.node):
            left = node.op_type in _IN_FLOAT.get(self._half, ()) or self._but.intersection(node.output)
            wanted = _FLOAT if left else self._half
            self._convert(node, wanted)
        for name in outputs:
            self._give_back(name)
        del self._graph.node[:]
        self._graph.node.extend(self._nodes)
        used = {name for node in self._nodes for name in node.input}
        kept = [weight for weight in self._weights.values() if weight.name in used]
        del self._graph.initializer[:]
        self._graph.initializer.extend(kept)

    def _convert(self, node: Any, wanted: int) -> None:
        for place, name in enumerate(node.input):
            if name in self._is_float and place not in _NUMBERS.get(node.op_type, ()):
                node.input[place] = self._as(name, wanted)
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == _FLOAT:
                attribute.i = wanted
            if node.op_type == "ConstantOfShape" and attribute.t.data_type == _FLOAT:
                attribute.t.CopyFrom(_in_type(attribute.t, wanted))
        self._nodes.append(node)
        self._type_of.update({name: wanted for name in node.output if name in self._is_float})

    def _as(self, name: str, wanted: int) -> str:
        """The name of a tensor in a type."""
        if self._type_of.get(name, _FLOAT) == wanted:
            return name
        key = (name, wanted)
        if key not in self._cast:
            self._cast[key] = new = f"{name}_as_{wanted}"
            if name in self._weights:
                self._weights[new] = _in_type(self._weights[name], wanted, new)
            else:
                self._nodes.append(self._helper.make_node("Cast", [name], [new], to=wanted))
        return self._cast[key]

    def _give_back(self, name: str) -> None:
        """An output in float32 again, under its own name."""
        if self._type_of.get(name, _FLOAT) == _FLOAT:
            return
        inside = f"{name}_inside"
        for node in self._nodes:
            for names in (node.input, node.output):
                for place, each in enumerate(names):
                    if each == name:
                        names[place] = inside
        self._nodes.append(self._helper.make_node("Cast", [inside], [name], to=_FLOAT))


def _constants_to_weights(graph: Any) -> None:
    """Float constants among the nodes become weights, where one rule serves both."""
    others = []
    for node in graph.node:
        tensor = next((a.t for a in node.attribute if a.name == "value"), None)
        if node.op_type == "Constant" and tensor is not None and tensor.data_type == _FLOAT:
            weight = graph.initializer.add()
            weight.CopyFrom(tensor)
            weight.name = node.output[0]
        else:
            others.append(node)
    del graph.node[:]
    graph.node.extend(others)


def _float_tensors(graph: Any) -> frozenset[str]:
    values = (*graph.input, *graph.output, *graph.value_info)
    found = {value.name for value in values if value.type.tensor_type.elem_type == _FLOAT}
    return frozenset(found | {weight.name for weight in graph.initializer if weight.data_type == _FLOAT})


def _in_type(tensor: Any, wanted: int, name: str = "") -> Any:
    from onnx import helper, numpy_helper

    values = numpy_helper.to_array(tensor).astype(np.float32)
    if wanted == _TYPES["fp16"]:
        made = numpy_helper.from_array(values.astype(np.float16), name or tensor.name)
    elif wanted == _TYPES["bf16"]:
        content = _bfloat16(values).tobytes()
        made = helper.make_tensor(name or tensor.name, wanted, values.shape, content, raw=True)
    else:
        made = numpy_helper.from_array(values, name or tensor.name)
    return made


def _bfloat16(values: Any) -> Any:
    """The upper half of float32, rounded to the nearest, ties to even: uint16."""
    bits = np.ascontiguousarray(values).view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)

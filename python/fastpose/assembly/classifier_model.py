"""ONNX classifiers as scorers: forests and linear models natively, all else as a network on the CPU."""

from __future__ import annotations

import importlib
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fastpose import _core
from fastpose.assembly.backends import load_on_cpu
from fastpose.errors import DeviceError, ModelError

__all__ = ["load_scorer"]

ML = "ai.onnx.ml"
Activation = Literal["none", "logistic", "softmax"]
_ACTIVATIONS: dict[str, Activation] = {"NONE": "none", "LOGISTIC": "logistic", "SOFTMAX": "softmax"}
_PASSING = ("Cast", "Identity", "ZipMap", "Reshape", "Flatten")


@dataclass
class _Chain:
    """What stands around a forest or a linear model."""

    scale: list[float] = field(default_factory=list)
    offset: list[float] = field(default_factory=list)
    divide_by_sum: bool = False

    def as_arguments(self) -> dict[str, Any]:
        return {"scale": self.scale, "offset": self.offset, "divide_by_sum": self.divide_by_sum}


def load_scorer(path: Path) -> _core.Scorer:
    """Return what runs an ONNX classifier: one row of numbers in, a score for each class out.

    Tree ensembles and linear classifiers of ``ai.onnx.ml``, as skl2onnx writes random forests, gradient
    boosting and logistic regression, run natively, in microseconds; graphs of standard operators run through
    OpenVINO on one thread.

    Raises
    ------
    ModelError
        The file is no such classifier.
    DeviceError
        A package that is needed is not installed.
    """
    onnx = _onnx()
    try:
        model = onnx.load(str(path))
    except Exception as error:  # what protobuf raises differs by its version
        raise ModelError(f"is no ONNX file that can be read: {error or type(error).__name__}") from None
    scores = _scores_of(model.graph)
    nodes = _nodes_before(model.graph, scores)
    if any(node.domain == ML and node.op_type.endswith("Classifier") for node in nodes):
        return _native(onnx, nodes, _input_shape(model.graph)[1])
    foreign = sorted({node.op_type for node in nodes if node.domain == ML and node.op_type != "Scaler"})
    if foreign:
        raise ModelError(
            f"has operators {', '.join(foreign)} of {ML}; allowed: TreeEnsembleClassifier, LinearClassifier, "
            "Scaler, Normalizer of it, or standard operators"
        )
    return _network(onnx, model, nodes, scores)


def _onnx() -> Any:
    try:
        return importlib.import_module("onnx")
    except ImportError:
        raise DeviceError(
            "classifier rules need the package onnx: pip install 'fastpose-rig[classify]'"
        ) from None


def _scores_of(graph: Any) -> str:
    """Return the tensor that holds the scores: what ZipMap takes, else the last output of floats."""
    for node in graph.node:
        if node.op_type == "ZipMap":
            return str(node.input[0])
    floats = [output.name for output in graph.output if output.type.tensor_type.elem_type == 1]
    if not floats:
        raise ModelError("has no output of floats; allowed: scores of classes")
    return str(floats[-1])


def _nodes_before(graph: Any, tensor: str) -> list[Any]:
    """Return the nodes that a tensor is made by, in the graph's order."""
    wanted, kept = {tensor}, []
    for node in reversed(graph.node):
        if wanted & set(node.output):
            wanted |= set(node.input)
            kept.append(node)
    return kept[::-1]


def _attributes(onnx: Any, node: Any) -> dict[str, Any]:
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def _native(onnx: Any, nodes: list[Any], numbers: int) -> _core.Scorer:
    chain, made = _Chain(), None
    for node in nodes:
        values = _attributes(onnx, node)
        if node.op_type == "Scaler" and made is None and not chain.scale:
            chain.offset, chain.scale = list(values.get("offset", [])), list(values.get("scale", []))
        elif node.op_type in ("TreeEnsembleClassifier", "LinearClassifier") and made is None:
            made = (node.op_type, values)
        elif node.op_type == "Normalizer" and made is not None and _text(values.get("norm")) == "L1":
            chain.divide_by_sum = True
        elif node.op_type not in _PASSING:
            raise ModelError(
                f"has operator {node.op_type} beside a classifier of {ML}; allowed: Scaler, Normalizer (L1)"
            )
    assert made is not None
    kind, values = made
    return _forest(values, chain, numbers) if kind.startswith("Tree") else _linear(values, chain)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _activation(values: dict[str, Any]) -> Activation:
    name = _text(values.get("post_transform", b"NONE"))
    if name not in _ACTIVATIONS:
        raise ModelError(f"has post_transform {name}; allowed: {', '.join(_ACTIVATIONS)}")
    return _ACTIVATIONS[name]


def _count_of_classes(values: dict[str, Any]) -> int:
    labels = ("classlabels_int64s", "classlabels_strings", "classlabels_ints")
    return max(len(values.get(name, ())) for name in labels)


def _linear(values: dict[str, Any], chain: _Chain) -> _core.Scorer:
    classes = _count_of_classes(values)
    coefficients = np.asarray(values["coefficients"], np.float32)
    rows = len(values["intercepts"])
    if rows != classes:
        raise ModelError(f"has {rows} rows of coefficients for {classes} classes; allowed: one each")
    return _core.linear_scorer(
        coefficients=coefficients.reshape(rows, -1),
        intercepts=list(values["intercepts"]),
        activation=_activation(values),
        **chain.as_arguments(),
    )


def _forest(values: dict[str, Any], chain: _Chain, numbers: int) -> _core.Scorer:
    classes = _count_of_classes(values)
    order, place = _order_of_nodes(values)
    weights = list(zip(values["class_ids"], values["class_weights"], strict=True))
    owners = zip(values["class_treeids"], values["class_nodeids"], strict=True)
    complement = classes == 2 and len(set(values["class_ids"])) == 1
    base = list(values.get("base_values", ()))
    if complement and len(base) < 2:
        base = [0.0, *base] if base else []
    modes = [_text(mode) for mode in values["nodes_modes"]]
    return _core.forest_scorer(
        inputs=numbers,
        classes=classes,
        nodes=[_node(values, modes, i, place) for i in order],
        roots=_roots(values, place),
        leaves=[
            (place[owner], 1 if complement else of_class, weight)
            for owner, (of_class, weight) in zip(owners, weights, strict=True)
        ],
        base=base,
        complement=complement,
        activation=_activation(values),
        **chain.as_arguments(),
    )


def _order_of_nodes(values: dict[str, Any]) -> tuple[list[int], dict[tuple[int, int], int]]:
    """Return the nodes so that branches lead onwards, and the place of each (tree, node)."""
    keys = list(zip(values["nodes_treeids"], values["nodes_nodeids"], strict=True))
    index = {key: i for i, key in enumerate(keys)}
    children = {
        key: [(key[0], values["nodes_truenodeids"][i]), (key[0], values["nodes_falsenodeids"][i])]
        for key, i in index.items()
        if _text(values["nodes_modes"][i]) != "LEAF"
    }
    order: list[tuple[int, int]] = []
    waiting = [root for root in _root_keys(keys, children)][::-1]
    while waiting:
        key = waiting.pop()
        if key not in index or len(order) >= len(keys):
            raise ModelError("has a tree whose branches lead nowhere, or round in a circle")
        order.append(key)
        waiting += children.get(key, [])[::-1]
    return [index[key] for key in order], {key: place for place, key in enumerate(order)}


def _root_keys(
    keys: list[tuple[int, int]], children: dict[tuple[int, int], list[tuple[int, int]]]
) -> list[tuple[int, int]]:
    inner = {child for pair in children.values() for child in pair}
    return [key for key in keys if key not in inner]


def _roots(values: dict[str, Any], place: dict[tuple[int, int], int]) -> list[int]:
    first: dict[int, int] = {}
    for (tree, _), at in place.items():
        first[tree] = min(at, first.get(tree, at))
    return sorted(first.values())


def _node(
    values: dict[str, Any], modes: list[str], i: int, place: dict[tuple[int, int], int]
) -> tuple[int, float, int, int]:
    if modes[i] == "LEAF":
        return -1, 0.0, 0, 0
    tree, threshold = values["nodes_treeids"][i], np.float32(values["nodes_values"][i])
    if modes[i] not in ("BRANCH_LEQ", "BRANCH_LT"):
        raise ModelError(f"has a tree with {modes[i]}; allowed: BRANCH_LEQ, BRANCH_LT")
    if modes[i] == "BRANCH_LT":  # x < t is x <= the number before t
        threshold = np.nextafter(threshold, np.float32(-np.inf))
    yes, no = (place[tree, values[f"nodes_{side}nodeids"][i]] for side in ("true", "false"))
    return values["nodes_featureids"][i], float(threshold), yes, no


def _network(onnx: Any, model: Any, nodes: list[Any], scores: str) -> _core.Scorer:
    """Write the part of the graph that makes the scores as a network of a static shape, and compile it."""
    shape, numbers = _input_shape(model.graph)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "classifier.onnx")
        onnx.save(_prepared(onnx, model, nodes, scores, shape, numbers), str(file))
        backend = load_on_cpu(file, [scores], (1, numbers, 1, 1), precision="fp32", threads=1)
    return _core.backend_scorer(backend)


def _input_shape(graph: Any) -> tuple[list[int], int]:
    """Return the shape that the graph takes for one row, and how many numbers that is."""
    initial = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in initial]
    if len(inputs) != 1:
        raise ModelError(f"takes {len(inputs)} inputs; allowed: one row of numbers")
    sizes = [dim.dim_value for dim in inputs[0].type.tensor_type.shape.dim]
    shape = [1, *sizes[1:]]
    if len(shape) < 2 or any(size < 1 for size in shape):
        raise ModelError(
            f"takes {sizes}; allowed: (batch, numbers) or (batch, frames, numbers), of fixed size"
        )
    return shape, int(np.prod(shape))


def _prepared(onnx: Any, model: Any, nodes: list[Any], scores: str, shape: list[int], numbers: int) -> Any:
    helper, graph = onnx.helper, model.graph
    initial = {tensor.name for tensor in graph.initializer}
    (name,) = (value.name for value in graph.input if value.name not in initial)
    rows = onnx.numpy_helper.from_array(np.array(shape, np.int64), "fastpose_shape")
    head = [helper.make_node("Reshape", ["fastpose_numbers", "fastpose_shape"], [name])]
    constants = [rows]
    body = []
    for node in nodes:
        body += _scaler(onnx, node, constants) if node.op_type == "Scaler" else [node]
    made = helper.make_graph(
        head + body,
        "classifier",
        [helper.make_tensor_value_info("fastpose_numbers", onnx.TensorProto.FLOAT, [1, numbers, 1, 1])],
        [helper.make_tensor_value_info(scores, onnx.TensorProto.FLOAT, None)],
        initializer=[*graph.initializer, *constants],
    )
    standard = [entry for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    return helper.make_model(made, opset_imports=standard, ir_version=model.ir_version)


def _scaler(onnx: Any, node: Any, constants: list[Any]) -> list[Any]:
    """Return the standard operators for a Scaler: (x - offset) * scale."""
    values, out = _attributes(onnx, node), node.output[0]
    arrays: dict[str, NDArray[np.float32]] = {
        key: np.asarray(values[key], np.float32) for key in ("offset", "scale")
    }
    constants += [onnx.numpy_helper.from_array(array, f"{out}_{key}") for key, array in arrays.items()]
    make = onnx.helper.make_node
    return [
        make("Sub", [node.input[0], f"{out}_offset"], [f"{out}_moved"]),
        make("Mul", [f"{out}_moved", f"{out}_scale"], [out]),
    ]

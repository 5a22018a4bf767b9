"""What fp16 gives, on machines without it: a network node by node, each result rounded to 16 bits.

That is how a GPU computes in half precision (numbers stored in 16 bits, products summed in 32), but for the
nodes that it fuses and then rounds less often.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from fastpose.importing.run_network import Network
from fastpose.model_package import ModelPackage
from fastpose.network_tensors import tensors_of
from fastpose.rounding_ties import Maps

__all__ = ["HalfNetwork", "half_maps"]

HEAVY = ("Conv", "ConvTranspose", "MaxPool", "AveragePool", "Resize", "GlobalAveragePool")
"""Run by OpenVINO in fp32 and then rounded; all others by ONNX's own definition of them in NumPy."""

_FLOAT = onnx.TensorProto.FLOAT
Array = np.ndarray[Any, Any]


class HalfNetwork:
    """An ONNX network of one input, for tensors of one shape."""

    def __init__(self, file: Path) -> None:
        self._model = onnx.load(str(file))
        weights = self._model.graph.initializer
        self._weights = {each.name: rounded(numpy_helper.to_array(each)) for each in weights}
        self._input = next(each.name for each in self._model.graph.input if each.name not in self._weights)
        self._kernels: dict[str, Any] = {}

    def run(self, tensor: Array) -> dict[str, Array]:
        """Outputs by name, float32 that hold half-precision numbers."""
        values = self._weights | {self._input: rounded(tensor)}
        for node in self._model.graph.node:
            results = self._run(node, {name: values[name] for name in node.input if name})
            values |= dict(zip(node.output, map(rounded, results), strict=False))
        return {output.name: values[output.name] for output in self._model.graph.output}

    def _run(self, node: Any, values: dict[str, Array]) -> list[Array]:
        if node.op_type not in HEAVY:
            return list(self._kernel(node, values, values).run(None, values))
        data = {node.input[0]: values[node.input[0]]}
        found = self._kernel(node, values, data).run(data[node.input[0]])
        return [found[name] for name in node.output]

    def _kernel(self, node: Any, values: dict[str, Array], inputs: dict[str, Array]) -> Any:
        if node.output[0] not in self._kernels:
            model = self._alone(node, values, inputs)
            heavy = node.op_type in HEAVY
            made: Any = Network(model.SerializeToString()) if heavy else ReferenceEvaluator(model)
            self._kernels[node.output[0]] = made
        return self._kernels[node.output[0]]

    def _alone(self, node: Any, values: dict[str, Array], inputs: dict[str, Array]) -> Any:
        """A network of this node; what is not among its inputs is constant."""
        graph = helper.make_graph(
            [node],
            "node",
            [helper.make_tensor_value_info(name, _type(each), each.shape) for name, each in inputs.items()],
            [helper.make_tensor_value_info(name, _FLOAT, None) for name in node.output if name],
            [numpy_helper.from_array(each, name) for name, each in values.items() if name not in inputs],
        )
        opsets, version = self._model.opset_import, self._model.ir_version
        return helper.make_model(graph, opset_imports=opsets, ir_version=version)


def rounded(values: Any) -> Array:
    """Floats to the nearest half-precision number, as float32; all else as it is."""
    array = np.asarray(values)
    return array.astype(np.float16).astype(np.float32) if array.dtype.kind == "f" else array


def _type(array: Array) -> int:
    return int(helper.np_dtype_to_tensor_dtype(array.dtype))


def half_maps(package: ModelPackage, frames: npt.NDArray[np.uint8]) -> list[Maps]:
    """A package's outputs at fp16 for whole frames (n, H, W[, 3]) uint8."""
    network = HalfNetwork(package.network)
    outputs = [network.run(tensor) for tensor in tensors_of(package, frames)]
    return [[_of_four_axes(found[name]) for name in package.outputs] for found in outputs]


def _of_four_axes(values: Array) -> Array:
    """As a backend of the engine gives it: axes of one in front."""
    return np.ascontiguousarray(values.reshape((1,) * (4 - values.ndim) + values.shape))

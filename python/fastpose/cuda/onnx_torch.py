"""An ONNX graph as a torch module: what PyTorch runs where there is no TensorRT.

Note [two places]: Shapes, axes and other small numbers stay tensors on the CPU, and so do operations on them
alone; only what meets features moves to the device, once. Nothing then waits for the GPU while the graph
runs, so that it can be captured.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastpose.cuda.onnx_operations import OPERATIONS
from fastpose.errors import ModelError

__all__ = ["OnnxModule", "read_network"]


def read_network(file: Path) -> Any:
    """Read an ONNX file; raises ModelError with what PyTorch cannot run of it."""
    try:
        import onnx
    except ImportError as error:
        raise ModelError(
            f"PyTorch runs networks that onnx reads ({error}); install it with: "
            'pip install "fastpose-rig[torch]"'
        ) from None
    graph = onnx.load(str(file)).graph
    unknown = sorted({node.op_type for node in graph.node} - OPERATIONS.keys())
    if unknown:
        raise ModelError(
            f"runtime torch cannot run {file.name}: it has {', '.join(unknown)}; use runtime tensorrt or "
            "tensorrt-rtx, or device cpu"
        )
    return graph


class OnnxModule:
    """A graph on one device, in one floating-point type. Thread-bound.

    Parameters
    ----------
    graph : onnx.GraphProto
        See `read_network`.
    outputs : sequence of str
        Names of what is wanted, in this order.
    device : torch.device
    dtype : torch.dtype
        float32, float16 or bfloat16: of weights and features.
    """

    def __init__(self, graph: Any, outputs: Sequence[str], device: Any, dtype: Any) -> None:
        import torch
        from onnx import numpy_helper

        self._torch, self._device, self._dtype = torch, device, dtype
        self._outputs = tuple(outputs)
        self._constants: dict[str, Any] = {}
        for weight in graph.initializer:
            self._constants[weight.name] = torch.from_numpy(numpy_helper.to_array(weight).copy())
        names = {value.name for value in graph.input} - self._constants.keys()
        self._input = names.pop()
        featured = _features(graph, self._input)
        self._steps = [(node, _attributes(node), not featured.isdisjoint(_read(node))) for node in graph.node]
        self._featured = featured
        self._last_use = _last_uses(graph, self._outputs)
        self._moved: dict[str, Any] = {}
        _require(self._outputs, graph)

    def __call__(self, features: Any) -> list[Any]:
        """Outputs of an input (N, C, H, W) on the device, in the module's type."""
        values = {**self._constants, self._input: features}
        for index, (node, attributes, on_device) in enumerate(self._steps):
            given = [values[name] if name else None for name in node.input]
            if on_device:
                given = [self._on_device(node, at, value) for at, value in enumerate(given)]
            made = OPERATIONS[node.op_type](self._torch, attributes, *given)
            made = made if isinstance(made, (list, tuple)) else (made,)
            values.update(zip(node.output, made, strict=False))
            for name in self._last_use.get(index, ()):
                values.pop(name, None)
        return [values[name] for name in self._outputs]

    def _on_device(self, node: Any, at: int, value: Any) -> Any:
        """A tensor where the features are, unless the operation wants it as numbers."""
        name = node.input[at]
        if value is None or name in self._featured or at in _NUMBERS.get(node.op_type, ()):
            return value
        if name not in self._moved:
            dtype = self._dtype if value.is_floating_point() else value.dtype
            moved = value.to(device=self._device, dtype=dtype)
            if moved.ndim == 4 and node.op_type in ("Conv", "ConvTranspose"):
                moved = moved.contiguous(memory_format=self._torch.channels_last)
            self._moved[name] = moved
        return self._moved[name]


# Inputs that say what is to be done, and are no features.
_NUMBERS: dict[str, tuple[int, ...]] = {
    "Clip": (1, 2),
    "Expand": (1,),
    "OneHot": (1,),
    "Pad": (1, 2, 3),
    "ReduceMax": (1,),
    "ReduceMean": (1,),
    "ReduceSum": (1,),
    "Reshape": (1,),
    "Resize": (1, 2, 3),
    "Slice": (1, 2, 3, 4),
    "Split": (1,),
    "Squeeze": (1,),
    "Tile": (1,),
    "TopK": (1,),
    "Unsqueeze": (1,),
}


def _attributes(node: Any) -> dict[str, Any]:
    from onnx import helper, numpy_helper

    found: dict[str, Any] = {}
    for attribute in node.attribute:
        value = helper.get_attribute_value(attribute)
        is_tensor = attribute.type == attribute.TENSOR
        found[attribute.name] = numpy_helper.to_array(value).copy() if is_tensor else value
    return found


def _features(graph: Any, first: str) -> set[str]:
    """Tensors that depend on the input's values, not on its shape alone."""
    found = {first}
    for node in graph.node:
        if not found.isdisjoint(_read(node)):
            found.update(node.output)
    return found


def _read(node: Any) -> list[str]:
    """What a node reads of the values; a Shape reads none."""
    return [] if node.op_type in ("Shape", "Size") else list(node.input)


def _last_uses(graph: Any, outputs: Sequence[str]) -> dict[int, list[str]]:
    """For each node the tensors that nobody reads after it: their memory is free again."""
    last = {name: index for index, node in enumerate(graph.node) for name in node.input}
    made = {name for node in graph.node for name in node.output} - set(outputs)
    found: dict[int, list[str]] = {}
    for name, index in last.items():
        if name in made:
            found.setdefault(index, []).append(name)
    return found


def _require(outputs: Sequence[str], graph: Any) -> None:
    made = [value.name for value in graph.output]
    for name in outputs:
        if name not in made:
            raise ModelError(f"the network has no output {name!r}; it has: {', '.join(made)}")

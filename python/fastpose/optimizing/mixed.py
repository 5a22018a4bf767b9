"""Which layers of a graph stay in float32 where the rest runs in bf16, and how OpenVINO is told.

Note [layers that stay in float32]: OpenVINO takes the precision of a whole network as a hint. A layer of an
IR file (.xml) that carries the attribute `DisablePrecisionConversion` to f16 keeps its own in the CPU plugin,
at bf16 too. There is no call for it in Python, so it is written into the file. With a convolution go the
operations that are fused with it: its bias, activation and residual addition. An interpolation loses the
attribute when OpenVINO translates it, and is rounded all the same.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino

from fastpose import _openvino
from fastpose.optimizing.graph import CONVOLUTIONS, kind

__all__ = ["Groups", "costs_of", "groups_of", "outputs_of", "write_kept"]

Tensor = npt.NDArray[np.float32]
Groups = tuple[tuple[str, ...], ...]
"""Names of layers with weights, neighbours together, in the order of the data."""

_ATTRIBUTE = {"name": "DisablePrecisionConversion", "version": "0", "value": "dynamic:f16"}


def groups_of(network: Path, count: int) -> Groups:
    """Share the layers of an IR file among at most `count` groups of neighbours."""
    layers = [name for name, node in _nodes(network) if kind(node) in CONVOLUTIONS]
    parts = np.array_split(np.array(layers, object), min(count, len(layers)) or 1)
    return tuple(tuple(part) for part in parts if len(part))


def write_kept(network: Path, target: Path, kept: Collection[str]) -> None:
    """Write an IR file (.xml) whose layers of these names stay in float32; its weights are `network`'s."""
    named = _with_what_is_fused(network, set(kept))
    tree = ElementTree.parse(network)  # written a moment ago, by this program
    for layer in tree.iter("layer"):
        if layer.get("name") in named:
            notes = layer.find("rt_info")
            ElementTree.SubElement(
                ElementTree.SubElement(layer, "rt_info") if notes is None else notes, "attribute", _ATTRIBUTE
            )
    tree.write(target, encoding="utf-8", xml_declaration=True)


def costs_of(network: Path, groups: Groups, tensors: Sequence[Tensor], folder: Path) -> list[float]:
    """What each group costs where it alone runs in bf16.

    Mean of squares of the outputs' distance from float32, each output relative to its own, over the tensors
    (1, C, H, W); what several groups cost together is about the sum.
    """
    truth = outputs_of(network, network, tensors, "f32")
    everything = {name for group in groups for name in group}
    file, costs = folder / "one_group.xml", []
    for group in groups:
        write_kept(network, file, everything.difference(group))
        costs.append(_error(outputs_of(file, network, tensors, "bf16"), truth))
    return costs


def outputs_of(graph: Path, weights_of: Path, tensors: Sequence[Tensor], precision: str) -> list[Tensor]:
    """Each output of an IR file that has another's weights, all tensors in one vector."""
    core = _core()
    model = core.read_model(str(graph), str(weights_of.with_suffix(".bin")))
    model.reshape(list(tensors[0].shape))
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": precision})
    results = [compiled(tensor) for tensor in tensors]
    ports = range(len(compiled.outputs))
    return [np.concatenate([np.array(result[port]).ravel() for result in results]) for port in ports]


def _error(found: list[Tensor], truth: list[Tensor]) -> float:
    pairs = zip(found, truth, strict=True)
    return sum(float(np.square(f - t).mean() / (t.var() + 1e-12)) for f, t in pairs)


def _core() -> Any:
    core = openvino.Core()
    core.add_extension(_openvino.__file__)
    return core


def _nodes(network: Path) -> list[tuple[str, Any]]:
    """Names and operations in the order of the data."""
    model = _core().read_model(str(network))
    return [(str(node.get_friendly_name()), node) for node in model.get_ordered_ops()]


def _with_what_is_fused(network: Path, kept: set[str]) -> set[str]:
    """These layers, and the operations that take part in one of them.

    A convolution in float32 whose sum with another one left it in bf16 has no kernel in the CPU plugin.
    """
    order: dict[str, int] = {}
    parts: dict[str, set[str]] = {}
    for name, node in _nodes(network):
        before = [value.get_node().get_friendly_name() for value in node.input_values()]
        if kind(node) in CONVOLUTIONS:
            order[name] = len(order)
            parts[name] = {name}
        else:
            parts[name] = _layers_of(node, parts) or _latest([parts[each] for each in before], order)
    return {name for name, layers in parts.items() if layers & kept}


def _layers_of(node: Any, parts: dict[str, set[str]]) -> set[str]:
    """Layers of which an operation is the only reader, or of what is fused with them."""
    alone = [value.get_node() for value in node.input_values() if len(value.get_target_inputs()) == 1]
    return set().union(*(parts[each.get_friendly_name()] for each in alone))


def _latest(before: Sequence[set[str]], order: dict[str, int]) -> set[str]:
    layers = sorted(set().union(*before), key=lambda name: order[name])
    return set(layers[-1:])

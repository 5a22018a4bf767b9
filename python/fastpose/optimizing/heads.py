"""Joins heads that read the same features: heatmap and locref in one convolution, reading them once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from openvino import opset13 as ops

from fastpose.optimizing.graph import constant, consumers, kind, redirect, source, unshaped

__all__ = ["join_heads"]

_CHANNEL_AXIS = {"Convolution": 0, "ConvolutionBackpropData": 1}
_SAME = ("strides", "dilations", "pads_begin", "pads_end", "auto_pad", "output_padding")


@dataclass(frozen=True)
class _Head:
    """A convolution with its bias, if it has one."""

    node: Any
    weights: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    """(channels,)."""
    result: Any
    """Output after the bias."""


def join_heads(model: Any) -> int:
    """Replace convolutions of the same features, alike but for their channels, by one and a split, in place.

    Only those whose results leave the network: further inside, other passes rely on the layers as they are.

    Returns
    -------
    int
        How many layers that saved.
    """
    groups: dict[tuple[object, ...], list[_Head]] = defaultdict(list)
    for node in model.get_ordered_ops():
        head = _head_at(node)
        if head is not None:
            groups[_likeness(head)].append(head)
    for heads in groups.values():
        if len(heads) > 1:
            _join(heads)
    model.validate_nodes_and_infer_types()
    return sum(len(heads) - 1 for heads in groups.values())


def _head_at(node: Any) -> _Head | None:
    if kind(node) not in _CHANNEL_AXIS or len(node.inputs()) != 2:
        return None
    weights = constant(source(node, 1))
    if weights is None:
        return None
    channels = weights.shape[_CHANNEL_AXIS[kind(node)]]
    bias, result = _bias_after(node, channels)
    while [kind(reader) for reader in consumers(result)] == ["Identity"]:
        result = consumers(result)[0].output(0)
    if [kind(reader) for reader in consumers(result)] != ["Result"]:
        return None
    return _Head(node, np.asarray(weights, np.float32), bias, result)


def _bias_after(node: Any, channels: int) -> tuple[npt.NDArray[np.float32], Any]:
    readers = consumers(node.output(0))
    if len(readers) == 1 and kind(readers[0]) == "Add":
        added = constant(unshaped(source(readers[0], 1)))
        if added is not None and added.size == channels:
            return np.asarray(added, np.float32).reshape(-1), readers[0].output(0)
    return np.zeros(channels, np.float32), node.output(0)


def _likeness(head: _Head) -> tuple[object, ...]:
    node, features = head.node, head.node.input_value(0)
    attributes = node.get_attributes()
    same = tuple(str(attributes.get(name)) for name in _SAME)
    sizes = list(head.weights.shape)
    del sizes[_CHANNEL_AXIS[kind(node)]]
    return (kind(node), features.get_node().get_friendly_name(), features.get_index(), same, tuple(sizes))


def _join(heads: list[_Head]) -> None:
    first = heads[0].node
    weights = np.concatenate([head.weights for head in heads], axis=_CHANNEL_AXIS[kind(first)])
    bias = np.concatenate([head.bias for head in heads]).reshape(1, -1, 1, 1)
    both = _like(first, weights)
    both.set_friendly_name("+".join(head.node.get_friendly_name() for head in heads))
    lengths = np.array([head.bias.size for head in heads])
    parts = ops.variadic_split(ops.add(both, ops.constant(bias)), 1, lengths)
    for index, head in enumerate(heads):
        names = head.result.get_names()
        head.result.set_names(set())
        parts.output(index).set_names(names)
        redirect(head.result, parts.output(index))


def _like(node: Any, weights: npt.NDArray[np.float32]) -> Any:
    """The same layer with other weights."""
    attributes = node.get_attributes()
    features, shared = node.input_value(0), [attributes[name] for name in _SAME[:4]]
    strides, dilations, before, after = shared
    if kind(node) == "Convolution":
        return ops.convolution(
            features, weights, strides, before, after, dilations, auto_pad=attributes["auto_pad"]
        )
    return ops.convolution_backprop_data(
        features,
        weights,
        strides,
        pads_begin=before,
        pads_end=after,
        dilations=dilations,
        auto_pad=attributes["auto_pad"],
        output_padding=attributes["output_padding"],
    )

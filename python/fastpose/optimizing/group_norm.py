"""Finds group normalisation in a graph, however the exporter wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose.optimizing.graph import constant, consumers, kind, source, unshaped

__all__ = ["GroupNormSite", "group_norms"]

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True)
class GroupNormSite:
    """One group normalisation.

    Attributes
    ----------
    maps, result : openvino.Output
        (N, C, H, W) before and after.
    nodes : tuple of openvino.Node
        What computes it.
    groups : int
    eps : float
    gamma, beta : ndarray
        (C,) float32.
    """

    maps: Any
    result: Any
    nodes: tuple[Any, ...]
    groups: int
    eps: float
    gamma: Vector
    beta: Vector


def group_norms(model: Any) -> list[GroupNormSite]:
    """Every group normalisation over (N, C, H, W) whose scale and shift are constants."""
    return [site for node in model.get_ordered_ops() for site in _at(node)]


def _at(node: Any) -> Iterator[GroupNormSite]:
    if kind(node) == "MVN":
        yield from _of_instance_norm(node)
    elif kind(node) == "GroupNormalization":
        yield from _of_operation(node)


def _of_operation(node: Any) -> Iterator[GroupNormSite]:
    gamma, beta = constant(source(node, 1)), constant(source(node, 2))
    if gamma is None or beta is None:
        return
    attributes = node.get_attributes()
    yield GroupNormSite(
        node.input_value(0),
        node.output(0),
        (node,),
        int(attributes["num_groups"]),
        float(attributes["epsilon"]),
        _vector(gamma),
        _vector(beta),
    )


def _of_instance_norm(mvn: Any) -> Iterator[GroupNormSite]:
    """As PyTorch exports it: (N, groups, rest) is normalised for each group, then the channels are scaled."""
    chain = _followed(mvn, ("Multiply", "Add", "Reshape", "Multiply", "Add"))
    before = source(mvn)
    if chain is None or kind(before) != "Reshape" or not mvn.get_attributes()["normalize_variance"]:
        return
    shape, maps = before.output(0).get_partial_shape(), before.input_value(0)
    axes = constant(source(mvn, 1))
    if axes is None or axes.tolist() not in ([2], [-1]):
        return
    if shape.rank.get_length() != 3 or maps.get_partial_shape().rank.get_length() != 4:
        return
    gamma, beta = (constant(source(chain[i], 1)) for i in (3, 4))
    ones, zeros = (constant(unshaped(source(chain[i], 1))) for i in (0, 1))
    if gamma is None or beta is None or ones is None or zeros is None:
        return
    if not (ones == 1).all() or not (zeros == 0).all() or shape[1].is_dynamic:
        return
    yield GroupNormSite(
        maps,
        chain[-1].output(0),
        (before, mvn, *chain),
        shape[1].get_length(),
        float(mvn.get_attributes()["eps"]),
        _vector(gamma),
        _vector(beta),
    )


def _followed(node: Any, kinds: tuple[str, ...]) -> list[Any] | None:
    """The nodes after this one, each the only reader of the one before and of these kinds; else None."""
    chain = []
    for wanted in kinds:
        found = [reader for reader in consumers(node.output(0)) if kind(reader) != "ShapeOf"]
        if len(found) != 1 or kind(found[0]) != wanted:
            return None
        node = found[0]
        chain.append(node)
    return chain


def _vector(values: npt.NDArray[Any]) -> Vector:
    return np.ascontiguousarray(values.reshape(-1), np.float32)

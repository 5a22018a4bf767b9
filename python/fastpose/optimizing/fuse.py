"""Joins each group normalisation with what follows it: addition, ReLU and the rounding to bytes.

See Note [Group normalisation between int8 convolutions] in csrc/infer/group_norm_openvino.h.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from openvino import opset13 as ops

from fastpose.optimizing.graph import constant, consumers, kind, redirect, source
from fastpose.optimizing.group_norm import GroupNormSite, group_norms
from fastpose.optimizing.group_norm_op import GroupNorm

__all__ = ["fuse_group_norms"]

TO_CHANNELS_LAST, TO_CHANNELS_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)
LEVELS = 256
THROUGH = ("MaxPool",)  # rounding before them is the same as after


@dataclass(frozen=True)
class _Tail:
    """What follows a group normalisation and can be done with it."""

    end: Any
    """Output whose readers get the fused result."""
    relu: bool = False
    residual: Any = None
    """Output that is added, or None."""
    rounding: tuple[Any, ...] = ()
    """FakeQuantize nodes that the fused rounding replaces."""

    @property
    def step(self) -> float:
        """What one count means; 0: not rounded."""
        return _step(self.rounding[0]) if self.rounding else 0.0


def fuse_group_norms(model: Any) -> int:
    """Replace every group normalisation of a graph by the engine's own operation, in place.

    Returns
    -------
    int
        How many there were.
    """
    sites = group_norms(model)
    for site in sites:
        _replace(site, _tail_of(site))
    model.validate_nodes_and_infer_types()
    return len(sites)


def _replace(site: GroupNormSite, tail: _Tail) -> None:
    residual, scale = _residual(tail.residual)
    inputs = [
        _transposed(site.maps, TO_CHANNELS_LAST),
        *(ops.constant(v).output(0) for v in (site.gamma, site.beta)),
    ]
    node = GroupNorm(
        [*inputs, *([] if residual is None else [residual])],
        groups=site.groups,
        eps=site.eps,
        relu=tail.relu,
        step=tail.step,
        residual_scale=scale,
    )
    node.set_friendly_name(f"{site.result.get_node().get_friendly_name()}/group_norm")
    result = _meaning(node.output(0), tail.step)
    for rounding in tail.rounding:
        redirect(rounding.output(0), rounding.input_value(0))
    redirect(tail.end, result)


def _transposed(output: Any, order: tuple[int, ...]) -> Any:
    return ops.transpose(output, ops.constant(np.array(order))).output(0)


def _meaning(counts: Any, step: float) -> Any:
    """Counts (N, H, W, C) as values (N, C, H, W), in the form in which OpenVINO finds a scale."""
    if not step:
        return _transposed(counts, TO_CHANNELS_FIRST)
    values = ops.multiply(ops.convert(counts, "f32"), ops.constant(np.float32(step)))
    return _transposed(values.output(0), TO_CHANNELS_FIRST)


def _residual(output: Any) -> tuple[Any, float]:
    """A residual (N, H, W, C) and the meaning of its counts; bytes where the engine made them."""
    if output is None:
        return None, 1.0
    counts = _counts_behind(output.get_node())
    return counts if counts is not None else (_transposed(output, TO_CHANNELS_LAST), 1.0)


def _counts_behind(node: Any) -> tuple[Any, float] | None:
    """Undo `_meaning`."""
    if kind(node) != "Transpose" or kind(source(node)) != "Multiply":
        return None
    multiply = source(node)
    scale, convert = constant(source(multiply, 1)), source(multiply)
    if scale is None or scale.size != 1 or kind(convert) != "Convert" or kind(source(convert)) != "GroupNorm":
        return None
    return convert.input_value(0), float(scale.reshape(-1)[0])


def _tail_of(site: GroupNormSite) -> _Tail:
    """ReLU, or an addition and ReLU, when nobody else reads what lies between."""
    readers = consumers(site.result)
    if len(readers) != 1:
        return _Tail(site.result)
    node, residual = readers[0], None
    if kind(node) == "Add" and len(consumers(node.output(0))) == 1:
        residual = _other(node, site.result)
        node = consumers(node.output(0))[0]
    if kind(node) != "Relu" or (residual is not None and not _same_shape(residual, site.result)):
        return _Tail(site.result)
    return _Tail(node.output(0), True, residual, _rounding_after(node.output(0)))


def _other(add: Any, output: Any) -> Any:
    """The other summand; nodes are compared by name, their Python objects come and go."""
    first = source(add).get_friendly_name() == output.get_node().get_friendly_name()
    return add.input_value(1 if first else 0)


def _same_shape(one: Any, other: Any) -> bool:
    return (
        bool(one.get_partial_shape().compatible(other.get_partial_shape()))
        and constant(one.get_node()) is None
    )


def _rounding_after(output: Any) -> tuple[Any, ...]:
    """The roundings to u8 of everybody who computes with `output`; empty where they differ or one has none.

    Additions get the rounded values, too.
    """
    found: list[Any] = []
    for reader in consumers(output):
        if kind(reader) == "FakeQuantize":
            found.append(reader)
        elif kind(reader) in THROUGH:
            after = _rounding_after(reader.output(0))
            if not after:
                return ()
            found.extend(after)
        elif kind(reader) != "Add":
            return ()
    same = {_step(node) for node in found}
    return tuple(found) if len(same) == 1 and 0.0 not in same else ()


def _step(rounding: Any) -> float:
    """What one count of a FakeQuantize means that maps 0..top to 0..top in 256 levels; 0 for others."""
    low, high, out_low, out_high = (constant(source(rounding, port)) for port in range(1, 5))
    if low is None or high is None or out_low is None or out_high is None or high.size != 1:
        return 0.0
    top = float(high.reshape(-1)[0])
    plain = (
        float(np.abs(low).max()) < 1e-6 * top
        and np.array_equal(low, out_low)
        and np.array_equal(high, out_high)
    )
    return top / (LEVELS - 1) if plain and rounding.get_attributes()["levels"] == LEVELS else 0.0

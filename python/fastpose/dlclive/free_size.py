"""Rewrites a network so that a new input size costs little: the same numbers, without arithmetic on shapes.

Note [arithmetic on shapes]: ONNX files of PyTorch compute shapes at run time: to reshape the bias of a
convolution, and around a group norm, which flattens height and width and restores them. With a fixed input
size the runtime folds all of it. With a free one it stays, the biases stay apart from their convolutions, and
at each new size the runtime must stop at every such node before it can plan the next. None of it is needed:
a constant can be reshaped here, and a group norm over (1, groups, height * channels / groups, width) says
both shapes without knowing them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastpose.optimizing.graph import kind, redirect
from fastpose.optimizing.group_norm import GroupNormSite, group_norms

__all__ = ["without_shape_arithmetic"]


def without_shape_arithmetic(network: Any) -> None:
    """Change a network of OpenVINO in place; what looks otherwise than expected stays as it is.

    Parameters
    ----------
    network : openvino.Model
        Its input is (1, C, H, W) with free H and W.
    """
    for node in network.get_ordered_ops():
        if kind(node) == "Reshape" and _is_constant(node.input_value(0)):
            _fold(node)
    for site in group_norms(network):
        if kind(site.nodes[0]) == "Reshape":  # else it is one operation, without shapes
            _free(site)
    network.validate_nodes_and_infer_types()


def _fold(reshape: Any) -> None:
    from openvino import opset13 as ops

    shape = reshape.output(0).get_partial_shape()
    if shape.is_static:
        values = reshape.input_value(0).get_node().get_data().reshape(shape.to_shape())
        reshape.output(0).replace(ops.constant(values).output(0))


def _free(site: GroupNormSite) -> None:
    """Reshape and restore a group norm with target shapes that hold for every size; scale and shift stay."""
    from openvino import opset13 as ops

    mvn, restoring = site.nodes[1], site.nodes[4]
    how = mvn.get_attributes()
    grouped = ops.reshape(site.maps, _integers(0, site.groups, -1, 0), special_zero=True)
    normal = ops.mvn(grouped, _integers(2, 3), how["normalize_variance"], how["eps"], how["eps_mode"])
    restored = ops.reshape(normal, _integers(0, len(site.gamma), -1, 0), special_zero=True)
    redirect(restoring.output(0), restored.output(0))


def _is_constant(value: Any) -> bool:
    return bool(kind(value.get_node()) == "Constant")


def _integers(*values: int) -> Any:
    from openvino import opset13 as ops

    return ops.constant(np.array(values, np.int64))

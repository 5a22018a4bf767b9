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

__all__ = ["without_shape_arithmetic"]


def without_shape_arithmetic(network: Any) -> None:
    """Change a network of OpenVINO in place; what looks otherwise than expected stays as it is.

    Parameters
    ----------
    network : openvino.Model
        Its input is (1, C, H, W) with free H and W.
    """
    for node in network.get_ordered_ops():
        if node.get_type_name() == "Reshape" and _is_constant(node.input_value(0)):
            _fold(node)
    for node in network.get_ordered_ops():
        if node.get_type_name() == "MVN":
            _free_group_norm(node)
    network.validate_nodes_and_infer_types()


def _fold(reshape: Any) -> None:
    from openvino import opset13 as ops

    shape = reshape.output(0).get_partial_shape()
    if shape.is_static:
        values = reshape.input_value(0).get_node().get_data().reshape(shape.to_shape())
        reshape.output(0).replace(ops.constant(values).output(0))


def _free_group_norm(mvn: Any) -> None:
    """Reshape, MVN, times 1, plus 0, Reshape back: with target shapes that hold for every size."""
    from openvino import opset13 as ops

    flat = mvn.input_value(0).get_node()
    last = _restoring(mvn)
    if flat.get_type_name() != "Reshape" or last is None or not _flattens(flat, mvn, last):
        return
    frames = flat.input_value(0)
    groups = flat.output(0).get_partial_shape()[1].get_length()
    channels = frames.get_partial_shape()[1].get_length()
    how = mvn.get_attributes()
    grouped = ops.reshape(frames, _integers(0, groups, -1, 0), special_zero=True)
    normal = ops.mvn(grouped, _integers(2, 3), how["normalize_variance"], how["eps"], how["eps_mode"])
    restored = ops.reshape(normal, _integers(0, channels, -1, 0), special_zero=True)
    last.output(0).replace(restored.output(0))


def _flattens(flat: Any, mvn: Any, last: Any) -> bool:
    """Whether groups of whole channels are normalised over all their cells, and then restored."""
    before, after = (node.get_partial_shape() for node in (flat.input_value(0), last.output(0)))
    between = flat.output(0).get_partial_shape()
    shapes = len(before) == len(after) == 4 and len(between) == 3 and between[1].is_static
    if not shapes or before[1].is_dynamic or before[1] != after[1] or before[0] != between[0]:
        return False
    groups, channels = between[1].get_length(), before[1].get_length()
    axes, target = mvn.input_value(1), last.input_value(1).get_node()
    return bool(
        channels % groups == 0
        and _is_constant(axes)
        and axes.get_node().get_data().tolist() in ([2], [-1])
        and target.get_type_name() == "ShapeOf"
        and target.input_value(0) == flat.input_value(0)
    )


def _restoring(mvn: Any) -> Any:
    """The Reshape behind a norm's scale of 1 and offset of 0; None: there is something else."""
    node = mvn
    for kind, value in (("Multiply", 1), ("Add", 0)):
        node = _only_user(node, kind)
        if node is None or not _is_constant(node.input_value(1)):
            return None
        if not np.all(node.input_value(1).get_node().get_data() == value):
            return None
    return _only_user(node, "Reshape")


def _only_user(node: Any, kind: str) -> Any:
    users = [each.get_node() for each in node.output(0).get_target_inputs()]
    return users[0] if len(users) == 1 and users[0].get_type_name() == kind else None


def _is_constant(value: Any) -> bool:
    return bool(value.get_node().get_type_name() == "Constant")


def _integers(*values: int) -> Any:
    from openvino import opset13 as ops

    return ops.constant(np.array(values, np.int64))

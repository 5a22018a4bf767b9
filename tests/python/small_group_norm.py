"""A small residual network with group normalisation, as ONNX bytes, for tests of its rewriting."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class _Writer:
    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._random = np.random.default_rng(1)

    def constant(self, values: np.ndarray) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def node(self, op: str, inputs: list[str], **attributes: object) -> str:
        name = f"{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def conv(self, data: str, inputs: int, outputs: int, size: int, stride: int = 1) -> str:
        weights = self._random.standard_normal((outputs, inputs, size, size)) / np.sqrt(inputs * size * size)
        pad = size // 2
        return self.node(
            "Conv", [data, self.constant(weights.astype(np.float32))], strides=[stride] * 2, pads=[pad] * 4
        )

    def group_norm(self, data: str, groups: int, channels: int) -> str:
        gamma = (1 + 0.2 * self._random.standard_normal(channels)).astype(np.float32)
        beta = (0.2 * self._random.standard_normal(channels)).astype(np.float32)
        if self.kind == "operation":
            return self.node(
                "GroupNormalization",
                [data, self.constant(gamma), self.constant(beta)],
                num_groups=groups,
                epsilon=1e-5,
            )
        return self._as_instance_norm(data, groups, gamma.reshape(-1, 1, 1), beta.reshape(-1, 1, 1))

    def _as_instance_norm(self, data: str, groups: int, gamma: np.ndarray, beta: np.ndarray) -> str:
        """What torch.onnx.export writes before opset 21."""
        seen = self.node("Reshape", [data, self.constant(np.array([0, groups, -1], np.int64))])
        ones = self.constant(np.ones(groups, np.float32))
        zeros = self.constant(np.zeros(groups, np.float32))
        normal = self.node("InstanceNormalization", [seen, ones, zeros], epsilon=1e-5)
        back = self.node("Reshape", [normal, self.node("Shape", [data])])
        scaled = self.node("Mul", [back, self.constant(gamma)])
        return self.node("Add", [scaled, self.constant(beta)])


def group_norm_network(kind: str) -> bytes:
    """Stem, pooling, a block with its shortcut, heads; `kind` is how the normalisation is written.

    (1, 3, H, W) -> heatmap (1, 4, H/8, W/8), locref (1, 8, H/8, W/8).
    """
    write = _Writer(kind)
    stem = write.node("Relu", [write.group_norm(write.conv("frame", 3, 16, 3, 2), 4, 16)])
    pooled = write.node("MaxPool", [stem], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    inner = write.node("Relu", [write.group_norm(write.conv(pooled, 16, 16, 1), 4, 16)])
    main = write.group_norm(write.conv(inner, 16, 32, 3, 2), 8, 32)
    short = write.group_norm(write.conv(pooled, 16, 32, 1, 2), 8, 32)
    joined = write.node("Relu", [write.node("Add", [main, short])])
    second = write.group_norm(write.conv(joined, 32, 32, 3), 8, 32)
    last = write.node("Relu", [write.node("Add", [second, joined])])
    heads = [write.conv(last, 32, outputs, 1) for outputs in (4, 8)]
    results = [
        helper.make_node("Identity", [head], [name])
        for head, name in zip(heads, ("heatmap", "locref"), strict=True)
    ]
    graph = helper.make_graph(
        [*write.nodes, *results],
        "small",
        [helper.make_tensor_value_info("frame", TensorProto.FLOAT, ["n", 3, "h", "w"])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("heatmap", "locref")],
        write.constants,
    )
    opset = 21 if kind == "operation" else 17
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    return bytes(model.SerializeToString())

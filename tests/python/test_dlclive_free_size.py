"""Networks without arithmetic on shapes give the same numbers at every size; what is not understood stays."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from openvino import Core, Model, opset13

from fastpose.dlclive.free_size import without_shape_arithmetic

ops: Any = opset13
GROUPS, CHANNELS = 4, 8
RANDOM = np.random.default_rng(3)
WEIGHTS = RANDOM.standard_normal((CHANNELS, 3, 3, 3)).astype(np.float32)
BIAS, GAMMA, BETA = RANDOM.standard_normal((3, CHANNELS)).astype(np.float32)


def integers(*values: int) -> Any:
    return ops.constant(np.array(values, np.int64))


def network(*, scale: float = 1.0, offset: float = 0.0, axis: int = 2, groups: int = GROUPS) -> Model:
    """A convolution with a bias and a group norm, with shapes computed as PyTorch's ONNX files do."""
    frames = ops.parameter([1, 3, -1, -1], np.float32)
    maps = ops.convolution(frames, ops.constant(WEIGHTS), [1, 1], [1, 1], [1, 1], [1, 1])
    rank = ops.shape_of(ops.shape_of(maps))
    ones = ops.broadcast(integers(1), ops.subtract(rank, integers(2)))
    bias = ops.reshape(ops.constant(BIAS), ops.concat([integers(1), integers(CHANNELS), ones], 0), False)
    biased = ops.add(maps, bias)
    flat = ops.reshape(biased, integers(0, groups, -1), True)
    norm = ops.mvn(flat, integers(axis), True, 1e-5, "inside_sqrt")
    factor = ops.constant(np.full((1, groups, 1), scale, np.float32))
    term = ops.constant(np.full((1, groups, 1), offset, np.float32))
    scaled = ops.add(ops.multiply(norm, factor), term)
    restored = ops.reshape(scaled, ops.shape_of(biased), False)
    gamma, beta = (ops.constant(values.reshape(1, CHANNELS, 1, 1)) for values in (GAMMA, BETA))
    return Model([ops.add(ops.multiply(restored, gamma), beta)], [frames], "norm")


def run(model: Model, frames: np.ndarray) -> np.ndarray:
    found = Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})([frames])[0]
    return np.asarray(found).copy()


def kinds(model: Model) -> Counter[str]:
    return Counter(node.get_type_name() for node in model.get_ordered_ops())


@pytest.mark.parametrize("size", [(7, 5), (1, 1), (16, 33)])
def test_a_group_norm_knows_its_shapes(size: tuple[int, int]) -> None:
    plain, changed = network(), network()
    without_shape_arithmetic(changed)
    assert kinds(plain)["ShapeOf"] == 3 and kinds(changed)["ShapeOf"] == 0
    assert kinds(changed)["Reshape"] == 2 and kinds(changed)["MVN"] == 1
    frames = RANDOM.standard_normal((1, 3, *size)).astype(np.float32)
    np.testing.assert_allclose(run(changed, frames), run(plain, frames), rtol=0, atol=1e-5)


@pytest.mark.parametrize("changes", [{"scale": 2.0}, {"offset": 1.0}, {"axis": 1}])
def test_what_is_no_group_norm_stays(changes: dict[str, Any]) -> None:
    plain, changed = network(**changes), network(**changes)
    without_shape_arithmetic(changed)
    assert kinds(changed)["ShapeOf"] == 1 and kinds(changed)["Multiply"] == 2  # the bias alone is folded
    frames = RANDOM.standard_normal((1, 3, 9, 6)).astype(np.float32)
    np.testing.assert_allclose(run(changed, frames), run(plain, frames), rtol=0, atol=1e-5)

"""Decoders simcc and points, and those of detectors, equal their oracles."""

from __future__ import annotations

import numpy as np
import pytest

from fastpose import _core, errors
from oracle import decode as oracle

AFFINE = (2.5, 3.5, 101.0, -7.25)


@pytest.mark.parametrize("softmax", [True, False])
@pytest.mark.parametrize(("temperature", "split_ratio"), [(1.0, 2.0), (849.0, 2.0), (3.0, 1.5)])
def test_simcc_equals_its_oracle(softmax: bool, temperature: float, split_ratio: float) -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(0, 0.01, (1, 13, 384)).astype(np.float32)
    y = rng.normal(0, 0.01, (1, 13, 512)).astype(np.float32)
    x[0, 3] = 0.25  # no bin stands out
    y[0, 5] -= 1  # all negative
    stage = _core.simcc_decode_stage(
        bodyparts=13, bins=(384, 512), split_ratio=split_ratio, temperature=temperature, softmax=softmax
    )
    actual = stage.run([x, y], (1, 13), tensor_to_sensor=AFFINE)
    expected = oracle.decode_simcc(
        x, y, split_ratio=split_ratio, temperature=temperature, softmax=softmax, tensor_to_sensor=AFFINE
    )
    np.testing.assert_allclose(actual[0], expected, rtol=1e-4, atol=1e-4)
    assert np.isnan(actual[0, 3, 0]) == softmax
    assert softmax or np.isnan(actual[0, 5, 0])


@pytest.mark.parametrize("activation", ["none", "sigmoid", "clip"])
@pytest.mark.parametrize("individuals", [1, 3, 5])
def test_points_equal_their_oracle(activation: str, individuals: int) -> None:
    points = np.random.default_rng(5).normal(20, 30, (3, 7, 3)).astype(np.float32)
    points[1, 2, 0] = np.nan
    points[2, 4, 2] = np.nan
    stage = _core.points_decode_stage(bodyparts=7, activation=activation)
    actual = stage.run([points], (individuals, 7), tensor_to_sensor=AFFINE)
    expected = oracle.decode_points(points, individuals, activation, AFFINE)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-3)


def test_points_without_a_dimension_for_individuals() -> None:
    points = np.array([[1, 2, 0.5], [3, 4, 0.25]], np.float32)
    stage = _core.points_decode_stage(bodyparts=2, activation="none")
    np.testing.assert_array_equal(stage.run([points], (1, 2))[0], points)


def test_boxes_best_first() -> None:
    rng = np.random.default_rng(6)
    corner, size = rng.uniform(0, 50, (40, 2)), rng.uniform(1, 20, (40, 2))
    boxes = np.concatenate([corner, corner + size], axis=1).astype(np.float32)
    scores = rng.uniform(0, 1, 40).astype(np.float32)
    found = _core.box_stage(min_score=0.5).run([boxes, scores], 8)
    best = np.argsort(-scores, kind="stable")[:8]
    np.testing.assert_array_equal(found, np.concatenate([boxes, scores[:, None]], axis=1)[best])
    few = _core.box_stage(min_score=0.99).run([boxes, scores], 8)
    assert len(few) == int((scores >= 0.99).sum())


def test_impossible_specs() -> None:
    with pytest.raises(errors.ConfigError, match="split_ratio is 0"):
        _core.simcc_decode_stage(bodyparts=1, bins=(2, 2), split_ratio=0, temperature=1, softmax=True)
    with pytest.raises(errors.ConfigError, match="activation is 'relu'"):
        _core.points_decode_stage(bodyparts=1, activation="relu")
    with pytest.raises(errors.ConfigError, match="min_score is 2"):
        _core.box_stage(min_score=2)

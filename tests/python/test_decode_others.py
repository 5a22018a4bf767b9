"""Decoders simcc and points, and those of detectors, equal their oracles."""

from __future__ import annotations

import numpy as np
import pytest

from fastpose import _core, errors
from oracle import decode as oracle
from oracle import soft_heatmap as soft

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


def smooth_maps(seed: int, bodyparts: int = 5, height: int = 24, width: int = 31) -> np.ndarray:
    """Broad peaks on a little noise, some at the border."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    y, x = rng.uniform(-1, height, bodyparts), rng.uniform(-1, width, bodyparts)
    squared = (rows - y[:, None, None]) ** 2 + (columns - x[:, None, None]) ** 2
    return (np.exp(-squared / 6) + rng.normal(0, 0.01, squared.shape)).astype(np.float32)


def on_sensor(keypoints: np.ndarray) -> np.ndarray:
    scale_x, scale_y, offset_x, offset_y = AFFINE
    return keypoints * (scale_x, scale_y, 1) + (offset_x, offset_y, 0)


@pytest.mark.parametrize("size", [1, 3, 5])
@pytest.mark.parametrize("seed", range(4))
def test_mean_of_a_window_equals_its_oracle(size: int, seed: int) -> None:
    maps = smooth_maps(seed)
    maps[2] *= 0.1  # below min_score
    stage = _core.soft_window_decode_stage(bodyparts=5, map_size=(31, 24), stride=4, size=size, min_score=0.2)
    actual = stage.run([maps[None]], (1, 5), tensor_to_sensor=AFFINE)
    expected = on_sensor(soft.window_mean(maps, 4, size))
    np.testing.assert_allclose(actual[0], expected, rtol=1e-5, atol=1e-3)
    np.testing.assert_array_equal(actual[0, 2], [np.nan, np.nan, 0])


@pytest.mark.parametrize(("upsampling", "shift"), [(0, 0.0), (1, 0.5), (2, 1.5), (3, 2.5)])
@pytest.mark.parametrize("seed", range(3))
def test_mean_under_a_softmax_equals_its_oracle(upsampling: int, shift: float, seed: int) -> None:
    maps = smooth_maps(seed)
    maps /= maps.sum((1, 2), keepdims=True)
    maps[1, 3, 4] = np.nan
    settings = {"upsampling": upsampling, "temperature": 1000.0, "radius": 2, "shift": shift}
    stage = _core.softmax_decode_stage(bodyparts=5, map_size=(31, 24), stride=4, **settings)
    actual = stage.run([maps[None]], (1, 5), tensor_to_sensor=AFFINE)
    expected = on_sensor(soft.softmax_mean(maps, 4, **settings))
    np.testing.assert_allclose(actual[0], expected, rtol=1e-4, atol=2e-3)
    np.testing.assert_array_equal(actual[0, 1], [np.nan, np.nan, 0])


def test_centroids_are_refined_peaks() -> None:
    maps = smooth_maps(7, bodyparts=1, height=40, width=50)[0] * 0.9
    maps[5:8, 5:8] += 0.5
    found = _core.centroid_stage(map_size=(50, 40), stride=2, min_score=0.3, window=5).run(
        [maps[None, None]], 1
    )
    expected = soft.window_mean(maps[None], 2)[0]
    np.testing.assert_allclose(found[0, [0, 1, 4]], expected, rtol=1e-4)
    np.testing.assert_array_equal(found[0, :2], found[0, 2:4])

"""The heatmap decoder equals its oracle for every instruction set and size, with ties, NaN and overflow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fastpose import _core, errors
from oracle import decode as oracle

ISAS = ("scalar", "avx2", "avx512")[: ("scalar", "avx2", "avx512").index(_core.best_isa()) + 1]


def random_maps(
    bodyparts: int, height: int, width: int, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    heatmap = rng.normal(size=(1, bodyparts, height, width)).astype(np.float32)
    return heatmap, rng.normal(size=(1, 2 * bodyparts, height, width)).astype(np.float32)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("activation", ["sigmoid", "clip", "none"])
@pytest.mark.parametrize(("height", "width"), [(38, 82), (1, 1), (3, 5), (8, 8), (7, 33), (64, 64)])
def test_equals_oracle(isa: str, activation: str, height: int, width: int) -> None:
    heatmap, locref = random_maps(7, height, width)
    affine = (2.5, 3.5, 101.0, -7.25)
    actual = _core.decode(heatmap, locref, activation=activation, isa=isa, tensor_to_sensor=affine)
    expected = oracle.decode(heatmap, locref, activation=activation, tensor_to_sensor=affine)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("width", [4, 16, 67, 128])
def test_first_of_equal_maxima(isa: str, width: int) -> None:
    rng = np.random.default_rng(width)
    heatmap = rng.integers(0, 3, (1, 20, 9, width)).astype(np.float32)
    actual = _core.decode(heatmap, stride=1, activation="none", isa=isa)
    np.testing.assert_array_equal(actual, oracle.decode(heatmap, None, stride=1, activation="none"))


@pytest.mark.parametrize("isa", ISAS)
def test_every_cell_can_be_the_maximum(isa: str) -> None:
    height, width = 11, 13  # 143 cells: whole vectors and a tail
    heatmap = np.full((1, height * width, height, width), -5, np.float32)
    heatmap.reshape(height * width, -1)[np.arange(height * width), np.arange(height * width)] = -4
    actual = _core.decode(heatmap, stride=1, activation="none", isa=isa)
    np.testing.assert_array_equal(actual[:, 0] - 0.5, np.arange(height * width) % width)
    np.testing.assert_array_equal(actual[:, 1] - 0.5, np.arange(height * width) // width)


@pytest.mark.parametrize("isa", ISAS)
def test_nan_cells_are_ignored(isa: str) -> None:
    heatmap, locref = random_maps(20, 38, 82)
    heatmap[np.random.default_rng(1).random(heatmap.shape) < 0.5] = np.nan
    actual = _core.decode(heatmap, locref, isa=isa)
    np.testing.assert_allclose(actual, oracle.decode(heatmap, locref), rtol=1e-5, atol=1e-3)
    assert np.isfinite(actual).all()


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("value", [np.nan, -np.inf, np.inf])
def test_no_finite_maximum_is_missing(isa: str, value: float) -> None:
    heatmap, locref = random_maps(3, 38, 82)
    heatmap[0, 1] = value
    actual = _core.decode(heatmap, locref, isa=isa)
    np.testing.assert_array_equal(actual[1], [np.nan, np.nan, 0])
    assert np.isfinite(actual[[0, 2]]).all()


def test_locref_that_is_not_finite_is_missing() -> None:
    heatmap, locref = random_maps(2, 4, 4)
    locref[0, 3] = np.nan  # y of the second
    actual = _core.decode(heatmap, locref)
    np.testing.assert_array_equal(actual[1], [np.nan, np.nan, 0])
    assert np.isfinite(actual[0]).all()


def test_cell_centre_convention() -> None:
    heatmap = np.zeros((1, 1, 4, 6), np.float32)
    heatmap[0, 0, 2, 3] = 1
    locref = np.zeros((1, 2, 4, 6), np.float32)
    locref[0, 0, 2, 3], locref[0, 1, 2, 3] = 0.5, -0.25
    actual = _core.decode(heatmap, locref, stride=8, locref_stdev=4, activation="clip")
    np.testing.assert_allclose(actual, [[3.5 * 8 + 2, 2.5 * 8 - 1, 1]])


@settings(max_examples=150, deadline=None)
@given(
    size=st.tuples(st.integers(1, 12), st.integers(1, 90)),
    seed=st.integers(0, 2**32 - 1),
    levels=st.integers(1, 50),
    isa=st.sampled_from(ISAS),
)
def test_any_size(size: tuple[int, int], seed: int, levels: int, isa: str) -> None:
    rng = np.random.default_rng(seed)
    heatmap = (rng.integers(-levels, levels, (1, 3, *size)) / 7).astype(np.float32)
    heatmap[rng.random(heatmap.shape) < 0.2] = np.nan
    actual = _core.decode(heatmap, isa=isa)
    np.testing.assert_allclose(actual, oracle.decode(heatmap, None), rtol=1e-5)


def test_object_is_reused_into_the_callers_memory() -> None:
    decoder = _core.HeatmapDecoder(4, (6, 5))
    out = np.zeros((4, 3), np.float32)
    for seed in range(3):
        heatmap, locref = random_maps(4, 5, 6, seed)
        decoder.run(heatmap, locref, out=out)
        np.testing.assert_array_equal(out, _core.decode(heatmap, locref))
    assert (decoder.time_ns(heatmap, locref, 3) > 0).all()


def test_impossible_specs_and_maps() -> None:
    for kwargs, message in (
        ({"bodyparts": 0, "map_size": (6, 5)}, "bodyparts is 0"),
        ({"bodyparts": 1, "map_size": (0, 5)}, "map_width is 0"),
        ({"bodyparts": 1, "map_size": (6, 5), "stride": 0.0}, "stride is 0"),
        ({"bodyparts": 1, "map_size": (6, 5), "locref_stdev": -1.0}, "locref_stdev is -1"),
        (
            {"bodyparts": 1, "map_size": (6, 5), "activation": "relu"},
            "activation is 'relu'; allowed: none, sigmoid, clip",
        ),
    ):
        with pytest.raises(errors.ConfigError, match=message):
            _core.HeatmapDecoder(**kwargs)
    decoder = _core.HeatmapDecoder(2, (6, 5))
    heatmap, locref = random_maps(2, 5, 6)
    with pytest.raises(
        errors.ConfigError, match=r"heatmap has shape \(1, 1, 5, 6\); allowed: \(1, 2, 5, 6\)"
    ):
        decoder.run(heatmap[:, :1], locref)
    with pytest.raises(errors.ConfigError, match="locref has shape"):
        decoder.run(heatmap, locref[:, :3])
    with pytest.raises(errors.ConfigError, match="locref is None"):
        decoder.run(heatmap)

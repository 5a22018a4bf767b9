"""Animals along a tree of limbs: the decoder against sleap-nn's mathematics in NumPy, and its limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fastpose import _core as core
from fastpose.errors import ConfigError
from fastpose.importing.sleap_decode import grow_animals, local_peaks, tree_order

LIMBS = [[1, 3], [0, 1], [0, 2]]
ORDER = [1, 2, 0]
SHAPE = (3, 4)  # individuals, bodyparts
MAP, FIELD = (40, 30), (20, 15)  # width, height, cells


def stage_of(**overrides: Any) -> core.DecodeStage:
    values: dict[str, Any] = {
        "shape": SHAPE,
        "limbs": LIMBS,
        "order": ORDER,
        "map_size": MAP,
        "limb_map_size": FIELD,
        "stride": 2,
        "limb_stride": 4,
        "most_peaks": 64,
    }
    return core.paf_tree_decode_stage(**(values | overrides))


def oracle(heatmap: np.ndarray, limbs: np.ndarray, **overrides: Any) -> np.ndarray:
    tree = {
        "limbs": LIMBS,
        "order": ORDER,
        "limb_stride": 4,
        "window": 5,
        "min_score": 0.2,
        "most_peaks": 64,
        "min_affinity": 0.25,
        "points_per_limb": 10,
        "length_ratio": 0.25,
        "length_penalty": 1.0,
    }
    fields = {"stride": 2, "paf_tree": tree | overrides}
    return grow_animals(heatmap[0], limbs[0], fields, individuals=SHAPE[0])


def seeded_maps(seed: int, animals: int) -> tuple[np.ndarray, np.ndarray]:
    """Bumps of four parts an animal over little noise; fields that lead along their limbs, and noise."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[: MAP[1], : MAP[0]]
    heatmap = random.uniform(0, 0.15, (4, MAP[1], MAP[0]))
    limbs = random.normal(0, 0.3, (6, FIELD[1], FIELD[0]))
    parts = random.uniform((2, 2), (MAP[0] - 3, MAP[1] - 3), (animals, 1, 2)) + random.uniform(-6, 6, (4, 2))
    for animal in parts:
        for part, (x, y) in enumerate(animal):
            bump = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 4)
            heatmap[part] = np.maximum(heatmap[part], random.uniform(0.4, 1) * bump)
        for limb, (start, end) in enumerate(LIMBS):
            for way in np.linspace(0, 1, 30):
                x, y = np.clip((animal[start] + way * (animal[end] - animal[start])) / 2, 0, None)
                row, column = min(int(y), FIELD[1] - 1), min(int(x), FIELD[0] - 1)
                direction = animal[end] - animal[start]
                limbs[2 * limb : 2 * limb + 2, row, column] = direction / np.linalg.norm(direction)
    return heatmap[None].astype(np.float32), limbs[None].astype(np.float32)


@pytest.mark.parametrize("animals", [0, 1, 2, 3, 6])
def test_gives_what_sleap_nn_computes(animals: int) -> None:
    stage, finite = stage_of(), 0
    for seed in range(20):
        maps = seeded_maps(seed, animals)
        ours = stage.run(maps, SHAPE)
        np.testing.assert_allclose(ours[..., :2], oracle(*maps)[..., :2], atol=1e-3)
        np.testing.assert_allclose(ours[..., 2], np.nan_to_num(oracle(*maps)[..., 2]), atol=1e-6)
        finite += int(np.isfinite(ours[..., 0]).sum())
    assert finite >= 20 * min(animals, 3)


def test_only_the_highest_peaks_are_kept() -> None:
    stage = stage_of(most_peaks=2)
    for seed in range(10):
        maps = seeded_maps(seed, 6)
        expected = oracle(*maps, most_peaks=2)
        np.testing.assert_allclose(stage.run(maps, SHAPE)[..., :2], expected[..., :2], atol=1e-3)


def test_a_missing_keypoint_is_nan_with_likelihood_0() -> None:
    heatmap, limbs = np.zeros((1, 4, 30, 40), np.float32), np.zeros((1, 6, 15, 20), np.float32)
    pose = stage_of().run((heatmap, limbs), SHAPE)
    assert np.isnan(pose[..., :2]).all()
    assert (pose[..., 2] == 0).all()


def test_numbers_that_are_none_harm_nothing() -> None:
    heatmap, limbs = seeded_maps(0, 2)
    heatmap[:, 1], limbs[:, 2] = np.nan, np.inf
    pose = stage_of().run((heatmap, limbs), SHAPE)
    assert np.isnan(pose[:, 1, :2]).all()


def test_maps_of_another_shape_give_nothing() -> None:
    heatmap, limbs = seeded_maps(0, 2)
    pose = stage_of().run((heatmap[..., 1:], limbs), SHAPE)
    assert np.isnan(pose[..., :2]).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"limbs": []}, "decoder.limbs is empty"),
        ({"limbs": [[0, 4], [0, 1], [0, 2]]}, "decoder.limbs"),
        ({"order": [3]}, "decoder.order"),
        ({"order": [0, 1]}, "lead from a bodypart that was reached"),
        ({"order": [1, 1]}, "lead from a bodypart that was reached"),
        ({"window": 4}, "decoder.window is 4; allowed: an odd number"),
        ({"most_peaks": 0}, "decoder.most_peaks"),
        ({"limb_stride": 0}, "decoder.limb_stride"),
    ],
)
def test_refuses(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        stage_of(**values)


def test_of_equal_cells_the_first_is_the_peak() -> None:
    cells = np.zeros((5, 6))
    cells[2, 2:4] = 1
    peaks = local_peaks(cells, 1.0, window=1, min_score=0.2)
    np.testing.assert_array_equal(peaks, [[2, 2, 1]])


def test_limbs_are_walked_from_the_first_root_breadth_first() -> None:
    assert tree_order(((1, 3), (0, 1), (0, 2))) == [1, 2, 0]
    assert tree_order(((0, 1), (2, 3))) == [0]
    assert tree_order(((0, 1), (1, 0))) is None

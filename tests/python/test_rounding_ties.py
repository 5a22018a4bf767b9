"""Ties at a precision: what noise of the size of its rounding moves, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from fastpose.assembly.backends import Device
from fastpose.config.model import package_folder
from fastpose.model_package import ModelPackage, read_model_package
from fastpose.rounding_ties import maps_of, ties_of_rounding

MOVED = 0.01
"""Standard deviation of what the coarse precision adds to the maps here."""


@pytest.fixture(scope="module")
def package() -> ModelPackage:
    return read_model_package(package_folder("builtin:simulated_mouse"))


def maps(package: ModelPackage, lower_peak: float) -> list[np.ndarray]:
    """Heatmap with a peak of 1 and one far away, the same for all body parts; locref of zeros."""
    parts = len(package.bodyparts)
    heatmap = np.zeros((1, parts, 20, 24), np.float32)
    heatmap[..., 4, 5], heatmap[..., 15, 18] = 1, lower_peak
    return [heatmap, np.zeros((1, 2 * parts, 20, 24), np.float32)]


def rounded(exact: list[np.ndarray], locref: float = 0) -> list[np.ndarray]:
    random = np.random.default_rng(1)
    sizes = (MOVED, locref)
    return [
        each + size * random.standard_normal(each.shape, np.float32)
        for each, size in zip(exact, sizes, strict=True)
    ]


@pytest.mark.parametrize(("lower_peak", "tie"), [(1 - 0.3 * MOVED, True), (1 - 12 * MOVED, False)])
def test_peaks_nearer_than_the_rounding_are_a_tie(
    package: ModelPackage, lower_peak: float, tie: bool
) -> None:
    exact = maps(package, lower_peak)
    ties = ties_of_rounding(package, [exact], [rounded(exact)])
    assert ties.shape == (1, 1, len(package.bodyparts))
    assert (ties == tie).all()


def test_a_keypoint_that_moved_is_none_where_the_peaks_are_apart(package: ModelPackage) -> None:
    exact = maps(package, 1 - 12 * MOVED)
    wrong = rounded(exact)
    wrong[0][..., 15, 18] = 2
    assert not ties_of_rounding(package, [exact], [wrong]).any()


def test_neighbouring_cells_are_none(package: ModelPackage) -> None:
    exact = maps(package, 0)
    exact[0][..., 4, 6] = 1 - 0.3 * MOVED
    stride = package.stride / package.locref_stdev
    exact[1][:, 0::2, 4, 5], exact[1][:, 0::2, 4, 6] = stride / 2, -stride / 2  # both say the same place
    assert not ties_of_rounding(package, [exact], [rounded(exact)]).any()


def test_what_rounding_does_to_offsets_is_no_tie(package: ModelPackage) -> None:
    exact = maps(package, 0.2)
    assert not ties_of_rounding(package, [exact], [rounded(exact, locref=5)]).any()


def test_the_same_maps_have_no_ties(package: ModelPackage) -> None:
    exact = maps(package, 1 - 1e-6)
    assert not ties_of_rounding(package, [exact], [exact]).any()


def test_maps_are_those_of_the_network(package: ModelPackage) -> None:
    with np.load(package.folder / "reference.npz") as arrays:
        frames = arrays["frames"][:2]
    found = maps_of(package, frames, Device("cpu", "fp32"))
    assert len(found) == 2 and [each.shape[1] for each in found[0]] == [5, 10]

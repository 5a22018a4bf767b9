"""Keypoints that the rounding of a precision decides: ties at bf16 or fp16.

Note [ties at a precision]: At fp32 a keypoint is a tie where its two highest cells are closer than what two
correct computations differ by. A coarser precision moves the maps more, and by how much is measured, for each
network and body part: two thirds of the cells of its map, over all frames, move less (against their median).
Normal noise of that size, independent of what the precision really did, is put on the maps of fp32 and
decoded, `TRIALS` times. A keypoint that it puts more than half a cell elsewhere once is a tie: which of its
peaks wins is no question of that network's accuracy. All others count, also where the precision did move
them. Offsets within a cell (locref) get no noise: what rounding does to them counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fastpose import _core
from fastpose.assembly.backends import Device, open_backend
from fastpose.assembly.decoders import make_decoder
from fastpose.model_package import ModelPackage
from fastpose.network_tensors import tensors_of
from fastpose.same_animals import in_order

__all__ = ["TRIALS", "Maps", "maps_of", "ties_of_rounding"]

TRIALS = 16
WITHIN = 0.6827
"""Share of normal noise that is within one standard deviation."""

Map = npt.NDArray[np.float32]
Maps = Sequence[Map]
"""The outputs for one frame, in the order of the package, of four axes each."""


def maps_of(package: ModelPackage, frames: npt.NDArray[np.uint8], device: Device) -> list[Maps]:
    """What a package's network gives for whole frames (n, H, W[, 3]) uint8; raises as `open_backend` does."""
    tensors = tensors_of(package, frames)
    count, channels, height, width = tensors[0].shape
    backend = open_backend(package, device, (count, channels, height, width)).backend
    return [backend.run(tensor) for tensor in tensors]


def ties_of_rounding(
    package: ModelPackage, exact: Sequence[Maps], rounded: Sequence[Maps]
) -> npt.NDArray[np.bool_]:
    """Keypoints (n, individuals, K) that are ties at a precision, see Note [ties at a precision].

    Parameters
    ----------
    package : ModelPackage
    exact, rounded : sequence of Maps
        Of the same frames, at fp32 and at that precision.
    """
    decoder = make_decoder(package, [each.shape for each in exact[0]])
    sizes = {place: _movement(package, exact, rounded, place) for place in _scores(package)}
    truth = _poses(package, decoder, exact)
    random, ties = np.random.default_rng(0), np.zeros(truth.shape[:3], bool)
    for _ in range(TRIALS if sizes else 0):
        noisy = [_with_noise(maps, sizes, random) for maps in exact]
        ties |= _elsewhere(in_order(_poses(package, decoder, noisy), truth), truth, _half_cell_px(package))
    return ties


def _scores(package: ModelPackage) -> list[int]:
    """Places of the outputs that hold scores: all but offsets and finished points."""
    offsets = {1} if package.locref_stdev > 0 and package.decoder != "simcc" else set()
    if package.unique is not None and package.unique.locref_stdev > 0:
        offsets.add(len(package.outputs) - 1)
    return [
        place for place in range(len(package.outputs)) if place not in offsets and package.decoder != "points"
    ]


def _movement(
    package: ModelPackage, exact: Sequence[Maps], rounded: Sequence[Maps], place: int
) -> npt.NDArray[np.float32]:
    """How far a precision moves two thirds of an output's values, a number a channel, as it broadcasts.

    Of normal noise that is its standard deviation; a value that is wrong altogether does not enlarge it.
    """
    moved = np.stack([after[place] - before[place] for before, after in zip(exact, rounded, strict=True)])
    cells = (0, -1) if package.decoder == "simcc" else (0, -2, -1)
    around = np.abs(moved - np.median(moved, axis=cells, keepdims=True))
    return np.asarray(np.quantile(around, WITHIN, axis=cells, keepdims=True)[0], np.float32)


def _with_noise(
    maps: Maps, sizes: dict[int, npt.NDArray[np.float32]], random: np.random.Generator
) -> list[Map]:
    noisy = list(maps)
    for place, size in sizes.items():
        noisy[place] = maps[place] + size * random.standard_normal(maps[place].shape, np.float32)
    return noisy


def _poses(package: ModelPackage, decoder: _core.DecodeStage, maps: Sequence[Maps]) -> Map:
    """(n, individuals, K, 3), in px of the tensor."""
    shape = (package.count_of_individuals, len(package.bodyparts))
    return np.stack([decoder.run(each, shape) for each in maps])


def _half_cell_px(package: ModelPackage) -> float:
    return 0.5 / package.simcc.split_ratio if package.simcc else 0.5 * package.stride


def _elsewhere(found: Map, truth: Map, reach_px: float) -> npt.NDArray[np.bool_]:
    """Farther than the reach, or missing in one of both."""
    here, there = (np.isfinite(poses[..., :2]).all(-1) for poses in (found, truth))
    far = np.linalg.norm(np.nan_to_num(found[..., :2] - truth[..., :2]), axis=-1) > reach_px
    return np.asarray((here != there) | (here & there & far))

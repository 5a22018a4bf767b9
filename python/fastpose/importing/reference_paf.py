"""What DeepLabCut's decoder with part affinity fields computes, in plain NumPy: the oracle of an import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose.importing.reference import activate
from fastpose.importing.reference_assembly import Peak, assemble, best_pairs, likeliest

__all__ = ["affinities", "decode_paf", "paf_ties", "peaks_of", "smoothed"]

Map = npt.NDArray[np.floating[Any]]

KERNEL_CELLS = 11
NOISE = 3e-5
"""Of a map's largest value: more than two correct computations of it in fp32 differ."""
TRIALS = 3


def decode_paf(
    maps: Mapping[str, npt.NDArray[Any]], fields: Mapping[str, Any], *, individuals: int
) -> npt.NDArray[np.float32]:
    """Poses of several animals.

    Parameters
    ----------
    maps : mapping
        heatmap (n, K, h, w) before the activation, locref (n, 2K, h, w), limbs (n, 2L, h, w).
    fields : mapping
        ``stride``, ``locref_stdev``, ``activation`` and ``paf`` as in model.yaml.
    individuals : int
        Most animals in a frame.

    Returns
    -------
    (n, individuals, K, 3) float32
        x, y (input px), likelihood; NaN: missing.
    """
    count, parts = maps["heatmap"].shape[:2]
    poses = np.full((count, individuals, parts, 3), np.nan, np.float32)
    for frame in range(count):
        of_frame = {name: values[frame] for name, values in maps.items()}
        for row, animal in enumerate(_animals(of_frame, fields, individuals)):
            for peak in animal:
                poses[frame, row, peak.bodypart] = *peak.place, peak.likelihood
    return poses


def paf_ties(
    maps: Mapping[str, npt.NDArray[Any]], fields: Mapping[str, Any], poses: npt.NDArray[np.float32]
) -> npt.NDArray[np.bool_]:
    """Keypoints (n, individuals, K) that noise of the size of rounding errors puts elsewhere.

    Affinities are rounded to three decimals and compared, so that the last bit of a map can decide which
    limbs are joined.
    """
    random = np.random.default_rng(0)
    moved = np.zeros(poses.shape[:3], bool)
    for _ in range(TRIALS):
        noisy = {name: _with_noise(values, random) for name, values in maps.items()}
        again = decode_paf(noisy, fields, individuals=poses.shape[1])
        moved |= ~np.isclose(again[..., :2], poses[..., :2], atol=0.02, rtol=0, equal_nan=True).all(-1)
    return moved


def _with_noise(values: npt.NDArray[Any], random: np.random.Generator) -> npt.NDArray[Any]:
    noise = random.uniform(-NOISE, NOISE, values.shape) * np.abs(values).max()
    return np.asarray(values + noise, values.dtype)


def _animals(maps: Mapping[str, Map], fields: Mapping[str, Any], individuals: int) -> list[list[Peak]]:
    paf = fields["paf"]
    heatmap = smoothed(activate(maps["heatmap"], fields["activation"]), paf.get("smoothing_cells", 1.0))
    cells = peaks_of(heatmap, paf.get("nms_size", 5), paf.get("min_score", 0.01))
    peaks = _placed(cells, heatmap, maps["locref"], fields)
    by_part = [[peak for peak in peaks if peak.bodypart == part] for part in range(len(heatmap))]
    links = []
    usable = [likeliest(some, individuals, paf.get("min_likelihood", 0.1)) for some in by_part]
    for limb, (start, end) in enumerate(paf["limbs"]):
        field = maps["limbs"][2 * limb : 2 * limb + 2]
        pairs = affinities(field, usable[start], usable[end], paf.get("points_per_limb", 10))
        links += best_pairs(usable[start], usable[end], pairs, paf.get("min_affinity", 0.05))
    return assemble(peaks, links, individuals=individuals, bodyparts=len(heatmap))


def smoothed(heatmap: Map, deviation: float) -> Map:
    """(K, h, w) after a Gaussian of 11 x 11 cells, zeros around."""
    if deviation == 0:
        return heatmap
    reach = KERNEL_CELLS // 2
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * deviation**2))
    weights /= weights.sum()
    padded = np.pad(heatmap, ((0, 0), (reach, reach), (reach, reach)))
    rows = sum(w * padded[:, i : i + heatmap.shape[1]] for i, w in enumerate(weights))
    return np.asarray(sum(w * rows[:, :, i : i + heatmap.shape[2]] for i, w in enumerate(weights)))


def peaks_of(heatmap: Map, window: int, min_score: float) -> npt.NDArray[np.intp]:
    """(peaks, 3) body part, row, column of cells that are the maximum of their window and high enough."""
    reach = window // 2
    around = np.pad(heatmap, ((0, 0), (reach, reach), (reach, reach)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(around, (window, window), axis=(1, 2))
    return np.argwhere((heatmap == windows.max((-2, -1))) & (heatmap >= min_score))


def _placed(cells: npt.NDArray[np.intp], heatmap: Map, locref: Map, fields: Mapping[str, Any]) -> list[Peak]:
    """Peaks in input px: index * stride + stride // 2 + locref * its deviation."""
    stride, deviation = fields["stride"], fields["locref_stdev"]
    peaks = []
    for number, (part, row, column) in enumerate(cells):
        shift = locref[2 * part : 2 * part + 2, row, column] * deviation
        x, y = column * stride + stride // 2 + shift[0], row * stride + stride // 2 + shift[1]
        cell = (int(row), int(column))
        peaks.append(Peak(number, int(part), (float(x), float(y)), float(heatmap[part, row, column]), cell))
    return peaks


def affinities(field: Map, starts: list[Peak], ends: list[Peak], points: int) -> Map:
    """(starts, ends): length of the field's integral along the line, per cell of it, to three decimals."""
    step = np.float64(np.float32(1 / (points - 1)))
    forth, back = np.arange(points), np.arange(points)[::-1]
    along = np.where(forth < points // 2, step * forth, 1 - step * back).astype(np.float32)  # torch.linspace
    result = np.zeros((len(starts), len(ends)))
    if ends:
        cells = np.array([end.cell for end in ends], np.float32)
        for row, start in enumerate(starts):
            result[row] = _affinities_of(field, np.array(start.cell, np.float32), cells, along)
    return result


def _affinities_of(field: Map, start: Map, ends: Map, along: npt.NDArray[Any]) -> Map:
    """(ends,) of one start (row, column) with many ends (ends, 2)."""
    across = ends - start
    lengths = np.linalg.norm(across, axis=1) + np.finfo(np.float32).eps
    lines = (start + along[:, None] * across[:, None]).astype(np.int32)  # row, column: cut off, not rounded
    vectors = field[:, lines[..., 0], lines[..., 1]]  # (2, ends, points)
    # Single precision as in torch: rounded affinities of many pairings add up to ties but for the last bit.
    steps = np.diff(lines[..., ::-1], axis=1).transpose(2, 0, 1).astype(np.float32)  # first map: along x
    integrals = ((vectors[..., 1:] + vectors[..., :-1]) / 2 * steps).sum(-1)
    return np.asarray(np.round(np.linalg.norm(integrals, axis=0) / lengths, 3))

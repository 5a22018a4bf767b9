"""What sleap-nn computes from maps of several animals, in plain NumPy: the oracle of an import."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

__all__ = ["crop_around", "grow_animals", "local_peaks", "tree_order"]

Map = npt.NDArray[np.floating[Any]]


def local_peaks(cells: Map, stride: float, *, window: int, min_score: float) -> npt.NDArray[np.float64]:
    """(peaks, 3) x, y (input px), value of the cells (h, w) above their eight neighbours, in row-major order.

    Of equal neighbours the first is the peak. The place is the mean of the window around, weighted.
    """
    padded = np.pad(cells.astype(float), 1, constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).reshape(*cells.shape, 9)
    top = (windows.argmax(-1) == 4) & (cells > min_score)
    half = window // 2
    around = np.lib.stride_tricks.sliding_window_view(np.pad(cells.astype(float), half), (window, window))
    steps = np.arange(window) - half
    peaks = []
    for row, column in np.argwhere(top):
        values = around[row, column]
        dx, dy = values.sum(0) @ steps / values.sum(), values.sum(1) @ steps / values.sum()
        peaks.append(((column + dx) * stride, (row + dy) * stride, cells[row, column]))
    return np.array(peaks, float).reshape(-1, 3)


def crop_around(
    frame: npt.NDArray[np.uint8], centre: npt.NDArray[np.float64], size: tuple[int, int]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]:
    """The frame's own px around a centre, 0 beyond its edges; and x, y to add to what is found there.

    The px begin at a whole number, cut off from a number that is not negative for a centre within the frame;
    the way back adds the number as it was before.

    Parameters
    ----------
    frame : ndarray
        (H, W) or (H, W, 3).
    centre : ndarray
        x, y, px.
    size : tuple of int
        Height and width of the crop, px.
    """
    height, width = size
    corner = centre - (width / 2, height / 2) + 0.5
    half = np.array((width // 2, height // 2))
    left, top = (corner + half).astype(int) - half
    columns, rows = left + np.arange(width), top + np.arange(height)
    inside = ((rows >= 0) & (rows < frame.shape[0]))[:, None] & ((columns >= 0) & (columns < frame.shape[1]))
    pixels = frame[rows.clip(0, frame.shape[0] - 1)][:, columns.clip(0, frame.shape[1] - 1)]
    return pixels * inside.reshape(*inside.shape, *[1] * (frame.ndim - 2)).astype(np.uint8), corner


def tree_order(edges: tuple[tuple[int, int], ...]) -> list[int] | None:
    """Indices of the edges in the order in which sleap-nn walks them: breadth first from the first root.

    None where no node is without an edge that leads to it.
    """
    nodes = list(dict.fromkeys(node for edge in edges for node in edge))
    roots = [node for node in nodes if all(end != node for _, end in edges)]
    if not roots:
        return None
    order, reached, queue = [], {roots[0]}, [roots[0]]
    while queue:
        node = queue.pop(0)
        for index, (start, end) in enumerate(edges):
            if start == node and end not in reached:
                reached.add(end)
                queue.append(end)
                order.append(index)
    return order


def grow_animals(
    heatmap: Map, limbs: Map, fields: dict[str, Any], *, individuals: int
) -> npt.NDArray[np.float32]:
    """Poses (individuals, K, 3) of one frame's maps; NaN where something is missing.

    Parameters
    ----------
    heatmap : ndarray
        (K, h, w).
    limbs : ndarray
        (2L, lh, lw), x and y of each limb in turn.
    fields : dict
        ``stride`` and ``paf_tree`` as in model.yaml.
    individuals : int
        Most animals; those with the largest sum of affinities where there are more.
    """
    tree = fields["paf_tree"]
    options = {"window": tree["window"], "min_score": tree["min_score"]}
    found = [local_peaks(cells, fields["stride"], **options) for cells in heatmap]
    peaks = [_highest(each, tree["most_peaks"]) for each in found]
    animals, affinities = _walk(peaks, limbs, tree)
    if len(animals) > individuals:
        animals = [animals[n] for n in np.argsort(affinities)[::-1][:individuals]]
    poses = np.full((individuals, len(heatmap), 3), np.nan, np.float32)
    for slot, animal in enumerate(animals):
        for part, peak in animal.items():
            poses[slot, part] = peaks[part][peak]
    return poses


def _walk(
    peaks: list[npt.NDArray[np.float64]], limbs: Map, tree: dict[str, Any]
) -> tuple[list[dict[int, int]], list[float]]:
    """Animals, as the index of a peak by body part, and the sum of the affinities of each."""
    animals: list[dict[int, int]] = []
    affinities: list[float] = []
    for limb in tree["order"]:
        start, end = tree["limbs"][limb]
        gains = _affinities(limbs[2 * limb : 2 * limb + 2], peaks[start], peaks[end], tree, len(limbs))
        for i, j in _pairs(gains, tree["min_affinity"]):
            owner = next((n for n, animal in enumerate(animals) if animal.get(start) == i), len(animals))
            if owner == len(animals):
                animals.append({start: i})
                affinities.append(0.0)
            animals[owner][end] = j
            affinities[owner] += gains[i, j]
    return animals, affinities


def _highest(peaks: npt.NDArray[np.float64], most: int) -> npt.NDArray[np.float64]:
    kept = np.sort(np.argsort(-peaks[:, 2], kind="stable")[:most])
    return peaks[kept]


def _pairs(gains: Map, least: float) -> list[tuple[int, int]]:
    if not gains.size:
        return []
    shifted = np.nan_to_num(gains, nan=-1e6)
    pairs = zip(*linear_sum_assignment(shifted, maximize=True), strict=True)  # all of the smaller side
    return [(int(i), int(j)) for i, j in pairs if gains[i, j] >= least]


def _affinities(field: Map, starts: Map, ends: Map, tree: dict[str, Any], channels: int) -> Map:
    """(starts, ends): mean product of the field with the line's direction, less a penalty for length."""
    height, width = field.shape[1:]
    across = ends[None, :, :2] - starts[:, None, :2]
    lengths = np.linalg.norm(across, axis=-1)
    way = np.linspace(0, 1, tree["points_per_limb"])[:, None]
    lines = starts[:, None, None, :2] + way * across[:, :, None]  # (starts, ends, points, 2)
    cells = np.rint(lines / tree["limb_stride"]).astype(int)
    columns, rows = cells[..., 0].clip(0, width - 1), cells[..., 1].clip(0, height - 1)
    longest = tree["length_ratio"] * max(channels, height, width) * tree["limb_stride"]
    with np.errstate(divide="ignore", invalid="ignore"):
        directions = across / lengths[..., None]
        penalty = np.minimum(longest / lengths - 1, 0) * tree["length_penalty"]
    product = field[0][rows, columns] * directions[..., :1] + field[1][rows, columns] * directions[..., 1:]
    return np.asarray(product.mean(-1) + penalty)

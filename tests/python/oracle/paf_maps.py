"""Maps of several animals made from a seed: what a network with part affinity fields may give, and worse."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Maps = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True)
class Case:
    individuals: int
    bodyparts: int
    limbs: tuple[tuple[int, int], ...]
    width: int = 80
    height: int = 60
    stride: int = 8
    animals: int = 3  # drawn into the maps
    dropped: float = 0.15  # of the key points
    false_peaks: int = 2
    noise: float = 0.4


def full(bodyparts: int) -> tuple[tuple[int, int], ...]:
    return tuple(combinations(range(bodyparts), 2))


CASES = {
    "three_mice": Case(3, 12, full(12)),
    "crowded": Case(3, 6, full(6), width=40, height=30, animals=5, false_peaks=6),
    "sparse_limbs": Case(4, 8, tuple((i, i + 1) for i in range(7)), animals=4, dropped=0.3),
    "one_animal": Case(1, 5, full(5), animals=2),
    "two_strangers": Case(2, 4, full(4), animals=4, dropped=0.4, noise=1.0),
}


def make_maps(case: Case, frame: int) -> Maps:
    """Return heatmap logits (1, K, h, w), locref (1, 2K, h, w) and fields (1, 2L, h, w) of a frame."""
    random = np.random.RandomState(1000 + frame)
    rows, columns = np.mgrid[0 : case.height, 0 : case.width].astype(float)
    heatmap = np.full((case.bodyparts, case.height, case.width), -5.0)
    places = animals(case, random)
    for part in range(case.bodyparts):
        strangers = random.uniform(0, 1, (case.false_peaks, 2)) * (case.width, case.height)
        for x, y in [*places[:, part], *strangers]:
            if np.isnan(x):
                continue
            height = random.uniform(4, 9)
            blob = height * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 1.5**2)) - 5
            heatmap[part] = np.maximum(heatmap[part], blob)
    heatmap += case.noise * random.standard_normal(heatmap.shape)
    locref = 0.2 * random.standard_normal((2 * case.bodyparts, case.height, case.width))
    fields = 0.05 * random.standard_normal((2 * len(case.limbs), case.height, case.width))
    for limb, (a, b) in enumerate(case.limbs):
        for animal in places:
            add_limb(fields[2 * limb : 2 * limb + 2], animal[a], animal[b], rows, columns)
    return tuple(array[None].astype(np.float32) for array in (heatmap, locref, fields))  # type: ignore[return-value]


def animals(case: Case, random: np.random.RandomState) -> NDArray[np.float64]:
    """(animals, K, 2) x, y in cells; NaN where a key point is hidden."""
    size = min(case.width, case.height) / 6
    centres = random.uniform(0.15, 0.85, (case.animals, 1, 2)) * (case.width, case.height)
    places = centres + size * random.standard_normal((case.animals, case.bodyparts, 2))
    places[random.uniform(size=places.shape[:2]) < case.dropped] = np.nan
    return places


def add_limb(
    field: NDArray[np.float64],
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
) -> None:
    """Draw a unit vector field of 2 cells' half width from start to end into (2, h, w)."""
    if np.isnan([*start, *end]).any():
        return
    length = float(np.hypot(*(end - start)))
    way = (end - start) / max(length, 1e-9)
    along = (columns - start[0]) * way[0] + (rows - start[1]) * way[1]
    across = np.abs((columns - start[0]) * way[1] - (rows - start[1]) * way[0])
    inside = (along >= -1) & (along <= length + 1) & (across <= 2)
    field[:, inside] += way[:, None]

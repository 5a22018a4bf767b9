"""What several animals cost a frame: assembly of part affinity fields, identity and rules, on one core."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastpose import _core

__all__ = ["CASES", "Case", "make_frames", "measure"]

Maps = list[NDArray[np.float32]]
STAGES = ("assembly", "identity", "rules")
STRIDE = 8.0


@dataclass(frozen=True)
class Case:
    """Maps of `animals` that walk about; of every pair of bodyparts a field, or of neighbours alone."""

    animals: int
    bodyparts: int
    map_size: tuple[int, int]  # width, height; cells
    all_pairs: bool

    @property
    def limbs(self) -> list[tuple[int, int]]:
        parts = range(self.bodyparts)
        return list(combinations(parts, 2)) if self.all_pairs else list(pairwise(parts))

    @property
    def name(self) -> str:
        width, height = self.map_size
        limbs = f"{len(self.limbs)} limbs, {width}x{height} cells"
        return f"{self.animals} animals of {self.bodyparts} parts, {limbs}"


CASES = (
    Case(3, 12, (80, 60), all_pairs=True),
    Case(3, 12, (80, 60), all_pairs=False),
    Case(3, 12, (40, 32), all_pairs=True),
)


def make_frames(case: Case, count: int = 4) -> list[Maps]:
    """Return heatmap logits (1, K, h, w), locref (1, 2K, h, w) and fields (1, 2L, h, w) of some frames.

    Few, as a network writes its outputs over those of the last frame: they are in the caches.
    """
    random = np.random.default_rng(0)
    bodies = random.normal(0, 4, (case.animals, case.bodyparts, 2))
    centres = random.uniform(0.25, 0.75, (case.animals, 1, 2)) * case.map_size
    return [_maps(case, bodies + centres + 0.2 * i, random) for i in range(count)]


def _maps(case: Case, places: NDArray[np.float64], random: np.random.Generator) -> Maps:
    width, height = case.map_size
    rows, columns = np.mgrid[0:height, 0:width]
    away = (columns - places[..., 0, None, None]) ** 2 + (rows - places[..., 1, None, None]) ** 2
    heatmap = (
        (12 * np.exp(-away / 4.5)).max(axis=0) - 6 + random.normal(0, 0.4, (case.bodyparts, height, width))
    )
    locref = random.normal(0, 0.2, (2 * case.bodyparts, height, width))
    fields = random.normal(0, 0.05, (len(case.limbs), 2, height, width))
    for field, (a, b) in zip(fields, case.limbs, strict=True):
        for animal in places:
            _draw(field, animal[a], animal[b], rows, columns)
    maps = (heatmap, locref, fields.reshape(-1, height, width))
    return [np.ascontiguousarray(array[None], np.float32) for array in maps]


def _draw(
    field: NDArray[np.float64],
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
) -> None:
    length = max(float(np.linalg.norm(end - start)), 1e-9)
    x, y = (end - start) / length
    along = (columns - start[0]) * x + (rows - start[1]) * y
    across = np.abs((columns - start[0]) * y - (rows - start[1]) * x)
    field[:, (along >= -1) & (along <= length + 1) & (across <= 2)] += np.array([[x], [y]])


def make_rules(shape: tuple[int, int]) -> list[_core.Rule]:
    """Return one rule of each kind: for any animal, all of them, or the first."""
    zone = _core.polygon_zone([(50, 50), (500, 80), (400, 300), (60, 420)])
    parts = list(range(shape[1]))
    any_gate, all_gate, first = (_core.Gate(shape, individual=who) for who in ("any", "all", 0))
    px = _core.Limit(below=30)
    made = [
        _core.in_zone_condition(any_gate, zone=zone, bodyparts=parts, which="all"),
        _core.in_zone_condition(all_gate, zone=zone, bodyparts=parts, outside=True),
        _core.speed_condition(all_gate, bodypart=0, limit=_core.Limit(above=100, unit="px_s")),
        _core.distance_condition(any_gate, bodyparts=(0, 1), limit=px),
        _core.angle_condition(first, bodyparts=[0, 1, 2], limit=_core.Limit(above=90, unit="deg")),
    ]
    return [_core.Rule(condition) for condition in made]


def measure(case: Case, calls: int) -> dict[str, Any]:
    """Return percentiles of each stage and of their sum, us, measured in C++."""
    shape = (case.animals, case.bodyparts)
    frames = make_frames(case)
    decoder = _core.paf_decode_stage(
        shape=shape, limbs=case.limbs, map_size=case.map_size, stride=STRIDE, locref_stdev=7.2801
    )
    _require_animals(decoder, frames[0], shape)
    identity, rules = _core.motion_identity(shape), make_rules(shape)
    warm_up = max(20, calls // 10)
    times = _core.time_animals_ns(
        decoder, identity, rules, frames, shape, calls=calls + warm_up, step_ns=10_000_000
    )[warm_up:]
    stages = dict(zip(STAGES, times.T, strict=True)) | {"together": times.sum(axis=1)}
    return {name: _percentiles(values) for name, values in stages.items()}


def _require_animals(decoder: _core.DecodeStage, maps: Maps, shape: tuple[int, int]) -> None:
    found = np.isfinite(decoder.run(maps, shape)[..., 0]).mean()
    if found < 0.8:
        raise AssertionError(f"the decoder finds {100 * found:.0f} % of the keypoints; the maps are wrong")


def _percentiles(times_ns: NDArray[np.int64]) -> dict[str, float]:
    p50, p90, p99, p99_9, most = np.percentile(times_ns, [50, 90, 99, 99.9, 100]) / 1e3
    named = {"p50_us": p50, "p90_us": p90, "p99_us": p99, "p99_9_us": p99_9, "max_us": most}
    return {name: round(float(value), 2) for name, value in named.items()} | {"n": len(times_ns)}

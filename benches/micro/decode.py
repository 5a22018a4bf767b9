"""Decode beside NumPy: a Python loop over bodyparts ("plain"), and all bodyparts at once ("careful")."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from benches.micro.timing import Contestant, Isa
from numpy.typing import NDArray

from fastpose import _core

Maps = NDArray[np.float32]

STRIDE, STDEV = 8.0, 7.2801


@dataclass(frozen=True)
class Case:
    bodyparts: int
    height: int  # cells
    width: int

    @property
    def name(self) -> str:
        return f"decode {self.bodyparts} bodyparts, {self.height}x{self.width} cells, with locref"


CASES = (Case(20, 38, 82), Case(5, 32, 40))


def plain(heatmap: Maps, locref: Maps) -> NDArray[np.float64]:
    keypoints = []
    for k in range(heatmap.shape[1]):
        cells = heatmap[0, k]
        row, column = np.unravel_index(np.argmax(cells), cells.shape)
        x = (column + 0.5) * STRIDE + locref[0, 2 * k, row, column] * STDEV
        y = (row + 0.5) * STRIDE + locref[0, 2 * k + 1, row, column] * STDEV
        keypoints.append((x, y, 1 / (1 + np.exp(-cells[row, column]))))
    return np.array(keypoints)


class Careful:
    """One argmax over reshaped maps, results into one array."""

    def __init__(self, case: Case) -> None:
        self.each = np.arange(case.bodyparts)
        self.keypoints = np.empty((case.bodyparts, 3), np.float32)
        self.case = case

    def __call__(self, heatmap: Maps, locref: Maps) -> NDArray[np.float32]:
        count = self.case.bodyparts
        cells = heatmap.reshape(count, -1)
        peak = cells.argmax(axis=1)
        offset = locref.reshape(count, 2, -1)[self.each, :, peak]
        rows, columns = np.divmod(peak, self.case.width)
        self.keypoints[:, 0] = (columns + 0.5) * STRIDE
        self.keypoints[:, 1] = (rows + 0.5) * STRIDE
        self.keypoints[:, :2] += offset * np.float32(STDEV)
        self.keypoints[:, 2] = 1 / (1 + np.exp(-cells[self.each, peak]))
        return self.keypoints


def contestants(case: Case, isas: list[Isa]) -> list[Contestant]:
    """Plain, careful, and fastpose with each of `isas`; all give the same keypoints."""
    rng = np.random.default_rng(0)
    heatmap = rng.normal(size=(1, case.bodyparts, case.height, case.width)).astype(np.float32)
    locref = rng.normal(size=(1, 2 * case.bodyparts, case.height, case.width)).astype(np.float32)
    careful = Careful(case)
    result = [
        Contestant("plain", lambda: plain(heatmap, locref)),
        Contestant("careful", lambda: careful(heatmap, locref)),
    ]
    for isa in isas:
        result.append(_fastpose(case, isa, heatmap, locref))
    expected = np.asarray(result[0].call())
    for contestant in result[1:]:
        np.testing.assert_allclose(np.asarray(contestant.call()), expected, rtol=1e-4)
    return result


def _fastpose(case: Case, isa: Isa, heatmap: Maps, locref: Maps) -> Contestant:
    decoder = _core.HeatmapDecoder(
        case.bodyparts, (case.width, case.height), stride=STRIDE, locref_stdev=STDEV, isa=isa
    )
    out = np.empty((case.bodyparts, 3), np.float32)
    return Contestant(
        f"fastpose {isa}",
        lambda: decoder.run(heatmap, locref, out=out),
        lambda: int(decoder.time_ns(heatmap, locref, 1)[0]),
    )

"""The bf16 form: all layers in bf16, or, over the budget, those that cost the most in float32."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fastpose.optimizing.candidate import Cost
from fastpose.optimizing.mixed import Groups, costs_of, groups_of, write_kept

__all__ = ["Half", "half_form"]

FILE = "model_bf16.xml"
GROUPS = 16
SHARES = (0.5, 0.25, 0.1, 0.04, 0.015, 0.005)
"""Of the squared error, what may be left by layers in bf16, attempt by attempt."""

Tensor = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Half:
    """A graph, its cost at bf16, and the layers of it that stay in float32."""

    path: Path
    cost: Cost
    kept: tuple[str, ...] = ()

    def __str__(self) -> str:
        ties = f", {self.cost.ties} ties left out" if self.cost.ties else ""
        left = f" with {len(self.kept)} layers in float32" if self.kept else ""
        return f"{self.cost.mean_px:.3g} px mean, {self.cost.max_px:.3g} px max{left}{ties}"


def half_form(
    network: Path,
    tensors: Sequence[Tensor],
    budget_px: float,
    cost_of_file: Callable[[Path], Cost],
    say: Callable[[str], None],
) -> tuple[Half | None, list[Half]]:
    """Try to come within the budget with as many layers in bf16 as may be.

    Parameters
    ----------
    network : Path
        OpenVINO IR in float32, in a folder that may be written to.
    tensors : sequence of ndarray
        (1, C, H, W) float32, on which layers are ranked.
    budget_px : float
        Mean distance that is allowed, px.
    cost_of_file : callable
        Cost of an IR file at bf16.
    say : callable
        Gets a line about each attempt.

    Returns
    -------
    Half or None
        The first attempt within the budget.
    list of Half
        All attempts.
    """
    tried: list[Half] = []
    for path, kept in _candidates(network, tensors):
        tried.append(Half(path, cost_of_file(path), kept))
        say(f"bf16: {tried[-1]}")
        if _within(tried[-1].cost, budget_px):
            return tried[-1], tried
    return None, tried


def _within(cost: Cost, budget_px: float) -> bool:
    """A precision at which most keypoints are ties is of no use."""
    return cost.mean_px <= budget_px and cost.keypoints > cost.ties


def _candidates(network: Path, tensors: Sequence[Tensor]) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Files to try, the fastest first; layers are ranked only if the first is not enough."""
    yield network, ()
    groups = groups_of(network, GROUPS)
    costs = costs_of(network, groups, tensors, network.parent)
    for number, kept in enumerate(_steps(groups, costs)):
        place = network.parent / f"bf16_{number}"
        place.mkdir()
        path = place / FILE
        write_kept(network, path, kept)
        shutil.copyfile(network.with_suffix(".bin"), path.with_suffix(".bin"))
        yield path, kept


def _steps(groups: Groups, costs: Sequence[float]) -> Iterator[tuple[str, ...]]:
    """Layers to keep in float32 so that each of `SHARES` is left, in the order of the data; never all."""
    order = np.argsort(costs)  # the cheapest first: they are the last to be kept
    left = np.cumsum(np.asarray(costs)[order])
    before = -1
    for share in SHARES:
        in_bf16 = max(1, int(np.searchsorted(left, share * left[-1], side="right")))
        if in_bf16 in (before, len(groups)):
            continue
        before = in_bf16
        kept = sorted(order[in_bf16:])
        yield tuple(name for place in kept for name in groups[place])

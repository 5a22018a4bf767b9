"""Pairs the edges that a microcontroller stamped with what the software says it did, and compares both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose.errors import ConfigError

__all__ = ["Action", "BoardEdge", "Loopback", "measure"]

Int64 = npt.NDArray[np.int64]
LATEST_NS = 250_000_000  # an output edge that came later belongs to nothing
CLOCKS_DISAGREE_NS = 5_000_000  # an edge may seem to come before the write that made it
PERCENTILES = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p99.9": 99.9, "max": 100.0}
BINS = 20


@dataclass(frozen=True)
class BoardEdge:
    """A rising edge that the board saw.

    Attributes
    ----------
    host_ns : int
        On the host's clock, by the fit over bounded round trips: to find what belongs together.
    device_ns : int
        On the board's own clock: what is measured with.
    """

    host_ns: int
    device_ns: int


@dataclass(frozen=True)
class Action:
    """What the software says of one reaction: host clock, ns."""

    exposure_start_ns: int
    acted_ns: int


@dataclass(frozen=True)
class Loopback:
    """Exposure to output, measured twice.

    Attributes
    ----------
    board_ns, software_ns : ndarray
        (n,) int64 of each action that has both edges.
    without_exposure, without_output : int
        Actions whose edge the board did not tell.
    clock : dict
        The fit of the board's clock: drift, residual, round trips.
    """

    board_ns: Int64
    software_ns: Int64
    without_exposure: int
    without_output: int
    clock: dict[str, Any]

    @property
    def difference_ns(self) -> Int64:
        """(n,) what the board measured more than the software says."""
        return self.board_ns - self.software_ns

    def agrees(self, tolerance_us: float) -> bool:
        """The median difference is within the tolerance, and nine of ten are within five times that."""
        off_us = np.abs(self.difference_ns) / 1e3
        return bool(np.median(off_us) <= tolerance_us and np.percentile(off_us, 90) <= 5 * tolerance_us)

    def as_json(self, tolerance_us: float) -> dict[str, Any]:
        """For programs."""
        return {
            "n": len(self.board_ns),
            "without_exposure": self.without_exposure,
            "without_output": self.without_output,
            "board_ms": percentiles_ms(self.board_ns),
            "software_ms": percentiles_ms(self.software_ns),
            "difference_ms": percentiles_ms(self.difference_ns),
            "tolerance_us": tolerance_us,
            "agrees": self.agrees(tolerance_us),
            "histogram_ms": histogram_ms(self.board_ns),
            "clock": self.clock,
        }


def measure(
    actions: Sequence[Action],
    exposures: Sequence[BoardEdge],
    outputs: Sequence[BoardEdge],
    *,
    clock: dict[str, Any],
) -> Loopback:
    """Find the two edges of each action.

    The exposure is the edge nearest to the software's `exposure_start`, within half the time between
    exposures; the output edge is the first after the write that no action before it took.

    Parameters
    ----------
    actions, exposures, outputs : sequence
        In order of time.
    clock : dict
        What is known of the board's clock.

    Raises
    ------
    ConfigError
        No action has both edges; the text says which are missing.
    """
    reach_ns = _half_period(exposures)
    starts = np.array([edge.host_ns for edge in exposures], np.int64)
    board, software, no_exposure, no_output, next_output = [], [], 0, 0, 0
    for action, latest in zip(actions, _latest(actions), strict=True):
        start = _nearest(starts, action.exposure_start_ns, reach_ns)
        earliest = action.acted_ns - CLOCKS_DISAGREE_NS
        while next_output < len(outputs) and outputs[next_output].host_ns < earliest:
            next_output += 1
        came = next_output < len(outputs) and outputs[next_output].host_ns < latest
        no_exposure += start is None
        no_output += not came
        if start is not None and came:
            board.append(outputs[next_output].device_ns - exposures[start].device_ns)
            software.append(action.acted_ns - action.exposure_start_ns)
        next_output += came
    if not board:
        raise ConfigError(
            f"of {len(actions)} actions none has both edges: {no_exposure} lack the exposure "
            f"({len(exposures)} edges came), {no_output} the output ({len(outputs)} edges came); "
            "check the wires and pins"
        )
    return Loopback(np.array(board, np.int64), np.array(software, np.int64), no_exposure, no_output, clock)


def _latest(actions: Sequence[Action]) -> list[int]:
    """Until when the edge of each action must come: before that of the next one."""
    nexts = [action.acted_ns - CLOCKS_DISAGREE_NS for action in actions[1:]] + [2**62]
    return [min(a.acted_ns + LATEST_NS, following) for a, following in zip(actions, nexts, strict=True)]


def _half_period(exposures: Sequence[BoardEdge]) -> int:
    if len(exposures) < 2:
        return LATEST_NS
    return int(np.median(np.diff([edge.host_ns for edge in exposures])) / 2)


def _nearest(times: Int64, wanted_ns: int, reach_ns: int) -> int | None:
    if not len(times):
        return None
    after = int(np.searchsorted(times, wanted_ns))
    near = min(
        (at for at in (after - 1, after) if 0 <= at < len(times)), key=lambda at: abs(times[at] - wanted_ns)
    )
    return near if abs(int(times[near]) - wanted_ns) <= reach_ns else None


def percentiles_ms(values_ns: Int64) -> dict[str, float]:
    """p50 to p99.9 and the maximum."""
    return {name: round(float(np.percentile(values_ns, p)) / 1e6, 4) for name, p in PERCENTILES.items()}


def histogram_ms(values_ns: Int64) -> list[tuple[float, int]]:
    """Lower edge of each bin and its count."""
    counts, edges = np.histogram(values_ns / 1e6, BINS)
    return [(round(float(edge), 4), int(count)) for edge, count in zip(edges, counts, strict=False)]

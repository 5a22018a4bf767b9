"""`fastpose bench loopback`: edges find each other, what is lost is counted, and a disagreement is seen."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from fastpose import _core
from fastpose.cli import app
from fastpose.errors import ConfigError
from fastpose.loopback.measure import Action, BoardEdge, Loopback, measure
from fastpose.loopback.run import Simulated, simulated

MS = 1_000_000
PERIOD_NS, OFFSET_NS, DRIFT = 10 * MS, 5_000 * MS, 100e-6
NEEDS_FIRMWARE = pytest.mark.skipif(
    not hasattr(_core, "FirmwareSimulator"), reason="this build of the engine has no firmware outputs"
)


def edge(host_ns: int) -> BoardEdge:
    """As a board with a drifting clock stamps it."""
    return BoardEdge(host_ns, OFFSET_NS + round(host_ns * (1 + DRIFT)))


def chain(count: int, *, every: int = 3) -> tuple[list[Action], list[BoardEdge], list[BoardEdge]]:
    """Exposures at a steady rate, of which each third raises the output 4 to 8 ms later."""
    delays = np.random.default_rng(0).integers(4 * MS, 8 * MS, count)
    starts = [1_000 * MS + index * PERIOD_NS for index in range(count * every)]
    actions = [Action(starts[k * every], starts[k * every] + int(delays[k])) for k in range(count)]
    return actions, [edge(start) for start in starts], [edge(each.acted_ns) for each in actions]


def test_the_board_measures_what_is_there() -> None:
    actions, exposures, outputs = chain(200)
    found = measure(actions, exposures, outputs, clock={})
    assert len(found.board_ns) == 200
    assert (found.without_exposure, found.without_output) == (0, 0)
    assert np.abs(found.difference_ns).max() <= 8 * MS * DRIFT + 1
    assert found.agrees(10)


def test_lost_edges_are_counted_and_pair_with_nothing_else() -> None:
    actions, exposures, outputs = chain(100)
    del outputs[40], exposures[30 * 3]
    found = measure(actions, exposures, outputs, clock={})
    assert (found.without_exposure, found.without_output) == (1, 1)
    assert len(found.board_ns) == 98
    assert found.agrees(10)


def test_software_that_is_wrong_is_seen() -> None:
    actions, exposures, outputs = chain(100)
    wrong = [Action(each.exposure_start_ns + 2 * MS, each.acted_ns) for each in actions]
    found = measure(wrong, exposures, outputs, clock={})
    assert not found.agrees(500)
    assert np.median(found.difference_ns) == pytest.approx(2 * MS, rel=0.01)
    told = found.as_json(500)
    assert told["agrees"] is False and told["n"] == 100
    assert sum(count for _, count in told["histogram_ms"]) == 100


def test_without_edges_it_says_what_is_missing() -> None:
    actions, exposures, _ = chain(10)
    with pytest.raises(ConfigError, match=r"0 lack the exposure \(30 edges came\), 10 the output \(0 edges"):
        measure(actions, exposures, [], clock={})


def test_a_single_slow_reaction_is_in_the_maximum() -> None:
    found = Loopback(np.full(1000, 5 * MS), np.full(1000, 5 * MS), 0, 0, {})
    found.board_ns[7] = 40 * MS
    assert found.as_json(500)["board_ms"]["max"] == 40
    assert found.agrees(500)


@NEEDS_FIRMWARE
def test_a_simulated_board_agrees_with_the_software() -> None:
    found = simulated(40, Simulated(drift_ppm=150, offset_s=77))
    assert len(found.board_ns) == 40
    assert found.clock["lost_edges"] == 0
    assert np.median(found.difference_ns) == pytest.approx(0, abs=2 * MS)
    assert found.clock["drift_ppm"] == pytest.approx(150, abs=100)


@NEEDS_FIRMWARE
def test_a_simulated_board_shows_software_that_is_wrong() -> None:
    right = simulated(30, Simulated())
    wrong = simulated(30, Simulated(exposure_late_us=5000))
    assert np.median(wrong.difference_ns) - np.median(right.difference_ns) == pytest.approx(
        5 * MS, abs=2 * MS
    )
    assert not wrong.agrees(500)


@NEEDS_FIRMWARE
def test_the_command_without_a_rig() -> None:
    ran = CliRunner().invoke(app, ["bench", "loopback", "--simulate", "--count", "10", "--json"])
    told = json.loads(ran.output)
    assert told["n"] == 10
    assert set(told["board_ms"]) == {"p50", "p90", "p99", "p99.9", "max"}


def test_the_command_says_what_it_needs() -> None:
    ran = CliRunner().invoke(app, ["bench", "loopback"])
    assert ran.exit_code == 2
    assert "without a rig: --simulate" in ran.output
    ran = CliRunner().invoke(app, ["bench", "loopback", "--simulate", "--port", "/dev/null"])
    assert "without CONFIG and --port" in ran.output

"""``fastpose bench loopback``: what it prints."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from fastpose.config import Config
from fastpose.errors import ConfigError
from fastpose.loopback.measure import Loopback, histogram_ms, percentiles_ms
from fastpose.loopback.run import Simulated, on_rig, simulated

__all__ = ["Request", "print_loopback", "run"]

_WIDTH = 40


@dataclass(frozen=True)
class Request:
    """What the command line asks for."""

    config: Config | None
    simulate: bool
    port: str | None
    pins: tuple[int, int]
    output: str | None
    seconds: float
    count: int


def run(request: Request) -> Loopback:
    """Measure on a rig, or with a simulated board.

    Raises
    ------
    ConfigError
        Neither --simulate nor a config with --port is given, or both.
    """
    if request.simulate:
        if request.config is not None or request.port is not None:
            raise ConfigError("--simulate is a chain of its own; allowed: without CONFIG and --port")
        return simulated(request.count, Simulated())
    if request.config is None or request.port is None:
        raise ConfigError(
            "a rig is measured with CONFIG and --port of the board (an LED in the camera's view is not "
            "supported yet: wire the output and ExposureActive to the board); without a rig: --simulate"
        )
    output = request.output or next(iter(request.config.outputs), "")
    found, _ = on_rig(request.config, request.port, pins=request.pins, output=output, seconds=request.seconds)
    return found


def print_loopback(found: Loopback, tolerance_us: float, console: Console) -> None:
    """Percentiles by both clocks, the histogram, and whether they agree."""
    table = Table("", "p50", "p90", "p99", "p99.9", "max", box=None, padding=(0, 2, 0, 0))
    rows = {
        "exposure to output, by the board": found.board_ns,
        "by the software's stamps": found.software_ns,
        "board - software": found.difference_ns,
    }
    for name, values in rows.items():
        table.add_row(name, *(f"{value:.3f}" for value in percentiles_ms(values).values()))
    console.print(table)
    most = max(count for _, count in histogram_ms(found.board_ns))
    for edge, count in histogram_ms(found.board_ns):
        console.print(f"{edge:9.3f} ms {'#' * round(_WIDTH * count / most)} {count}".rstrip())
    _print_clock(found, console)
    missing = f"{found.without_exposure} without exposure edge, {found.without_output} without output edge"
    console.print(f"{len(found.board_ns)} reactions; {missing}; all in ms")
    told = "agree" if found.agrees(tolerance_us) else "DISAGREE: the difference is shown above"
    console.print(f"board and software {told} (tolerance {tolerance_us:g} us)")


def _print_clock(found: Loopback, console: Console) -> None:
    clock = found.clock
    if "drift_ppm" in clock:
        residual_us = clock.get("residual_ns", 0) / 1e3
        console.print(
            f"the board's clock: {clock['drift_ppm']:+.1f} ppm against the host's, residual "
            f"{residual_us:.1f} us, {clock.get('lost_edges', 0)} edges lost"
        )

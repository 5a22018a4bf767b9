"""``fastpose bench loopback``: what it prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from fastpose.config import Config
from fastpose.errors import ConfigError
from fastpose.loopback.led import LedLoopback
from fastpose.loopback.led_rig import led_on_rig
from fastpose.loopback.measure import Int64, Loopback, histogram_ms, percentiles_ms
from fastpose.loopback.run import Simulated, on_rig, simulated
from fastpose.loopback.spot import RoiPx

__all__ = ["Request", "print_loopback", "roi_from", "run"]

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
    led: str | None = None
    led_roi: RoiPx | None = None


def roi_from(text: str | None) -> RoiPx | None:
    """The place of an LED as the command line has it: ``x,y,w,h``.

    Raises
    ------
    ConfigError
        It is something else.
    """
    if text is None:
        return None
    try:
        x, y, width, height = (int(word) for word in text.split(","))
    except ValueError:
        raise ConfigError(f"--led-roi is {text!r}; allowed: x,y,w,h in px, as 100,20,12,12") from None
    return x, y, width, height


def run(request: Request) -> Loopback | LedLoopback:
    """Measure on a rig with a board or with an LED in view, or with a simulated board.

    Raises
    ------
    ConfigError
        Not one of --simulate, a config with --port, and a config with --led is given.
    """
    if request.simulate:
        if request.config is not None or request.port is not None or request.led is not None:
            raise ConfigError(
                "--simulate is a chain of its own; allowed: without CONFIG and --port, and without --led"
            )
        return simulated(request.count, Simulated())
    if request.config is None or (request.port is None) is (request.led is None):
        raise ConfigError(
            "a rig is measured with CONFIG and --port of the board, or with CONFIG and --led OUTPUT where "
            "the camera sees an LED on that output; without a rig: --simulate"
        )
    if request.led is not None:
        if request.output not in (None, request.led):
            raise ConfigError(f"--output is {request.output!r} beside --led {request.led}; leave it out")
        return led_on_rig(request.config, request.led, roi=request.led_roi, seconds=request.seconds)[0]
    return _with_board(request, request.config)


def _with_board(request: Request, config: Config) -> Loopback:
    assert request.port is not None
    if request.led_roi is not None:
        raise ConfigError("--led-roi is given without --led OUTPUT")
    output = request.output or next(iter(config.outputs), "")
    return on_rig(config, request.port, pins=request.pins, output=output, seconds=request.seconds)[0]


def print_loopback(found: Loopback | LedLoopback, tolerance_us: float, console: Console) -> None:
    """Percentiles by both clocks, the histogram, and whether they agree."""
    by_led = isinstance(found, LedLoopback)
    who = "camera" if by_led else "board"
    measured = found.light_ns if isinstance(found, LedLoopback) else found.board_ns
    first = f"exposure to {'light' if by_led else 'output'}, by the {who}"
    _print_numbers(
        {
            first: measured,
            "by the software's stamps": found.software_ns,
            f"{who} - software": found.difference_ns,
        },
        console,
    )
    if isinstance(found, LedLoopback):
        _print_led(found, console)
    else:
        _print_clock(found, console)
        missing = (
            f"{found.without_exposure} without exposure edge, {found.without_output} without output edge"
        )
        console.print(f"{len(measured)} reactions; {missing}; all in ms")
    told = "agree" if found.agrees(tolerance_us) else "DISAGREE: the difference is shown above"
    console.print(f"{who} and software {told} (tolerance {tolerance_us:g} us)")


def _print_numbers(rows: dict[str, Int64], console: Console) -> None:
    """A table of all, and the histogram of the first."""
    table = Table("", "p50", "p90", "p99", "p99.9", "max", box=None, padding=(0, 2, 0, 0))
    for name, values in rows.items():
        table.add_row(name, *(f"{value:.3f}" for value in percentiles_ms(values).values()))
    console.print(table)
    bins = histogram_ms(next(iter(rows.values())))
    most = max(count for _, count in bins)
    for edge, count in bins:
        console.print(f"{edge:9.3f} ms {'#' * round(_WIDTH * count / most)} {count}".rstrip())


def _print_clock(found: Loopback, console: Console) -> None:
    clock: dict[str, Any] = found.clock
    if "drift_ppm" in clock:
        residual_us = clock.get("residual_ns", 0) / 1e3
        console.print(
            f"the board's clock: {clock['drift_ppm']:+.1f} ppm against the host's, residual "
            f"{residual_us:.1f} us, {clock.get('lost_edges', 0)} edges lost"
        )


def _print_led(found: LedLoopback, console: Console) -> None:
    spot = found.spot
    place = "{},{},{},{}".format(*spot.roi)
    console.print(f"the LED: --led-roi {place}, {spot.off:.1f} off, {spot.on:.1f} on, noise {spot.noise:.2f}")
    bound = percentiles_ms(found.bound_ns)
    if found.exposure_us is None:
        console.print(
            "the exposure time is not known (set exposure_us): each light is known to the frame's period, "
            f"{found.period_ns / 1e6:.3f} ms, only"
        )
    noise = "" if found.noise_us is None else f", and to the noise of brightness, {found.noise_us:.0f} us"
    known = f"each light is known to +-{bound['p50']:.3f} ms (median), +-{bound['max']:.3f} ms at most{noise}"
    console.print(known, soft_wrap=True)
    missing = f"{found.without_light} without light, {found.too_short} too short to tell"
    console.print(f"{len(found.light_ns)} reactions; {missing}; all in ms")

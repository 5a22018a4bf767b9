"""Runs the measurement: on a rig, or with a simulated board that knows what is true."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastpose import _core
from fastpose import config as cfg
from fastpose.errors import ConfigError
from fastpose.loopback.board import Board, firmware
from fastpose.loopback.measure import Action, Loopback, measure
from fastpose.rig import Rig
from fastpose.session.events import EVENTS, event_records
from fastpose.session.source import read_session

__all__ = ["Simulated", "on_rig", "simulated"]

SETTLE_S = 0.3  # for the last edges
PERIOD_S, WORK_MS, PULSE_S = 0.02, (3.0, 9.0), 0.003
EXPOSURE_PIN, OUTPUT_PIN, LOOP_PIN = 2, 5, 3


@dataclass(frozen=True)
class Simulated:
    """What a simulated board is like.

    Attributes
    ----------
    drift_ppm, offset_s : float
        Of its clock.
    wire_delay_us : float
        From the output to the input that sees it.
    exposure_late_us : float
        The software believes that exposures start so much later than they do: what the bench must show.
    """

    drift_ppm: float = 80.0
    offset_s: float = 1234.5
    wire_delay_us: float = 0.0
    exposure_late_us: float = 0.0


def simulated(count: int, spec: Simulated, *, seed: int = 0) -> Loopback:
    """Exposures and reactions of a chain that only exists on a pseudo-terminal.

    Parameters
    ----------
    count : int
        Reactions.
    spec : Simulated
    seed : int
        Of the time that each reaction takes.

    Raises
    ------
    OutputError
        There are no pseudo-terminals here.
    """
    simulator = firmware("FirmwareSimulator")(
        drift_ppm=spec.drift_ppm, offset_s=spec.offset_s, wire_delay_us=spec.wire_delay_us
    )
    simulator.connect(OUTPUT_PIN, LOOP_PIN)
    draw = random.Random(seed)
    lines = [(OUTPUT_PIN, False, False, 1000.0)]
    with Board(simulator.path, exposure_pin=EXPOSURE_PIN, output_pin=LOOP_PIN, lines=lines) as board:
        time.sleep(2 * SETTLE_S)  # until the clock is fitted
        actions = [_react(simulator, board.device, spec, draw.uniform(*WORK_MS)) for _ in range(count)]
        time.sleep(SETTLE_S)
    return measure(actions, board.exposures, board.outputs, clock=_clock(board))


def _react(simulator: Any, device: Any, spec: Simulated, work_ms: float) -> Action:
    begin_s = time.monotonic()
    exposure_ns = _core.now_ns()
    simulator.drive_input(EXPOSURE_PIN, True, exposure_ns)
    time.sleep(work_ms / 1e3)
    device.set(0, 65535)
    acted_ns = _core.now_ns()
    time.sleep(PULSE_S)
    device.set(0, 0)
    simulator.drive_input(EXPOSURE_PIN, False)
    time.sleep(max(0.0, PERIOD_S - (time.monotonic() - begin_s)))
    return Action(exposure_ns + round(spec.exposure_late_us * 1e3), acted_ns)


def _clock(board: Board) -> dict[str, Any]:
    return {**board.clock, "lost_edges": board.lost_edges}


def on_rig(
    config: cfg.Config, port: str, *, pins: tuple[int, int], output: str, seconds: float
) -> tuple[Loopback, Path]:
    """Run an experiment and measure its reactions with a board beside it.

    Parameters
    ----------
    config : Config
        Its protocol moves the output.
    port : str
        Of the board.
    pins : tuple of int
        Inputs that see ExposureActive and the output.
    output : str
        Which of the config's.
    seconds : float

    Raises
    ------
    ConfigError
        The config has no such output, or it never moved.
    FastposeError
        As of a session.
    """
    if output not in config.outputs:
        raise ConfigError(f"--output is {output!r}; allowed: {', '.join(config.outputs) or 'none'}")
    limited = config.model_copy(update={"session": config.session.model_copy(update={"duration_s": seconds})})
    with Board(port, exposure_pin=pins[0], output_pin=pins[1]) as board:
        with Rig(limited, feed=False) as rig:
            rig.run()
        time.sleep(SETTLE_S)
    actions = _actions(rig.directory, list(config.outputs).index(output))
    if not actions:
        raise ConfigError(f"output {output!r} did not go high in {seconds:g} s; there is nothing to measure")
    return measure(actions, board.exposures, board.outputs, clock=_clock(board)), rig.directory


def _actions(session: Path, output: int) -> list[Action]:
    """Each time that a frame raised the output."""
    events = event_records(read_session(session))
    mine = events[(events["kind"] == EVENTS.index("output")) & (events["source"] == output)]
    mine = mine[(mine["value"] == 1) & (mine["exposure_start_ns"] != 0)]
    return [Action(int(event["exposure_start_ns"]), int(event["stamp_ns"])) for event in mine]

"""The process of outputs beside the loop: carries out one command after the other, and goes safe at the end.

Started with the JSON of `BesideOptions`. It ends when the engine says goodbye or is gone, kill -9 included:
then each line gets its safe level.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastpose import _core
from fastpose.config import config_of_output
from fastpose.errors import FastposeError
from fastpose.hosts.common import StopFlag, calm_down, clip, report
from fastpose.outputs import Line, driver_module

__all__ = ["BesideOptions", "main", "serve"]

_TICK_MS = 50.0  # how soon the end of the engine is seen


@dataclass(frozen=True)
class BesideOptions:
    """What the process moves.

    Attributes
    ----------
    block : str
        Name of the block in shared memory.
    driver : str
    outputs : dict
        The config of each output, by name, in the order of the block's lines.
    base : str
        Folder that relative paths start from; those of a resolved config are absolute.
    nice : int
    """

    block: str
    driver: str
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    base: str = "."
    nice: int = 0


def open_lines(driver: str, outputs: Mapping[str, Mapping[str, Any]], base: str) -> list[Line]:
    """Open every output of a driver.

    Raises
    ------
    FastposeError
        One cannot be opened; the text names it.
    """
    module = driver_module(driver)
    lines = []
    for name, given in outputs.items():
        try:
            lines.append(module.open(name, config_of_output(given, base=Path(base))))
        except FastposeError as error:
            raise type(error)(f"outputs.{name}: {error}") from error
    return lines


def serve(block: _core.BesideLines, lines: Sequence[Line], stop: StopFlag) -> None:
    """Carry out commands until the engine says goodbye, is gone, or this process is told to end."""
    ticking = [line.tick for line in lines if hasattr(line, "tick")]
    wait_ms = min((getattr(line, "tick_ms", _TICK_MS) for line in lines), default=_TICK_MS)
    while not stop.is_set:
        command = block.next(wait_ms)
        if command is not None:
            _carry_out(block, lines[command.line], command)
        elif block.goodbye:
            return
        for tick in ticking:
            tick()


def _carry_out(block: _core.BesideLines, line: Any, command: _core.BesideCommand) -> None:
    try:
        if command.value is None:
            line.write(command.high)
        else:
            line.write_value(command.value)
    except Exception as error:
        block.answer(command, written=False, why=clip(str(error) or type(error).__name__)[:250])
    else:
        block.answer(command, written=True)


def make_safe(block: _core.BesideLines, lines: Sequence[Any]) -> None:
    """Give each line its safe level and close it; one that fails does not keep the others from it."""
    for index, line in enumerate(lines):
        with contextlib.suppress(Exception):
            line.write(block.safe_high(index))
        if hasattr(line, "close"):
            with contextlib.suppress(Exception):
                line.close()


def main(arguments: list[str]) -> int:
    """Entry of the process; returns its exit code."""
    stop = StopFlag().listen()
    options = BesideOptions(**json.loads(arguments[0]))
    calm_down(options.nice)
    block = _core.BesideLines.attach(options.block)
    lines: list[Line] = []
    try:
        lines = open_lines(options.driver, options.outputs, options.base)
        report("ready")
        serve(block, lines, stop)
    except Exception as error:
        block.end(clip(str(error))[:250])
        report("failed", str(error))
        if isinstance(error, FastposeError):
            return 2
        raise
    finally:
        make_safe(block, lines)
        block.end("its process has ended")
    report("finished")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

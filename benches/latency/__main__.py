"""Command line of the latency bench: runs the conditions in turn, prints a report, writes JSON."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benches.latency.conditions import CONDITIONS, Condition, chosen
from benches.latency.report import Measured, results, targets, text
from benches.latency.segment import WARM_UP_FRAMES, run_segment
from benches.latency.workspace import EXPOSURE_MS, TRANSFER_MS, Workspace
from benches.machine import machine

from fastpose.errors import FastposeError

SECONDS, ROUNDS = 2.5, 5
OUTPUT = Path("benches/results/latency.json")


def measure(
    conditions: tuple[Condition, ...], *, seconds: float, rounds: int, folder: Path
) -> list[Measured]:
    """Run the conditions one after another, `rounds` times over: a slow moment of the machine hits all.

    Parameters
    ----------
    conditions : tuple of Condition
    seconds : float
        Of one condition in one round.
    rounds : int
    folder : Path
        For sessions and videos.
    """
    workspace = Workspace(folder)
    measured = [Measured(condition) for condition in conditions]
    for index in range(rounds):
        for each in measured:
            _say(f"round {index + 1} of {rounds}: {each.condition.name}")
            _add_segment(each, workspace, seconds)
    _say("")
    return measured


def _say(text: str) -> None:
    """Show on a terminal what runs now."""
    if sys.stderr.isatty():
        print(f"\r{text:<60}\r", end="", file=sys.stderr, flush=True)


def _add_segment(each: Measured, workspace: Workspace, seconds: float) -> None:
    """Run one segment; a condition that fails takes nothing with it."""
    try:
        segment = run_segment(each.condition, workspace, seconds)
        each.segments.append(segment)
        if segment.ended != "finished":
            each.failures.append(f"the session ended by '{segment.ended}', not with its camera")
    except FastposeError as error:
        each.segments.append(None)
        each.failures.append(str(error))


def report(measured: list[Measured], seconds: float, fingerprint: dict[str, Any]) -> dict[str, Any]:
    """The content of the JSON file."""
    found = results(measured)
    return {
        "bench": "latency",
        "machine": fingerprint,
        "settings": {
            "seconds": seconds,
            "rounds": max(len(each.segments) for each in measured),
            "warm_up_frames": WARM_UP_FRAMES,
            "exposure_ms": EXPOSURE_MS,
            "transfer_ms": TRANSFER_MS,
        },
        "targets": targets(found),
        "conditions": found,
    }


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benches.latency", description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help=f"of a condition in a round ({SECONDS:g})"
    )
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, help=f"each runs every condition once ({ROUNDS})"
    )
    parser.add_argument(
        "--conditions",
        default="",
        help="comma separated, default all: " + ", ".join(condition.name for condition in CONDITIONS),
    )
    parser.add_argument("--output", type=Path, default=OUTPUT, help=f"JSON file ({OUTPUT})")
    options = parser.parse_args(arguments)
    try:
        options.conditions = chosen(options.conditions)
    except ValueError as error:
        parser.error(str(error))
    if options.seconds <= 0 or options.rounds < 1:
        parser.error("--seconds must be above 0, --rounds at least 1")
    return options


def main() -> None:
    options = parse()
    fingerprint = machine()  # before the bench loads the machine itself
    with tempfile.TemporaryDirectory(prefix="fastpose-bench-") as folder:
        measured = measure(
            options.conditions, seconds=options.seconds, rounds=options.rounds, folder=Path(folder)
        )
    content = report(measured, options.seconds, fingerprint)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(text(content["conditions"], content["targets"]))
    print(f"\n{fingerprint}\n-> {options.output}")


if __name__ == "__main__":
    main()

"""Command line of the bench: with recording and without in turn, a report, JSON.

    python -m benches.two_cameras [--full] [--seconds 10] [--rounds 2] [--output FILE]

Two simulated cameras, 640x512 px mono8 at 150 Hz on one trigger. The small network that comes with fastpose
looks at one of them; both are recorded with x264, or neither is. ``--full`` is the long form: 10 minutes with
recording, in rounds that take turns with as long without.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benches.machine import machine
from benches.two_cameras.report import report, text
from benches.two_cameras.session import CONDITIONS, Measured, run_segment

SECONDS, ROUNDS = 10.0, 2
FULL_SECONDS, FULL_ROUNDS = 120.0, 5
OUTPUT = Path("benches/results/two_cameras.json")


def measure(*, seconds: float, rounds: int, folder: Path) -> dict[str, Measured]:
    """Run the conditions one after the other, `rounds` times over: a slow moment of the machine hits both."""
    measured = {name: Measured() for name in CONDITIONS}
    for index in range(rounds):
        for name, each in measured.items():
            if sys.stderr.isatty():
                print(f"round {index + 1} of {rounds}: {name}", file=sys.stderr)
            each.segments.append(run_segment(folder, seconds, record=CONDITIONS[name]))
    return measured


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benches.two_cameras", description=__doc__)
    parser.add_argument("--full", action="store_true", help="10 minutes of each, in turns")
    parser.add_argument("--seconds", type=float, help=f"of a condition in a round ({SECONDS:g})")
    parser.add_argument("--rounds", type=int, help=f"each runs both conditions once ({ROUNDS})")
    parser.add_argument("--output", type=Path, default=OUTPUT, help=f"JSON file ({OUTPUT})")
    options = parser.parse_args(arguments)
    options.seconds = options.seconds or (FULL_SECONDS if options.full else SECONDS)
    options.rounds = options.rounds or (FULL_ROUNDS if options.full else ROUNDS)
    if options.seconds <= 0 or options.rounds < 1:
        parser.error("--seconds must be above 0, --rounds at least 1")
    return options


def main() -> None:
    options = parse()
    fingerprint = machine()
    with tempfile.TemporaryDirectory(prefix="fastpose-bench-") as folder:
        measured = measure(seconds=options.seconds, rounds=options.rounds, folder=Path(folder))
    settings = {"seconds": options.seconds, "rounds": options.rounds}
    content: dict[str, Any] = {"bench": "two_cameras", "machine": fingerprint, "settings": settings}
    content |= report(measured)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(text(content))
    print(f"\n{fingerprint}\n-> {options.output}")


if __name__ == "__main__":
    main()

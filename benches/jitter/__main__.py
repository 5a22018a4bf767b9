"""Command line of the jitter bench: every variant of a scenario in turn, rounds over; adds to the JSON."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from benches.jitter.variants import SCENARIOS, VARIANTS, Scenario, chosen, condition_of
from benches.latency.segment import Segment, run_segment
from benches.latency.spans import Durations, ratios, summary
from benches.latency.workspace import Workspace
from benches.machine import machine

SECONDS, ROUNDS = 2.0, 3
OUTPUT = Path("benches/results/jitter.json")
SPANS = (
    "received_to_dequeued",
    "dequeued_to_acted",
    "received_to_acted",
    "preprocessed_to_inferred",
    "exposure_start_to_acted",
)


def measure(scenario: Scenario, *, seconds: float, rounds: int, folder: Path) -> dict[str, list[Segment]]:
    """Run all variants one after another, `rounds` times over: a slow moment of the machine hits all."""
    workspace = Workspace(folder)
    segments: dict[str, list[Segment]] = {name: [] for name in VARIANTS}
    for _ in range(rounds):
        for name, done in segments.items():
            done.append(run_segment(condition_of(scenario, name), workspace, seconds))
    return segments


def results(scenario: Scenario, segments: dict[str, list[Segment]]) -> dict[str, Any]:
    """The scenario's entry of the report."""
    base = [segment.times[scenario.span] for segment in segments["none"]]
    return {
        "about": scenario.about,
        "source": scenario.condition.source,
        "span": scenario.span,
        "variants": {name: _variant(done, scenario.span, base) for name, done in segments.items()},
    }


def _variant(done: list[Segment], span: str, base: list[Durations]) -> dict[str, Any]:
    drops = sum((segment.counts.drops for segment in done), start=type(done[0].counts.drops)())
    return {
        "spans": {name: summary(_pooled(done, name)) for name in SPANS},
        "outside_network": summary(_outside_network(done)),
        "p99_over_p50": _tail(done, span),
        "p50_over_none": ratios([segment.times[span] for segment in done], base),
        "drops": dict(drops),
        "granted": done[-1].granted,
    }


def _pooled(done: list[Segment], span: str) -> Durations:
    return np.concatenate([segment.times[span] for segment in done])


def _outside_network(done: list[Segment]) -> Durations:
    """From the ring to the action without the network, ns; each frame of these scenarios has an action."""
    whole, network = _pooled(done, "dequeued_to_acted"), _pooled(done, "preprocessed_to_inferred")
    return whole - network if len(whole) == len(network) else whole[:0]


def _tail(done: list[Segment], span: str) -> dict[str, float]:
    """p99 over p50 of each round: median, smallest and largest."""
    found = [np.percentile(segment.times[span], 99) / np.median(segment.times[span]) for segment in done]
    values = {"median": np.median(found), "min": np.min(found), "max": np.max(found)}
    return {name: round(float(value), 3) for name, value in values.items()}


def text(name: str, result: dict[str, Any]) -> str:
    """A scenario as lines for a terminal."""
    lines = [f"{name}: {result['about']}; {result['source']}; {result['span']}, us"]
    for variant, found in result["variants"].items():
        numbers, outside = found["spans"][result["span"]], found["outside_network"]
        shown = "  ".join(f"{key[:-3]} {numbers[key]:>8.1f}" for key in numbers if key != "n")
        wake = found["spans"]["received_to_dequeued"].get("p50_us", float("nan"))
        lines.append(
            f"  {variant:<12}{shown}  n {numbers['n']}  p99/p50 {found['p99_over_p50']['median']:.2f}  "
            f"wake p50 {wake:.1f}  outside p50 {outside.get('p50_us', float('nan')):.1f}  "
            f"fifo {found['granted']['fifo']}  drops {found['drops']}"
        )
    return "\n".join(lines)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benches.jitter", description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help=f"of a variant in a round ({SECONDS:g})"
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"each runs every variant once ({ROUNDS})")
    parser.add_argument(
        "--scenarios",
        default="",
        help="comma separated, default all: " + ", ".join(scenario.name for scenario in SCENARIOS),
    )
    parser.add_argument("--output", type=Path, default=OUTPUT, help=f"JSON file, added to ({OUTPUT})")
    options = parser.parse_args(arguments)
    try:
        options.scenarios = chosen(options.scenarios)
    except ValueError as error:
        parser.error(str(error))
    if options.seconds <= 0 or options.rounds < 1:
        parser.error("--seconds must be above 0, --rounds at least 1")
    return options


def main() -> None:
    options = parse()
    fingerprint = machine()  # before the bench loads the machine itself
    settings = {"seconds": options.seconds, "rounds": options.rounds}
    for scenario in options.scenarios:
        with tempfile.TemporaryDirectory(prefix="fastpose-bench-") as folder:
            segments = measure(scenario, folder=Path(folder), **settings)
        found = results(scenario, segments)
        add_to(options.output, "scenarios", scenario.name, found | {"machine": fingerprint, **settings})
        print(text(scenario.name, found), flush=True)
    print(f"-> {options.output}")


def add_to(path: Path, section: str, name: str, found: dict[str, Any]) -> None:
    """Write one entry into the JSON file and leave the others."""
    content: dict[str, Any] = {"bench": "jitter"}
    if path.exists():
        content = json.loads(path.read_text(encoding="utf-8"))
    content.setdefault(section, {})[name] = found
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""Several animals: ``python -m benches.animals`` prints what they cost and how well identity holds.

Identity is measured on trajectories of three mice: the folder trimouse-poses below FASTPOSE_DATA.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from benches.animals import identity, timing
from benches.machine import machine

DATA = Path(os.environ.get("FASTPOSE_DATA", "../shared/data"))
TRACKLETS = Path("trimouse-poses", "trimouse_tracklets.npz")
ROUNDS = 5  # shuffles of each condition

Result = dict[str, Any]


def timings(calls: int) -> Result:
    """Return and print the percentiles of each case."""
    found = {case.name: timing.measure(case, calls) for case in timing.CASES}
    for name, stages in found.items():
        print(f"\n{name} (n {stages['together']['n']:,}, us)")
        print(f"{'':<14}" + "".join(f"{title:>10}" for title in ("p50", "p90", "p99", "p99.9", "max")))
        for stage, numbers in stages.items():
            values = [value for key, value in numbers.items() if key != "n"]
            print(f"  {stage:<12}" + "".join(f"{value:>10.1f}" for value in values))
    return found


def identities(tracklets: Path) -> Result:
    """Return and print the scores of each condition and method, summed over some shuffles."""
    with np.load(tracklets, allow_pickle=False) as file:
        poses, rate_hz = file["trk"].swapaxes(0, 1), float(file["fps"])  # (frames, individuals, K, 3)
    found: Result = {}
    for condition in identity.CONDITIONS:
        rounds = [identity.measure(poses, rate_hz, condition, seed) for seed in range(ROUNDS)]
        found[condition.name] = {
            method: _pooled([each[method] for each in rounds]) for method in identity.METHODS
        }
        _print_condition(condition.name, found[condition.name])
    return found


def _pooled(rounds: list[Result]) -> Result:
    total = {
        key: sum(each[key] for each in rounds)
        for key in ("frames", "switches", "crossings", "crossings_held")
    }
    return {
        **total,
        "switches_per_1000_frames": round(1000 * total["switches"] / total["frames"], 2),
        "right": round(float(np.mean([each["right"] for each in rounds])), 4),
    }


def _print_condition(name: str, methods: Result) -> None:
    print(f"\n{name}: {methods['fastpose']['frames']:,} frames")
    print(f"{'':<22}{'switches':>10}{'per 1000':>10}{'right slot':>12}{'crossings held':>20}")
    for method, numbers in methods.items():
        held = f"{numbers['crossings_held']} of {numbers['crossings']}"
        print(
            f"  {method:<20}{numbers['switches']:>10}{numbers['switches_per_1000_frames']:>10.2f}"
            f"{100 * numbers['right']:>11.2f}%{held:>20}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benches.animals", description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000, help="frames of each case (default 20000)")
    parser.add_argument("--output", type=Path, default=Path("benches/results/animals.json"))
    arguments = parser.parse_args()
    report: Result = {"machine": machine(), "timing": timings(arguments.calls)}
    if (DATA / TRACKLETS).exists():
        report["identity"] = identities(DATA / TRACKLETS)
    else:
        print(f"\nno {TRACKLETS} in FASTPOSE_DATA={DATA}: identity is not measured")
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(report, indent=1) + "\n")
    print(f"\n{report['machine']}\n-> {arguments.output}")


if __name__ == "__main__":
    main()

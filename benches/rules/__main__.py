"""``python -m benches.rules``: what 20 rules over 20 body parts, a protocol and its interlock cost a frame.

Measured in C++ on the thread that asks, from the filtered pose to the last command carried out; outputs are
simulated lines, so that the cost of a device is not in it. Goal: p50 <= 10 us, p99 <= 50 us.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from benches.machine import machine
from benches.rules.case import RATE_HZ, Case, make_case, make_poses, measure_each
from numpy.typing import NDArray

from fastpose import _core

STAGES = ("rules", "protocol", "interlock")
GOAL = {"p50_us": 10.0, "p99_us": 50.0}

Result = dict[str, Any]


def measure(case: Case, calls: int) -> Result:
    """Return percentiles of each stage and of their sum, us."""
    poses = make_poses(case.bodyparts)
    warm_up = max(2000, calls // 10)
    times = _core.time_behaviour_ns(
        case.rules,
        case.protocol,
        case.interlock,
        poses,
        calls=calls + warm_up,
        step_ns=round(1e9 / RATE_HZ),
    )[warm_up:]
    stages = dict(zip(STAGES, times.T, strict=True)) | {"together": times.sum(axis=1)}
    return {name: _percentiles(values) for name, values in stages.items()}


def _percentiles(times_ns: NDArray[np.int64]) -> dict[str, float]:
    p50, p90, p99, p99_9, most = np.percentile(times_ns, [50, 90, 99, 99.9, 100]) / 1e3
    named = {"p50_us": p50, "p90_us": p90, "p99_us": p99, "p99_9_us": p99_9, "max_us": most}
    return {name: round(float(value), 2) for name, value in named.items()} | {"n": len(times_ns)}


def print_report(report: Result) -> None:
    """Print the stages, then each rule's own cost."""
    stages = report["stages"]
    print(f"20 rules over 20 body parts, protocol, interlock (n {stages['together']['n']:,}, us)")
    print(f"{'':<14}" + "".join(f"{title:>10}" for title in ("p50", "p90", "p99", "p99.9", "max")))
    for stage, numbers in stages.items():
        values = [value for key, value in numbers.items() if key != "n"]
        print(f"  {stage:<12}" + "".join(f"{value:>10.2f}" for value in values))
    print("\neach rule alone, mean us")
    for name, cost_us in report["each_us"].items():
        print(f"  {name:<20}{cost_us:>8.3f}")
    for name, limit in GOAL.items():
        found = stages["together"][name]
        print(f"{name} {found:g}: {'reached' if found <= limit else 'MISSED'}, goal {limit:g}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benches.rules", description=__doc__)
    parser.add_argument("--calls", type=int, default=200_000, help="frames (default 200000)")
    parser.add_argument("--output", type=Path, default=Path("benches/results/rules.json"))
    arguments = parser.parse_args()
    case = make_case()
    report: Result = {
        "machine": machine(),
        "stages": measure(case, arguments.calls),
        "each_us": measure_each(),
    }
    print_report(report)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(report, indent=1) + "\n")
    print(f"\n{report['machine']}\n-> {arguments.output}")


if __name__ == "__main__":
    main()

"""Command line of the micro benches: prints a table and writes a JSON file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
from benches.micro import decode, preprocess
from benches.micro.timing import Contestant, interleaved, machine, ratio, summary

BASELINES = ("plain", "careful")


def measure(name: str, contestants: list[Contestant], rounds: int, clock: str) -> dict[str, Any]:
    times = interleaved(contestants, rounds, clock)
    result: dict[str, Any] = {"case": name, "times": {key: summary(value) for key, value in times.items()}}
    result["faster_than"] = {
        key: {baseline: ratio(times[baseline], value) for baseline in BASELINES}
        for key, value in times.items()
        if key not in BASELINES
    }
    return result


def print_table(results: list[dict[str, Any]]) -> None:
    columns = "".join(f"{title:>10}" for title in ("min us", "p50 us", "p99 us", "n"))
    columns = f"{'':<26}{columns}   times faster than plain, careful: median (p10-p90)"
    for result in results:
        print(f"\n{result['case']}\n{columns}")
        for name, numbers in result["times"].items():
            values = "".join(f"{numbers[key]:>10.1f}" for key in ("min_us", "p50_us", "p99_us"))
            line = f"  {name:<24}{values}{numbers['n']:>10}"
            for each in result["faster_than"].get(name, {}).values():
                line += f"   {each['median']:.1f} ({each['p10']:.1f}-{each['p90']:.1f})"
            print(line)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benches.micro", description=__doc__)
    parser.add_argument("--rounds", type=int, default=300, help="calls of each contestant (default 300)")
    parser.add_argument("--isa", default="auto", help="comma separated: auto, scalar, avx2, avx512")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall", help="cpu: time the thread ran")
    parser.add_argument("--case", default="", help="only cases whose name contains this")
    parser.add_argument("--output", type=Path, default=Path("benches/results/micro.json"))
    arguments = parser.parse_args()
    cv2.setNumThreads(1)  # as fastpose: one thread
    results = []
    for stage in (preprocess, decode):
        for case in stage.CASES:
            if arguments.case in case.name:
                contestants = stage.contestants(case, arguments.isa.split(","))
                results.append(measure(case.name, contestants, arguments.rounds, arguments.clock))
    print_table(results)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    report = {"machine": machine(), "clock": arguments.clock, "results": results}
    arguments.output.write_text(json.dumps(report, indent=1) + "\n")
    print(f"\n{machine()}\n-> {arguments.output}")


if __name__ == "__main__":
    main()

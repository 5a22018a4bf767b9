"""Other tools beside fastpose: the same weights, the same frames, in one run, taking turns.

    python -m benches.compare [--quick] [--only resnet50_gn_256,unet] [--systems deeplabcut-live,fastpose]

Builds an environment for each tool with pinned versions (in the cache folder; reused when it is there), makes
the weights, imports them, and measures. Writes benches/results/compare.json and compare.png; `python -m
benches.table` puts the table into the README. Losses are printed too.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from benches.compare.cases import Case, chosen
from benches.compare.child import ToolError
from benches.compare.environments import BuildError, cache_folder, python_of, versions_of
from benches.compare.limit import measured_peaks, with_limits
from benches.compare.operations import graph_macs, network_shape
from benches.compare.prepare import Prepared, Workshop
from benches.compare.report import lines, lost
from benches.compare.rounds import Plan, run_case
from benches.compare.systems import ENVIRONMENTS, SYSTEMS
from benches.machine import machine

from fastpose.errors import FastposeError
from fastpose.model_package import read_model_package

__all__ = ["main", "parse"]

OUTPUT = Path("benches/results/compare.json")
QUICK = {"rounds": 2, "frames": 2, "seconds": 0.0, "poses": 4}


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Options; a wrong one ends the program with a line."""
    parser = argparse.ArgumentParser(
        prog="python -m benches.compare", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--only", default="", help="words in the names of cases, separated by commas")
    parser.add_argument("--systems", default="", help="words in the names of systems; default: all")
    parser.add_argument("--quick", action="store_true", help="2 rounds of 2 frames: does it run?")
    parser.add_argument("--rounds", type=int, default=Plan.rounds)
    parser.add_argument("--frames", type=int, default=Plan.frames, help="in a block, at least")
    parser.add_argument("--seconds", type=float, default=Plan.seconds, help="of a block, at least")
    parser.add_argument("--cores", type=int, default=2, help="for every system")
    parser.add_argument("--cache", type=Path, default=cache_folder(), help="environments, weights, frames")
    parser.add_argument("--environments", type=Path, help="folder of environments named as the systems are")
    parser.add_argument("--python", action="append", default=[], metavar="ENVIRONMENT=PATH")
    parser.add_argument("--prepare", action="store_true", help="build and make everything, measure nothing")
    parser.add_argument("--no-optimize", action="store_true", help="leave packages without int8 as they are")
    parser.add_argument("--no-tune", action="store_true", help="leave the threads of fastpose at its default")
    parser.add_argument("--merge", action="store_true", help="keep the other cases of the output")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    asked = parser.parse_args(arguments)
    try:
        asked.cases = chosen(asked.only)
        asked.pythons = _pythons(asked.environments, asked.python)
    except ValueError as error:
        parser.error(str(error))
    return asked


def _pythons(folder: Path | None, given: list[str]) -> dict[str, str]:
    """Pythons of ready environments, by name."""
    found = {}
    for name in ENVIRONMENTS:
        python = folder / name / "bin" / "python" if folder else None
        if python is not None and python.exists():
            found[name] = str(python)
    for each in given:
        name, _, path = each.partition("=")
        if name not in ENVIRONMENTS or not path:
            raise ValueError(f"--python {each!r}; allowed: NAME=PATH, NAME one of {', '.join(ENVIRONMENTS)}")
        found[name] = path
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Prepare, measure, print, write."""
    asked = parse(arguments)
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[: asked.cores]))
    asked.cache.mkdir(parents=True, exist_ok=True)
    pythons = _Pythons(asked)
    workshop = Workshop(asked.cache, pythons)
    ready, failed = _prepared(asked, workshop)
    if asked.prepare:
        print("\n".join([*(f"ready: {each.case.name}" for each, _ in ready), *failed]))
        return 0
    kept = json.loads(asked.output.read_text("utf-8")) if asked.merge and asked.output.exists() else None
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    report: dict[str, Any] = {"results": []}
    for so_far in _measured(asked, workshop, pythons, ready, failed):
        report = so_far if kept is None else _merged(kept, so_far)
        asked.output.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    _plot(report, asked.output)
    print(lost(report))
    return 0


class _Pythons:
    """Environment to its Python; builds it once, and remembers why it cannot be built."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self._found = cache(lambda name: self._ask(name, asked))

    @staticmethod
    def _ask(name: str, asked: argparse.Namespace) -> str | BuildError:
        try:
            return python_of(name, asked.pythons, asked.cache / "environments")
        except BuildError as error:
            print(f"{name}: {error}", file=sys.stderr)
            return error

    def __call__(self, name: str) -> str:
        found = self._found(name)
        if isinstance(found, BuildError):
            raise found
        return found


def _prepared(
    asked: argparse.Namespace, workshop: Workshop
) -> tuple[list[tuple[Prepared, dict[str, str]]], list[str]]:
    """Cases with the systems that cannot take part and why, and a line for each that cannot be made."""
    ready, failed = [], []
    for case in asked.cases:
        try:
            prepared = workshop.prepare(case)
        except (ToolError, BuildError, FastposeError) as error:
            failed.append(f"{case.name}: {error}")
            print(failed[-1], file=sys.stderr)
            continue
        unready = _left_out(case, asked.systems)
        reason = "" if asked.no_optimize else workshop.optimize(prepared)
        if reason:
            print(f"{case.name}: {reason}", file=sys.stderr)
            unready.setdefault("fastpose int8", reason)
        ready.append((prepared, unready))
    return ready, failed


def _left_out(case: Case, words: str) -> dict[str, str]:
    asked = [word for word in words.split(",") if word]
    taken = [name for name in case.systems if not asked or any(word in name for word in asked)]
    return {name: "left out by --systems" for name in case.systems if name not in taken}


def _measured(
    asked: argparse.Namespace,
    workshop: Workshop,
    pythons: _Pythons,
    ready: list[tuple[Prepared, dict[str, str]]],
    failed: list[str],
) -> Iterator[dict[str, Any]]:
    """The report after each case: a run that is broken off loses one case."""
    wanted = {"rounds": asked.rounds, "frames": asked.frames, "seconds": asked.seconds}
    plan = Plan(**{**wanted, **(QUICK if asked.quick else {})}, threads=asked.cores)
    fingerprint, started = machine(("fastpose-rig", "numpy", "openvino", "torch")), time.monotonic()
    peaks = measured_peaks(asked.cores)
    print(f"peak, GOP/s: {peaks['best']}", flush=True)
    results: list[dict[str, Any]] = []
    used = {SYSTEMS[name].environment for prepared, _ in ready for name in prepared.case.systems}
    versions = {name: _versions(name, pythons) for name in sorted(used)}
    for prepared, unready in ready:
        log = asked.cache / f"{prepared.case.name}.log"
        untuned = "left out by --no-tune" if asked.no_tune else workshop.tune(prepared)
        result = run_case(prepared, plan, pythons, log, unready)
        result = with_limits(result, _macs(prepared), peaks["best"])
        result["tuned"] = untuned or "by fastpose tune"
        print("\n".join(lines(result)), flush=True)
        results.append(result)
        minutes = round((time.monotonic() - started) / 60, 1)
        yield {
            "machine": fingerprint,
            "settings": {**vars(plan), "cores": asked.cores, "minutes": minutes},
            "versions": versions,
            "peaks_gops": peaks,
            "failed": failed,
            "results": list(results),
        }


def _versions(name: str, pythons: _Pythons) -> dict[str, str]:
    try:
        return versions_of(pythons(name), ENVIRONMENTS[name].versions)
    except BuildError as error:
        return {"missing": str(error)}


def _macs(prepared: Prepared) -> dict[str, int]:
    package = read_model_package(prepared.package)
    sizes = {"frame": prepared.case.size} | ({"roi": prepared.case.roi} if prepared.case.roi else {})
    multiple, file = package.padding.multiple, prepared.package / "model.onnx"
    return {
        seen: graph_macs(file, network_shape(size, package.channels, multiple))
        for seen, size in sizes.items()
    }


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Cases that were not run again stay, with the day on which they were."""
    again = {result["case"] for result in new["results"]}
    kept = [
        result | {"measured": result.get("measured", old["machine"]["date"])}
        for result in old["results"]
        if result["case"] not in again
    ]
    return new | {"versions": old["versions"] | new["versions"], "results": kept + new["results"]}


def _plot(report: dict[str, Any], output: Path) -> None:
    from benches.compare.plot import draw

    try:
        draw(report, output.with_suffix(".png"))
    except ImportError:
        print('no plot: it needs matplotlib, pip install "fastpose-rig[dev]"', file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())

"""DLCLive here and DeepLabCut-live's own, on the same exports and frames: how long a call of get_pose takes.

Two processes take turns, block by block, so that what else runs on the machine meets both. The original runs
in an environment of its own: ``nox -s bench_dlclive`` makes one.

    python -m benches.compare.deeplabcut_live --original PYTHON [--rounds 8] [--frames 12] [--only CASE ...]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from benches.machine import machine
from tools.oracles.dlc_live_cases import CONFIG

__all__ = ["CASES", "main", "summary"]

OUTPUT = Path("benches/results/compare_deeplabcut_live.json")
SIDE = Path(__file__).with_name("deeplabcut_live_side.py")
GOLDEN = Path("tests/python/golden/dlc")
PLAIN = {"width": 320, "height": 240, "grey": False}

CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "grey": {"frames": {"grey": True}},
    "crop": {"options": {"cropping": [40, 280, 30, 210]}},
    "resize": {"options": {"resize": 0.5}},
    "dynamic": {"options": {"dynamic": [True, 0.5, 20]}},
}
"""Options of DLCLive and changes to the frames, by case."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--original", required=True, help="Python of the environment with DeepLabCut-live")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--frames", type=int, default=12, help="in a block")
    parser.add_argument("--cores", type=int, help="of the machine, for both; default: all")
    parser.add_argument("--only", nargs="*", choices=tuple(CASES), default=tuple(CASES))
    parser.add_argument("--output", type=Path, default=OUTPUT)
    asked = parser.parse_args(arguments)
    if asked.cores:
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[: asked.cores]))
    results = measured(asked.original, asked.only, asked.rounds, asked.frames)
    settings = {
        "rounds": asked.rounds,
        "frames_in_a_block": asked.frames,
        "frame_size": [320, 240],
        "cores": asked.cores,
    }
    report = {"machine": machine(), "original": _versions(asked.original), "settings": settings}
    asked.output.write_text(json.dumps(report | {"results": results}, indent=1) + "\n", "utf-8")
    print(table(results))


def measured(original: str, names: Sequence[str], rounds: int, frames: int) -> list[dict[str, Any]]:
    """One row for each network and case."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sides = [
            stack.enter_context(_Side(original, "dlclive")),
            stack.enter_context(_Side(sys.executable, "fastpose.dlclive")),
        ]
        rows = []
        for network, config in networks().items():
            export = str(folder / f"{network}.pt")
            sides[0].ask({"write": network, "to": export, "config": config})
            for name in names:
                rows.append({"network": network, "case": name, **_case(sides, export, name, rounds, frames)})
                print(table(rows[-1:]), flush=True)
        return rows


def networks() -> dict[str, dict[str, Any]]:
    """Configs of exports: a large network and a small one."""
    with np.load(GOLDEN / "cspnext_s.npz", allow_pickle=False) as file:
        return {"resnet_50": CONFIG, "cspnext_s": json.loads(str(file["config"]))}


def _case(sides: list[_Side], export: str, name: str, rounds: int, frames: int) -> dict[str, Any]:
    case = CASES[name]
    asked = {"open": export, "options": case.get("options", {}), "frames": PLAIN | case.get("frames", {})}
    poses = [np.array(side.ask(asked)) for side in sides]
    blocks: list[list[list[int]]] = [[], []]
    for number in range(rounds):
        for which in (0, 1) if number % 2 == 0 else (1, 0):
            blocks[which].append(sides[which].ask({"run": frames}))
    apart = np.abs(poses[0] - poses[1]).reshape(-1, 3).max(axis=0)
    found = {"largest_difference": {"px": float(apart[:2].max()), "likelihood": float(apart[2])}}
    return found | summary(*blocks)


def summary(original: list[list[int]], ours: list[list[int]]) -> dict[str, Any]:
    """Percentiles of both sides, and the ratio of medians round by round.

    Parameters
    ----------
    original, ours : list
        (rounds, frames) ns.

    Notes
    -----
    ``of_fastest`` is the ratio of the fastest calls: what is left when nothing else ran.
    """
    ratios = np.median(ours, axis=1) / np.median(original, axis=1)
    return {
        "original": _percentiles(original),
        "fastpose": _percentiles(ours),
        "ratio": {
            "median": round(float(np.median(ratios)), 3),
            "min": round(float(ratios.min()), 3),
            "max": round(float(ratios.max()), 3),
            "rounds": len(ratios),
            "of_fastest": round(float(np.min(ours) / np.min(original)), 3),
        },
    }


def _percentiles(blocks: list[list[int]]) -> dict[str, float]:
    ms = np.concatenate(blocks) / 1e6
    found = {f"p{p}_ms": round(float(np.percentile(ms, p)), 3) for p in (50, 90, 99)}
    return {"min_ms": round(float(ms.min()), 3), **found, "max_ms": round(float(ms.max()), 3), "n": len(ms)}


def table(rows: list[dict[str, Any]]) -> str:
    """One line for each row: medians and their ratio (below 1: fastpose is faster)."""
    return "\n".join(
        f"{row['network']:<10} {row['case']:<8} DeepLabCut-live p50 {row['original']['p50_ms']:8.2f} ms  "
        f"fastpose p50 {row['fastpose']['p50_ms']:8.2f} ms  ratio {row['ratio']['median']:.2f} "
        f"({row['ratio']['min']:.2f}-{row['ratio']['max']:.2f}, "
        f"fastest {row['ratio']['of_fastest']:.2f})  n {row['fastpose']['n']}  "
        f"apart {row['largest_difference']['px']:.1g} px"
        for row in rows
    )


def _versions(python: str) -> dict[str, str]:
    code = (
        "from importlib.metadata import version as v; import json;"
        "print(json.dumps({n: v(n) for n in ('deeplabcut-live', 'torch', 'numpy')}))"
    )
    found = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout
    return dict(json.loads(found))


class _Side:
    """A process with one of the two packages."""

    def __init__(self, python: str, module: str) -> None:
        self._command = [python, str(SIDE), module]
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> _Side:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def ask(self, what: dict[str, Any]) -> Any:
        """Send a line and wait for the answer."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(self._command)} ended; its error stands above")
        return json.loads(line)


if __name__ == "__main__":
    main()

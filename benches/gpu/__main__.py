"""Parity, latency, the comparison with PyTorch and the roofline on this machine's GPU.

    python -m benches.gpu [--device cuda:0] [--runtime auto] [--seconds 6] [--json FILE] [--dry]

Prints one table and writes JSON (benches/results/gpu.json). `--dry` goes through the steps that need no GPU:
networks and their forms, the reference on the CPU, PyTorch's loop on the CPU; its numbers are no result and
are written nowhere unless --json says so.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benches.gpu.measure import batches, cpu_poses, in_turns, latency, opened, parity
from benches.gpu.networks import CASES, Case, frames_of, prepared, torch_network
from benches.gpu.plain_torch import PlainTorch
from benches.gpu.roofline import least_ms, measured_peaks, operations_of
from benches.machine import machine

from fastpose.cuda.gpu import find_gpu
from fastpose.errors import FastposeError

RESULT = Path(__file__).parents[1] / "results" / "gpu.json"
PRECISIONS = ("fp32", "fp16")
LIMITS_PX = {"fp32": 0.01, "fp16": 0.2}
MIN_RATIO = 6.0


def main() -> int:
    """Measure, print, write; 1 where a step failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--runtime", default="auto")
    parser.add_argument("--seconds", type=float, default=6.0, help="for each measurement")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--dry", action="store_true", help="without a GPU, as far as it goes")
    parser.add_argument("--case", nargs="+", choices=[case.name for case in CASES])
    chosen = parser.parse_args()
    cases = [case for case in CASES if chosen.case is None or case.name in chosen.case]
    with TemporaryDirectory() as folder:
        content = dry(cases, Path(folder)) if chosen.dry else measured(chosen, cases, Path(folder))
    target = chosen.json or (None if chosen.dry else RESULT)
    if target is not None:
        target.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print_table(content)
    return int(bool(content["failed"]))


def measured(chosen: argparse.Namespace, cases: list[Case], folder: Path) -> dict[str, Any]:
    """Everything, on a GPU."""
    gpu = find_gpu(chosen.device)
    content: dict[str, Any] = {
        "machine": machine(("fastpose-rig", "numpy", "torch", "tensorrt", "tensorrt-rtx")),
        "gpu": {"name": gpu.name, "capability": gpu.sm, "driver_cuda": gpu.driver},
        "peaks": measured_peaks(chosen.device),
        "cases": {},
        "failed": [],
    }
    for case in cases:
        content["cases"][case.name] = _case(case, chosen, folder, content)
    return content


def _case(case: Case, chosen: argparse.Namespace, folder: Path, content: dict[str, Any]) -> dict[str, Any]:
    package = prepared(case, folder)
    reference, row = cpu_poses(package, case, 8), dict[str, Any]()
    width, height = case.input_size or case.size
    cost = operations_of(package.network, (1, package.channels, height, width))
    for precision in PRECISIONS:
        model = opened(package, case, chosen.device, precision, chosen.runtime)
        steps: dict[str, Callable[[], Any]] = {
            "parity": partial(parity, model, reference, case),
            "latency": partial(latency, model, case, chosen.seconds),
            "least_ms": partial(least_ms, cost, content["peaks"], precision),
        }
        if case.network == "resnet_50" and precision == "fp16":
            steps["in_turns"] = partial(in_turns, model, case, chosen.device, chosen.seconds)
            steps["batches"] = partial(batches, model, case, chosen.device, chosen.seconds)
        row[precision] = {
            name: _tried(f"{case.name} {precision} {name}", step, content) for name, step in steps.items()
        }
        row[precision]["runs"] = repr(model)
        _judge(case, precision, row[precision], content)
    return row


def _tried(name: str, step: Callable[[], Any], content: dict[str, Any]) -> Any:
    """What a step gives; a step that fails is noted, and the others go on."""
    try:
        return step()
    except (FastposeError, RuntimeError, OSError, ValueError) as error:
        content["failed"].append(f"{name}: {' '.join(str(error).split())}")
        return None


def _judge(case: Case, precision: str, row: dict[str, Any], content: dict[str, Any]) -> None:
    """Parity decides; goals of speed are said beside the number, met or not."""
    found = row["parity"]
    if found is not None and not found["mean_px"] <= LIMITS_PX[precision]:
        content["failed"].append(f"{case.name} {precision}: {found['mean_px']} px from the CPU")
    if precision == "fp16" and case.goal_p50_ms is not None and row["latency"] is not None:
        row["goal"] = {
            "p50_ms": case.goal_p50_ms,
            "met": row["latency"]["p50_ms"] <= case.goal_p50_ms,
        }


def dry(cases: list[Case], folder: Path) -> dict[str, Any]:
    """The steps that need no GPU."""
    content: dict[str, Any] = {"machine": machine(), "dry": True, "cases": {}, "failed": []}
    for case in cases:
        row = _tried(case.name, partial(_dry_case, case, folder), content)
        if row is not None:
            content["cases"][case.name] = row
    return content


def _dry_case(case: Case, folder: Path) -> dict[str, Any]:
    package = prepared(case, folder)
    width, height = case.input_size or case.size
    row: dict[str, Any] = operations_of(package.network, (1, package.channels, height, width))
    reference = cpu_poses(package, case, 1)
    row["keypoints"] = int((reference[..., 2] > 0.1).sum())
    if case.network == "resnet_50":
        theirs = PlainTorch(torch_network(), "cpu").poses(frames_of(case)[:1])
        row["plain_torch_max_px"] = apart = float(abs(theirs[..., :2] - reference[..., :2]).max())
        if not apart <= LIMITS_PX["fp32"]:
            raise ValueError(f"plain PyTorch gives poses {apart:.3g} px from ours: not the same work")
    return row


def print_table(content: dict[str, Any]) -> None:
    """One table, then what failed."""
    if content.get("dry"):
        for name, row in content["cases"].items():
            print(f"{name}: {row}")
    else:
        gpu = content["gpu"]
        print(f"\n{gpu['name']} ({gpu['capability']}), driver for CUDA {gpu['driver_cuda']}")
        head = f"{'case':<22}{'':<6}{'p50 ms':>9}{'p99 ms':>9}{'least':>8}{'px':>9}{'around us':>11}"
        print(f"{head}  goal, ratio")
        for name, rows in content["cases"].items():
            for precision, row in rows.items():
                print(_line(name, precision, row))
    for line in content["failed"]:
        print(f"FAILED {line}")


def _line(name: str, precision: str, row: dict[str, Any]) -> str:
    took, apart = row["latency"] or {}, row["parity"] or {}
    cells = (took.get("p50_ms"), took.get("p99_ms"), row["least_ms"], apart.get("mean_px"))
    texts = ("-" if cell is None else f"{cell:.4g}" for cell in cells)
    shown = "".join(f"{text:>{width}}" for text, width in zip(texts, (9, 9, 8, 9), strict=True))
    goal = row.get("goal")
    told = f"  <= {goal['p50_ms']} ms: {'met' if goal['met'] else 'NOT MET'}" if goal else ""
    turns, many = row.get("in_turns"), row.get("batches")
    told += f", {turns['torch_fp32_ratio']} x torch fp32 (goal {MIN_RATIO:g})" if turns else ""
    told += f", batches {many['ours_fps']} fps, {many['ratio']} x" if many else ""
    return f"{name:<22}{precision:<6}{shown}{took.get('all_but_the_network_us', '-'):>11}{told}"


if __name__ == "__main__":
    sys.exit(main())

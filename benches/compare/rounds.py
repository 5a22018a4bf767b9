"""Runs the systems of one case in turns, block by block, each in its own process."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benches.compare.child import Child, ToolError
from benches.compare.environments import BuildError
from benches.compare.prepare import Prepared
from benches.compare.summary import distance, percentiles, ratio
from benches.compare.systems import MARGIN_PX, MIN_LIKELIHOOD, SYSTEMS, System

__all__ = ["Plan", "block_size", "run_case"]

PAUSE_S = 0.05
"""Between blocks: threads of the last one stop spinning."""
LONGEST_S, FEWEST = 4.0, 2
"""A block of a slow system has no more frames than last so long, but at least so many."""
KINDS = ("pose", "network")


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes
    ----------
    rounds : int
        Blocks of each system.
    frames : int
        In a block, at least.
    seconds : float
        Of a block, at least; fast systems run more frames.
    poses : int
        Frames whose poses are compared.
    threads : int
        Of every system.
    """

    rounds: int = 8
    frames: int = 8
    seconds: float = 0.3
    poses: int = 16
    threads: int = 2


@dataclass
class _Row:
    """What one system gave so far."""

    system: System
    child: Child
    about: dict[str, Any] = field(default_factory=dict)
    poses: list[Any] = field(default_factory=list)
    blocks: dict[str, list[list[int]]] = field(default_factory=dict)
    cpu_ns: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    peak_kb: int = 0


def run_case(
    prepared: Prepared, plan: Plan, python_of: Callable[[str], str], log: Path, unready: dict[str, str]
) -> dict[str, Any]:
    """Measure a case.

    Parameters
    ----------
    prepared : Prepared
    plan : Plan
    python_of : callable
        Environment to its Python; BuildError where there is none.
    log : Path
        What the tools say beside their answers.
    unready : dict
        Systems that cannot run, and why.

    Returns
    -------
    dict
        A block of compare.json: ``systems`` by name, each with numbers or the reason why there are none.
    """
    reasons = dict(unready)
    with ExitStack() as stack:
        rows = []
        for name in prepared.case.systems:
            if name in reasons:
                continue
            try:
                rows.append(_opened(stack, SYSTEMS[name], prepared, plan, python_of, log))
            except (ToolError, BuildError) as error:
                reasons[name] = str(error)
        for row in rows:
            _first(row, prepared, plan)
        for number in range(plan.rounds):
            for row in _turned(rows, number):
                _block(row, plan)
        for row in rows:
            row.peak_kb = row.child.ask(memory=True)["peak_kb"]
    return _result(prepared, rows, reasons)


def _opened(
    stack: ExitStack,
    system: System,
    prepared: Prepared,
    plan: Plan,
    python_of: Callable[[str], str],
    log: Path,
) -> _Row:
    child = stack.enter_context(Child(python_of(system.environment), system.side, log))
    options = prepared.options() | {"threads": plan.threads} | system.options
    if system.side == "ours" and prepared.case.roi:
        options |= {"roi": list(prepared.case.roi), "margin_px": MARGIN_PX, "min_likelihood": MIN_LIKELIHOOD}
    return _Row(system, child, about=child.ask(open=options)["about"])


def _first(row: _Row, prepared: Prepared, plan: Plan) -> None:
    """Poses, and how many frames fill a block; what a system cannot do is left out."""
    decodes = bool(prepared.options()["network"]["from_maps"]) or row.system.side not in ("ort", "ov")
    for kind in KINDS:
        try:
            if kind == "pose":
                if not decodes:
                    raise ToolError("its maps need the tool's own decoder")
                row.poses = row.child.ask(poses=plan.poses)
            ns = row.child.ask(run=2, what=kind)["ns"]
        except ToolError as error:
            row.missing[kind] = str(error)
            continue
        row.sizes[kind] = block_size(plan, min(ns))
        row.blocks[kind], row.cpu_ns[kind] = [], 0


def block_size(plan: Plan, ns: int) -> int:
    """Frames of a block for a system that needs so long for one: more where it is fast, fewer where slow."""
    frames = max(plan.frames, math.ceil(plan.seconds * 1e9 / ns))
    return max(FEWEST, min(frames, int(LONGEST_S * 1e9 / ns)))


def _turned(rows: list[_Row], number: int) -> list[_Row]:
    """Another one begins each round."""
    start = number % max(1, len(rows))
    return rows[start:] + rows[:start]


def _block(row: _Row, plan: Plan) -> None:
    for kind, size in row.sizes.items():
        time.sleep(PAUSE_S)
        answer = row.child.ask(run=size, what=kind)
        row.blocks[kind].append(answer["ns"])
        row.cpu_ns[kind] += answer["cpu_ns"]
        row.about |= answer["about"]


def _result(prepared: Prepared, rows: list[_Row], reasons: dict[str, str]) -> dict[str, Any]:
    case, by_name = prepared.case, {row.system.name: row for row in rows}
    base = by_name.get(case.reference)
    reference = base or next((row for row in rows if row.poses), None)
    found = {}
    for name in case.systems:
        row = by_name.get(name)
        found[name] = {"reason": reasons[name]} if row is None else _numbers(row, base, reference)
    return {
        "case": case.name,
        "title": case.title,
        "network": case.network,
        "size": list(case.size),
        "roi": list(case.roi) if case.roi else None,
        "about": prepared.about,
        "base": case.reference,
        "distance_to": reference.system.name if reference else None,
        "systems": found,
    }


def _numbers(row: _Row, base: _Row | None, reference: _Row | None) -> dict[str, Any]:
    found: dict[str, Any] = {"about": row.about, "peak_memory_mb": round(row.peak_kb / 1024)}
    for kind, blocks in row.blocks.items():
        count = sum(map(len, blocks))
        numbers = percentiles(blocks) | {"cpu_ms_per_frame": round(row.cpu_ns[kind] / count / 1e6, 3)}
        if base is not None and base is not row and kind in base.blocks:
            numbers["times_faster"] = ratio(base.blocks[kind], blocks)
        found[kind] = numbers
    if row.missing:
        found["missing"] = row.missing
    if reference is not None and row.poses and reference.poses:
        found["distance"] = distance(row.poses, reference.poses)
    return found

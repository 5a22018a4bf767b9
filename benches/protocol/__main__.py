"""The time of one step of a protocol: the native one, and the template in Cython, which does the same.

    python -m benches.protocol [--steps 200000] [--output benches/results/protocol.json]

Both give a pulse on the rising edge of a rule that turns with every frame, over 20 body parts. They are
measured in turns, alone and beside a Python thread that computes, on a thread that holds no Python lock: as
the loop calls them. Needs Cython and a C++ compiler.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from benches.latency.loads import beside
from benches.machine import machine

from fastpose import _core
from fastpose.compiling import compile_protocol
from fastpose.policy import policy_beside
from fastpose.templates import template

__all__ = ["main", "measure"]

OUTPUT = Path("benches/results/protocol.json")
BODYPARTS, ROUNDS = 20, 5
PERCENTILES = {"p50_us": 50, "p90_us": 90, "p99_us": 99, "p99.9_us": 99.9, "max_us": 100}
TARGET_US = 5.0  # of the compiled one over the native, p99


def native() -> _core.Protocol:
    """A pulse on the rising edge of the first rule."""
    return _core.ConditionalProtocol(rule=0, actions=[(0, "pulse", 50_000_000)])


def compiled(folder: Path) -> _core.Protocol:
    """The template in Cython, without its rest."""
    source = folder / "my_protocol.pyx"
    shutil.copy(template("cython"), source)
    compile_protocol(source)
    policy = policy_beside(source).policy
    return _core.PolicyProtocol(policy(["in_corner"], ["reward"], ["snout"], rest_s=0.0))


def measure(protocols: dict[str, _core.Protocol], load: str, steps: int) -> dict[str, Any]:
    """Percentiles of each, in turns, beside a load."""
    pose = np.random.default_rng(0).random((1, BODYPARTS, 3), np.float32)
    taken: dict[str, list[npt.NDArray[np.int64]]] = {name: [] for name in protocols}
    with beside(load):
        for _ in range(ROUNDS):
            for name, protocol in protocols.items():
                protocol.reset()
                taken[name].append(_core.protocol_cost(protocol, pose, [0], steps=steps // ROUNDS))
    return {name: _percentiles(np.concatenate(found)) for name, found in taken.items()}


def _percentiles(taken_ns: npt.NDArray[np.int64]) -> dict[str, float]:
    found = {name: round(float(np.percentile(taken_ns, p)) / 1e3, 3) for name, p in PERCENTILES.items()}
    return {"n": len(taken_ns), **found}


def main(arguments: list[str]) -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benches.protocol", description=__doc__)
    parser.add_argument("--steps", type=int, default=200_000)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="fastpose-protocol-") as folder:
        protocols = {"native": native(), "cython": compiled(Path(folder))}
        loads = {load: measure(protocols, load, options.steps) for load in ("idle", "python_thread")}
    for load, found in loads.items():
        for name, span in found.items():
            print(f"{load:<14} {name:<7} " + "  ".join(f"{key} {value:g}" for key, value in span.items()))
        more_us = round(found["cython"]["p99_us"] - found["native"]["p99_us"], 3)
        print(f"{load:<14} p99 over the native one: {more_us:g} us (target {TARGET_US:g})")
    content = {"machine": machine(), "bodyparts": BODYPARTS, "target_p99_over_native_us": TARGET_US, **loads}
    options.output.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

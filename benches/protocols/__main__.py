"""Times every step of a protocol: each example, and 20 states over 20 rules. Writes a JSON file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from benches.machine import machine

from fastpose import _core
from fastpose.assembly.states import make_state_machine
from fastpose.config import StatesProtocol, as_states, load_config

EXAMPLES = Path(__file__).parents[2] / "examples"
KINDS = ("conditional", "optogenetic", "trial", "states")
MANY = 20
PERIOD_NS = 5_000_000  # 200 frames a second


def machines() -> dict[str, tuple[_core.Protocol, int]]:
    """Protocols by name, each with the number of its rules."""
    made: dict[str, tuple[_core.Protocol, int]] = {}
    for kind in KINDS:
        config = load_config(EXAMPLES / f"{kind}.yaml")
        states = as_states(config.protocol)
        assert states is not None
        made[kind] = make_state_machine(states, list(config.rules), list(config.outputs)), len(config.rules)
    rules = [f"rule{i}" for i in range(MANY)]
    made[f"{MANY} states, {MANY} rules"] = make_state_machine(_large(rules), rules, ["laser"]), MANY
    return made


def _large(rules: list[str]) -> StatesProtocol:
    """Every state waits for every rule and for a time."""
    states = {
        f"s{i}": {
            "during": {"laser": "on"} if i % 2 else {},
            "next": [{"rises": rule, "to": f"s{(i + k) % MANY}"} for k, rule in enumerate(rules)]
            + [{"after_ms": 20, "to": f"s{(i + 1) % MANY}"}],
        }
        for i in range(MANY)
    }
    return StatesProtocol.model_validate({"type": "states", "states": states})


def summary(times_ns: np.ndarray) -> dict[str, Any]:
    """Percentiles in us."""
    levels = {"p50_us": 50, "p99_us": 99, "p999_us": 99.9, "max_us": 100}
    return {"n": len(times_ns)} | {
        key: round(float(np.percentile(times_ns, level)) / 1000, 3) for key, level in levels.items()
    }


def main() -> None:
    """Print a table and write the file."""
    parser = argparse.ArgumentParser(prog="python -m benches.protocols", description=__doc__)
    parser.add_argument("--steps", type=int, default=200_000)
    parser.add_argument("--output", type=Path, default=Path("benches/results/protocols.json"))
    arguments = parser.parse_args()
    random, results = Random(1), []
    for name, (protocol, count) in machines().items():
        frames = [[int(random.random() < 0.1) for _ in range(count)] for _ in range(997)]
        times = _core.time_steps(protocol, frames, steps=arguments.steps, period_ns=PERIOD_NS)
        results.append({"protocol": name, **summary(times)})
        print(
            f"{name:<24}"
            + "  ".join(f"{key} {value}" for key, value in results[-1].items() if key != "protocol")
        )
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps({"machine": machine(), "results": results}, indent=1) + "\n")
    print(f"-> {arguments.output}")


if __name__ == "__main__":
    main()

"""Random state machines and random animals, for tests of what must always be so."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

import numpy as np

import core_rules
from fastpose import _core

RULES = ("near", "far")
OUTPUTS = ("laser", "valve", "light")
CENTRES = {"near": (100.0, 100.0), "far": (220.0, 120.0)}  # px


def random_outputs(random: Random) -> dict[str, dict[str, Any]]:
    """Lines with limits, each of which may be missing."""
    return {
        name: {
            "max_on_ms": random.choice([None, 3, 20, 150]),
            "max_rate_hz": random.choice([None, 5, 50]),
            "safe": "low",
        }
        for name in OUTPUTS
    }


def random_states(random: Random, outputs: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A machine in which every state can be reached and left."""
    count = random.randint(1, 6)
    names = [f"s{i}" for i in range(count)]
    trials = {
        "types": {"a": random.randint(1, 3), "b": 2},
        "blocks": random.randint(1, 4),
        "order": random.choice(["sequence", "random", "blocked"]),
    }
    maker = _Maker(random, names, outputs, trials=random.random() < 0.3)
    states = {name: maker.state() for name in names}
    for before, after in pairwise(names):
        states[before]["next"].append({**maker.cause(), "to": after})
    return {
        "type": "states",
        "states": states,
        "timers": {"t": maker.time(), "u": maker.time()},
        "counters": ["c"],
        "seed": random.randint(0, 1000),
        **({"trials": trials} if maker.trials else {}),
        "limits": maker.limits(),
    }


class _Maker:
    def __init__(
        self, random: Random, names: list[str], outputs: dict[str, dict[str, Any]], *, trials: bool
    ) -> None:
        self._random, self._names, self._outputs, self.trials = random, names, outputs, trials

    def state(self) -> dict[str, Any]:
        random = self._random
        state: dict[str, Any] = {
            "on_entry": self._actions(["on", "off", "pulse"]),
            "during": self._actions(["on", "on", "pulse"]),
            "on_exit": self._actions(["off", "pulse"]),
            "next": [{**self.cause(), **self._target()} for _ in range(random.randint(1, 3))],
            "count": {"c": random.randint(-1, 2)} if random.random() < 0.5 else {},
            "reset": ["c"] if random.random() < 0.1 else [],
            "start": random.choice([["t", "u"], ["t", "u"], ["u", "t"]]),
            "deadline_ms": random.choice([None, None, 15]),
            "on_late": random.choice(["suppress", "flag"]),
        }
        return state

    def _actions(self, kinds: list[str]) -> dict[str, Any]:
        random = self._random
        chosen = [name for name in OUTPUTS if random.random() < 0.35]
        return {name: self._action(random.choice(kinds), self._outputs[name]["max_on_ms"]) for name in chosen}

    def _action(self, kind: str, most_ms: float | None) -> Any:
        if kind == "pulse" or (kind == "on" and most_ms is None):
            return {"pulse_ms": self._random.randint(1, most_ms or 40)}
        return kind

    def time(self) -> Any:
        random = self._random
        least = random.choice([1, 2, 7, 30, 200])
        return least if random.random() < 0.5 else {"uniform": [least, least + random.choice([0, 5, 100])]}

    def cause(self) -> dict[str, Any]:
        random = self._random
        kind = random.choice(["when", "unless", "rises", "falls", "after_ms", "after_ms", "timer"])
        if kind == "after_ms":
            return {kind: self.time()}
        return {kind: random.choice(["t", "u"] if kind == "timer" else RULES)}

    def _target(self) -> dict[str, Any]:
        random, names = self._random, self._names
        provided = {"provided": {"c": {"at_least": random.randint(-2, 4)}}} if random.random() < 0.25 else {}
        if self.trials and random.random() < 0.4:
            key = random.choice(["to_trial", "next_trial"])
            return {key: {kind: random.choice(names) for kind in ("a", "b")}, **provided}
        if random.random() < 0.3:
            return {"to": {name: random.choice([1, 2, 5]) for name in names}, **provided}
        return {"to": random.choice(names), **provided}

    def limits(self) -> dict[str, Any]:
        random = self._random
        limits: dict[str, Any] = {"session_s": random.choice([None, 0.4, 2])}
        if random.random() < 0.3:
            limits["time_in_states"] = {
                "states": [random.choice(self._names)],
                "max_s": random.choice([0.05, 1]),
            }
        if random.random() < 0.3:
            limits["counters"] = {"c": random.randint(1, 30)}
        return limits


def random_stream(random: Random, frames: int) -> list[tuple[int, list[int], int]]:
    """Frames of an animal that walks, jumps and disappears: (time ns, value of each rule, age ns)."""
    rules = [_rule(*CENTRES[name]) for name in RULES]
    x, y, time_ns = 90.0, 100.0, random.randint(0, 10**9)
    stream = []
    for _ in range(frames):
        time_ns += random.choice([1, 4, 4, 8, 8, 8, 20, 33, 300]) * 1_000_000 + random.randint(0, 999_999)
        x, y = x + random.uniform(-25, 30), y + random.uniform(-20, 20)
        if random.random() < 0.1 or not (0 < x < 320 and 0 < y < 240):
            x, y = random.choice([*CENTRES.values(), (10.0, 230.0)])
        seen = random.random() > 0.08
        pose = np.array([[[x, y, 0.9 if seen else 0.2]]], np.float32)
        age_ns = random.choice([5, 12, 25]) * 1_000_000
        stream.append((time_ns, [int(rule.update(pose, time_ns - age_ns)) for rule in rules], age_ns))
    return stream


def _rule(x: float, y: float) -> _core.Rule:
    zone = _core.circle_zone(center=(x, y), radius_px=40)
    return core_rules.in_zone_rule((1, 1), zone=zone, bodyparts=[0], hysteresis_px=5)

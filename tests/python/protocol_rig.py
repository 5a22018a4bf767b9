"""A protocol of a config with its outputs in virtual time: frames are rules' values, hours pass at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastpose import _core
from fastpose.assembly.states import make_state_machine
from fastpose.config import Config, as_states, config_from

MS, S = 1_000_000, 1_000_000_000


def config_of(
    protocol: Mapping[str, Any],
    *,
    rules: Sequence[str] = ("inside", "other"),
    outputs: Mapping[str, Mapping[str, Any]] | None = None,
) -> Config:
    """A whole config around a protocol; the rules are all the same zone, as nobody looks at poses here."""
    lines = {"laser": {"max_on_ms": 60_000}, "valve": {"max_on_ms": 1000}} if outputs is None else outputs
    return config_from(
        {
            "session": {"subject": "m001"},
            "cameras": {"top": {"driver": "sim"}},
            "model": {"path": "builtin:simulated_mouse"},
            "zones": {"z": {"circle": {"center": [100, 100], "radius_px": 50}}},
            "rules": {name: {"type": "in_zone", "zone": "z", "bodyparts": ["snout"]} for name in rules},
            "outputs": {name: {"driver": "sim", **values} for name, values in lines.items()},
            "protocol": dict(protocol),
        },
        base=Path.cwd(),
    )


def machine_of(config: Config) -> _core.StateMachine:
    """The state machine that the engine would get."""
    states = as_states(config.protocol)
    assert states is not None
    return make_state_machine(states, list(config.rules), list(config.outputs))


@dataclass(frozen=True)
class Edge:
    """What a line did, in ms."""

    time_ms: float
    output: str
    high: bool
    refused: bool
    cause: str


class ProtocolRig:
    """Plays frames, each (time in ms, the rules that are true)."""

    def __init__(self, config: Config) -> None:
        self.config = config
        states = as_states(config.protocol)
        assert states is not None
        self.states = list(states.all_states)
        self.machine = machine_of(config)
        lines = [
            _core.OutputLine(
                name,
                _core.SimOutput(name),
                max_on_ns=round((output.max_on_ms or 0) * MS),
                max_rate_hz=output.max_rate_hz or 0.0,
                safe_high=output.safe == "high",
            )
            for name, output in config.outputs.items()
        ]
        self.rig = _core.VirtualRig(self.machine, lines)

    def frame(self, time_ms: float, *true: str, age_ms: float = 0.0) -> None:
        values = [int(name in true) for name in self.config.rules]
        self.rig.frame(round(time_ms * MS), values, age_ns=round(age_ms * MS))

    def play(self, frames: Iterable[tuple[float, Sequence[str]]]) -> None:
        for time_ms, true in frames:
            self.frame(time_ms, *true)

    def hold(self, begin_ms: float, end_ms: float, *true: str, every_ms: float = 10) -> None:
        """Frames at a steady rate in which these rules are true."""
        time_ms = begin_ms
        while time_ms < end_ms:
            self.frame(time_ms, *true)
            time_ms += every_ms

    def run_until(self, time_ms: float) -> None:
        self.rig.run_until(round(time_ms * MS))

    @property
    def edges(self) -> list[Edge]:
        names = list(self.config.outputs)
        return [
            Edge(time / MS, names[output], high, refused, cause)
            for time, output, high, refused, cause in self.rig.edges
        ]

    def levels(self, output: str = "laser") -> list[tuple[float, int]]:
        """(time in ms, level) of each edge of an output."""
        return [(e.time_ms, int(e.high)) for e in self.edges if e.output == output and not e.refused]

    def on_ms(self, output: str = "laser") -> list[tuple[float, float]]:
        """(beginning, length) of each stretch of high, ms."""
        levels = self.levels(output)
        rises, falls = levels[::2], levels[1::2]
        assert all(level == 1 for _, level in rises)
        assert all(level == 0 for _, level in falls)
        return [(a, b - a) for (a, _), (b, _) in zip(rises, falls, strict=True)]

    @property
    def visited(self) -> list[str]:
        return [self.states[value] for kind, _, value, _ in self.rig.notes if kind == "state"]

    @property
    def trials(self) -> list[str]:
        protocol = as_states(self.config.protocol)
        assert protocol is not None
        assert protocol.trials is not None
        types = list(protocol.trials.types)
        return [types[source] for kind, source, _, _ in self.rig.notes if kind == "trial"]

    @property
    def state(self) -> str:
        return self.states[self.machine.state]

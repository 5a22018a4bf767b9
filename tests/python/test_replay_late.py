"""Replay of sessions on a machine that is late everywhere: delays are injected, none depends on load."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from fastpose.config import Config, config_from
from fastpose.replay import Replay, replay_session
from fastpose.replay.record import Input
from fastpose.session.events import EVENTS, KEPT
from fastpose.session.log import LogWriter, read_log
from fastpose.testing import LateMachine, late_session, simulated_poses
from random_protocols import RULES, random_outputs, random_states

S = 1_000_000_000
BORDERS = dict(zip(RULES, (131, 121), strict=True))  # px; the simulated mouse goes to and fro over them
LINES: dict[str, dict[str, Any]] = {
    "laser": {"max_on_ms": 100, "max_rate_hz": 20},
    "valve": {"max_on_ms": 40},
    "light": {"max_on_ms": 400, "max_total_ms": 1500},
}
TRAIN = {"train": {"pulse_ms": 9, "rate_hz": 20, "count": 5}}  # as fast as the laser may
RAMP = {"ramp": {"start": 0.2, "to": 1.5, "ms": 30}}
TIMERS: dict[str, Any] = {  # as examples/classifier.yaml, faster
    "dark": {"next": [{"when": "near", "to": "lit"}, {"after_ms": 45, "to": "lit"}]},
    "lit": {
        "during": {"light": "on"},
        "on_entry": {"valve": {"pulse_ms": 12}},
        "next": [{"unless": "near", "to": "dark"}, {"after_ms": 130, "to": "dark"}],
    },
}
TRAINS: dict[str, Any] = {
    "dark": {"next": [{"after_ms": {"uniform": [5, 60]}, "to": "lit"}]},
    "lit": {
        "on_entry": {"laser": TRAIN, "valve": {"pulse_ms": 12}},
        "next": [{"after_ms": 60, "to": "more"}],
    },
    "more": {"on_entry": {"laser": TRAIN}, "next": [{"after_ms": {"uniform": [20, 200]}, "to": "off"}]},
    "off": {"on_entry": {"laser": {"pulse_ms": 5}}, "next": [{"after_ms": 7, "to": "dark"}]},
}
RAMPS: dict[str, Any] = {
    "up": {"on_entry": {"light": RAMP}, "next": [{"after_ms": {"uniform": [5, 60]}, "to": "on"}]},
    "on": {"on_entry": {"light": {"level": 0.5}}, "next": [{"after_ms": {"uniform": [1, 500]}, "to": "end"}]},
    "end": {
        "on_entry": {"light": {"ramp": {"start": 1, "to": 0, "ms": 20}}},
        "on_exit": {"light": "off"},
        "next": [{"after_ms": {"uniform": [5, 60]}, "to": "up"}],
    },
}
EXTENDED: dict[str, Any] = {  # pulses that are extended again and again, without an edge
    "a": {"on_entry": {"laser": {"pulse_ms": 30}}, "next": [{"after_ms": {"uniform": [5, 40]}, "to": "b"}]},
    "b": {"on_entry": {"laser": {"pulse_ms": 25}}, "next": [{"after_ms": {"uniform": [5, 70]}, "to": "a"}]},
}


def config_with(
    protocol: dict[str, Any], outputs: dict[str, dict[str, Any]] | None = None, gap_ms: float | None = None
) -> Config:
    lines = LINES if outputs is None else outputs
    zones = {name: {"rectangle": {"x": 0, "y": 0, "width": 320, "height": y}} for name, y in BORDERS.items()}
    return config_from(
        {
            "session": {"subject": "late"},
            "cameras": {"top": {"driver": "sim", "size": [320, 240], "rate_hz": 100, "seed": 4}},
            "model": {"path": "builtin:simulated_mouse"},
            "filter": {"type": "kalman", "horizon": "auto"},
            "zones": zones,
            "rules": {name: {"type": "in_zone", "zone": name, "bodyparts": ["snout"]} for name in RULES},
            "outputs": {name: {"driver": "sim", **values} for name, values in lines.items()},
            "protocol": protocol,
            "safety": {"max_pose_gap_ms": gap_ms},
        },
        base=Path.cwd(),
    )


def states(content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "states", "seed": 3, "states": content}


def told(replay: Replay) -> list[str]:
    return [
        f"{each.time_s:.6f} {each.side} {each.event} {each.name} {each.value} {each.cause}"
        for each in replay.differences
    ]


def replayed(
    folder: Path,
    config: Config,
    machine: LateMachine,
    seconds: float = 3.0,
    inputs: list[Input] | None = None,
) -> Replay:
    poses = simulated_poses(config, seconds=seconds, noise_px=1.0)
    replay = replay_session(late_session(folder, config, poses, machine, inputs=inputs or []))
    assert told(replay) == [], machine
    assert replay.cameras["top"].filtered_px == 0
    return replay


def causes(replay: Replay) -> set[int]:
    return set(replay.events["flags"].tolist())


@pytest.mark.parametrize("worst_ms", [2, 30, 300])
@pytest.mark.parametrize(
    "content", [TIMERS, TRAINS, RAMPS, EXTENDED], ids=["timers", "trains", "ramps", "extended"]
)
def test_lateness_makes_no_difference(tmp_path: Path, content: dict[str, Any], worst_ms: float) -> None:
    for seed in range(2):
        machine = LateMachine(seed=seed, worst_ms=worst_ms)
        replay = replayed(tmp_path / str(seed), config_with(states(content)), machine)
        assert len(replay.events) > 20


def test_a_conditional_protocol_on_a_late_machine(tmp_path: Path) -> None:
    protocol = {"type": "conditional", "when": "near", "do": {"light": "follow", "valve": {"pulse_ms": 15}}}
    for seed in range(4):
        late = {**protocol, "deadline_ms": 12, "on_late": ["suppress", "flag"][seed % 2]}
        replay = replayed(tmp_path / str(seed), config_with(late), LateMachine(seed, worst_ms=40, share=0.1))
        assert replay.counts[("rule", "near")][0] > 0


def test_lines_that_exclude_each_other(tmp_path: Path) -> None:
    lines = {**LINES, "valve": {"max_on_ms": 40, "not_with": ["laser", "light"]}}
    found = 0
    for seed in range(4):
        replay = replayed(tmp_path / str(seed), config_with(states(TIMERS), lines), LateMachine(seed))
        found += replay.counts.get(("refused", "valve"), (0, 0))[0]
    assert found > 0


def test_random_protocols_on_a_late_machine(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """`--all-protocols`: many more of them."""
    for seed in range(2000 if request.config.getoption("--all-protocols") else 30):
        source = Random(seed)
        outputs = random_outputs(source)
        config = config_with(random_states(source, outputs), outputs)
        machine = LateMachine(seed, worst_ms=source.choice([1, 10, 80]), share=source.choice([0.005, 0.05]))
        replayed(tmp_path / str(seed), config, machine, seconds=1.5)


@pytest.mark.parametrize("content", [TIMERS, TRAINS, RAMPS], ids=["timers", "trains", "ramps"])
def test_the_watchdog_on_a_late_machine(tmp_path: Path, content: dict[str, Any]) -> None:
    """It stops the outputs in the middle of commands, pulses and trains, and lets them go on."""
    stops = safe = 0
    for seed in range(4):
        config = config_with(states(content), gap_ms=60)
        replay = replayed(tmp_path / str(seed), config, LateMachine(seed, worst_ms=250))
        stops += replay.not_compared.get("stop", 0)
        safe += int((replay.events["flags"] & 8 != 0).sum())
    assert stops > 5
    assert safe > 5


def test_commands_of_python_and_stops_on_a_late_machine(tmp_path: Path) -> None:
    """A person's commands come in between; the outputs go safe, as when a camera is lost, and come back."""
    for seed in range(6):
        random, inputs = Random(seed), list[Input]()
        for second in np.arange(1.2, 3.9, 0.23):
            time_ns = round((second + random.uniform(0, 0.2)) * S)
            what = random.choice(["on", "off", "pulse", "off"])
            inputs.append((time_ns, what, 1, 9_000_000 if what == "pulse" else 0))  # type: ignore[arg-type]
        for second in (2.0, 3.1):
            inputs += [(round(second * S), "safe", 0, 0), (round((second + 0.3) * S), "arm", 0, 0)]
        content = {**TIMERS, "lit": {**TIMERS["lit"], "on_entry": {}}}
        config = config_with(states(content))
        replayed(tmp_path / str(seed), config, LateMachine(seed), inputs=sorted(inputs))


def test_refusals_of_a_stop_are_told_from_those_of_limits(tmp_path: Path) -> None:
    config = config_with(states(TIMERS))
    inputs: list[Input] = [(3 * S, "safe", 0, 0)]
    replay = replayed(tmp_path / "s", config, LateMachine(2), inputs=inputs)
    refused = replay.events[replay.events["kind"] == EVENTS.index("refused")]
    after = refused["stamp_ns"] > 3 * S + 100_000_000
    assert after.any()
    assert (refused["flags"][after] & 8 != 0).all()


def test_what_made_no_edge_is_in_the_log_alone_and_is_needed(tmp_path: Path) -> None:
    """Without the times of commands that extend a pulse, limits and ends could come out otherwise."""
    lost = 0
    for seed in range(4):
        config = config_with(states(EXTENDED))
        poses = simulated_poses(config, seconds=5)
        session = late_session(tmp_path / str(seed), config, poses, LateMachine(seed, worst_ms=60))
        path = session / "log" / "events.fplog"
        log = read_log(path)
        assert (log.records["kind"] == KEPT).any()
        path.unlink()
        with LogWriter(path, log.header) as writer:
            writer.extend(log.records[log.records["kind"] != KEPT])
        lost += len(replay_session(session).differences)
    assert lost > 0

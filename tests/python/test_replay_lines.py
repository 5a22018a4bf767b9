"""Replay of what lines do by themselves, of limits, stops and devices: identical, or refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fastpose import Rig, _core
from fastpose.errors import RecordError
from fastpose.replay import Replay, replay_session
from rigs import ALWAYS, rig_config, run_here

TRAIN = {"train": {"pulse_ms": 3, "rate_hz": 100, "count": 4}}
LONG_TRAIN = {"train": {"pulse_ms": 2, "rate_hz": 50, "count": 20}}
TWO = {"laser": {"driver": "sim", "max_on_ms": 100}, "led": {"driver": "sim", "max_on_ms": 60}}
BACK_AND_FORTH = {
    "type": "states",
    "states": {
        "left": {
            "on_entry": {"laser": {"ramp": {"start": 0.2, "to": 1.5, "ms": 15}}},
            "on_exit": {"laser": "off"},
            "next": [{"after_ms": {"uniform": [10, 40]}, "to": "right"}],
        },
        "right": {
            "on_entry": {"laser": {"train": {"pulse_ms": 2, "rate_hz": 120, "count": 6}}},
            "next": [{"after_ms": {"uniform": [5, 40]}, "to": "steady"}],
        },
        "steady": {
            "on_entry": {"laser": {"level": 0.75}},
            "next": [{"after_ms": {"uniform": [5, 30]}, "to": "left"}],
        },
    },
}


def differing(replay: Replay) -> list[str]:
    return [f"{each.side} {each.event} {each.name} {each.value} {each.cause}" for each in replay.differences]


def protocol(when: str, do: dict[str, Any]) -> dict[str, Any]:
    return {"type": "conditional", "when": when, "do": do}


@pytest.mark.parametrize(
    ("changes", "has"),
    [
        pytest.param({"protocol.do": {"laser": TRAIN}}, ("output", "laser"), id="trains"),
        pytest.param({"protocol.do": {"laser": LONG_TRAIN}}, ("output", "laser"), id="trains that overlap"),
        pytest.param(
            {"protocol.do": {"laser": TRAIN}, "outputs.laser.max_total_ms": 25},
            ("refused", "laser"),
            id="a train that uses up max_total",
        ),
        pytest.param(
            {"protocol.do": {"laser": {"pulse_ms": 20}}, "outputs.laser.max_total_ms": 50},
            ("refused", "laser"),
            id="max_total",
        ),
        pytest.param({"protocol.do": {"laser": {"level": 1.25}}}, ("level", "laser"), id="levels"),
        pytest.param(
            {"protocol.do": {"laser": {"ramp": {"start": 0.5, "to": 2, "ms": 30}}}},
            ("level", "laser"),
            id="ramps",
        ),
        pytest.param(
            {"protocol.do": {"laser": {"ramp": {"start": 1, "to": 0, "ms": 25}}}},
            ("output", "laser"),
            id="ramps that end low",
        ),
        pytest.param(
            {"outputs": {"laser": TWO["laser"], "led": {**TWO["led"], "not_with": ["laser"]}},
             "protocol.do": {"laser": {"pulse_ms": 30}, "led": {"pulse_ms": 10}}},
            ("refused", "led"),
            id="not_with",
        ),
        pytest.param({"protocol": BACK_AND_FORTH}, ("level", "laser"), id="a machine of all of them"),
    ],
)  # fmt: skip
def test_what_a_line_does_by_itself_is_bit_identical(
    tmp_path: Path, changes: dict[str, Any], has: tuple[str, str]
) -> None:
    session = run_here(tmp_path, changes)
    replay = replay_session(session.folder)
    assert differing(replay) == []
    assert replay.counts[has][0] > 0
    assert len(replay.events) == len(session.events)


def test_a_ramp_shorter_than_the_steps_of_its_device_ends_in_time(tmp_path: Path) -> None:
    ramp = {"ramp": {"start": 0.5, "to": 2, "ms": 0.4}}
    events = run_here(tmp_path, {**ALWAYS, "protocol": protocol("always", {"laser": ramp})}).events
    assert [int(value) for value in events.loc[events["event"] == "level", "value"]] == [500, 2000]


LOST = {
    "cameras.top.reconnect": True,
    "cameras.top.faults": {"disconnect_after_s": 0.2, "reconnect_after_s": 0.4},
    "safety": {"max_pose_gap_ms": 50},
}


def test_the_watchdog_and_a_lost_camera_are_inputs(tmp_path: Path) -> None:
    session = run_here(tmp_path, {**LOST, "protocol.do": {"laser": "follow"}})
    stops = session.events[session.events["event"] == "stop"]
    replay = replay_session(session.folder)
    assert differing(replay) == []
    assert replay.not_compared.get("stop", 0) == len(stops)


def test_trains_that_a_lost_camera_may_have_ended_are_refused(tmp_path: Path) -> None:
    session = run_here(tmp_path, {**LOST, "protocol.do": {"laser": LONG_TRAIN}})
    with pytest.raises(RecordError, match=r"a camera was lost 1 time\(s\), and the protocol has a train"):
        replay_session(session.folder)


def test_an_emergency_stop_is_an_input_and_nothing_passes_after_it(tmp_path: Path) -> None:
    with Rig(rig_config(tmp_path, {"cameras.top.frames_total": None})) as rig:
        for count, _ in enumerate(rig.poses()):
            if count == 60:
                rig.emergency_stop()
            if count == 120:
                break
    replay = replay_session(rig.directory)
    assert differing(replay) == []
    assert replay.not_compared == {"stop": 1}
    assert any("stop are not compared" in note for note in replay.notes)


@pytest.mark.skipif(not hasattr(_core, "FirmwareSimulator"), reason="this build has no firmware outputs")
def test_what_a_device_confirms_is_not_compared_and_is_named(tmp_path: Path) -> None:
    board = _core.FirmwareSimulator()
    laser = {"driver": "firmware", "port": board.path, "pin": 9, "max_on_ms": 600_000}
    session = run_here(tmp_path, {"outputs.laser": laser})
    replay = replay_session(session.folder)
    assert differing(replay) == []
    assert replay.not_compared["confirmed"] > 0
    assert any("confirmed are not compared: the device said so" in note for note in replay.notes)


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("train('laser', 2.0, rate_hz=100, count=3)", "train"),
        ("level('laser', 0.5)", "level or ramp"),
        ("ramp('laser', 0.5, 1.0, 10.0)", "level or ramp"),
    ],
)
def test_commands_from_outside_whose_shape_no_record_has_are_refused(
    tmp_path: Path, command: str, told: str
) -> None:
    (tmp_path / "mine.py").write_text(
        "from fastpose import Protocol\n\n"
        "class Mine(Protocol):\n"
        "    def on_pose(self, pose, outputs):\n"
        f"        if pose.frame_id == 10: outputs.{command}\n"
    )
    session = run_here(tmp_path, {"protocol": {"type": "python", "path": "mine.py:Mine"}})
    with pytest.raises(RecordError, match=f"output 'laser' had a {told} from outside of the loop"):
        replay_session(session.folder)

"""Conditional, optogenetic and trial protocols: what each parameter does, by hand, in virtual time."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from fastpose import _core
from protocol_rig import MS, ProtocolRig, config_of
from rigs import ALWAYS, ENDLESS, run_here

OPTOGENETIC = {
    "type": "optogenetic",
    "when": "inside",
    "do": {"laser": "on"},
    "min_stim_s": 0.3,
    "max_stim_s": 2,
    "inter_trial_s": 1,
}
TRIAL = {
    "type": "trial",
    "start_when": "inside",
    "response": "other",
    "trials": {"tone": {"do": {"laser": "on"}, "count": 3}},
    "stimulus_s": 0.5,
    "trial_s": 2,
    "inter_trial_s": 1,
    "on_success": {"valve": {"pulse_ms": 40}},
}
NOBODY = np.full((1, 1, 3), np.nan, np.float32)


# --- conditional ---


@pytest.mark.parametrize("on_late", ["suppress", "flag"])
def test_the_machine_of_a_conditional_protocol_is_the_conditional_protocol(on_late: str) -> None:
    do = {"laser": "follow", "valve": {"pulse_ms": 5}, "light": "on", "lamp": "off"}
    protocol = {"type": "conditional", "when": "inside", "do": do, "deadline_ms": 20, "on_late": on_late}
    machine = ProtocolRig(config_of(protocol, outputs={name: {"max_on_ms": 100} for name in do})).machine
    native = _core.ConditionalProtocol(
        rule=0,
        actions=[(0, "follow", 0), (1, "pulse", 5 * MS), (2, "on", 0), (3, "off", 0)],
        deadline_ns=20 * MS,
        suppress_late=on_late == "suppress",
    )
    random = Random(4)
    for frame in range(2_000):
        rules, age_ns = [int(random.random() < 0.4), 0], random.choice([5, 20, 21]) * MS
        steps = [
            each.step(NOBODY, rules, now_ns=frame * 10 * MS, exposure_start_ns=frame * 10 * MS - age_ns)
            for each in (native, machine)
        ]
        told = [
            (
                sorted((c.output, c.action, c.duration_ns) for c in step.commands),
                step.late,
                step.suppressed_outputs,
            )
            for step in steps
        ]
        assert told[0] == told[1]


def test_reactions_are_counted_and_end_the_session() -> None:
    rig = ProtocolRig(
        config_of({"type": "conditional", "when": "inside", "do": {"laser": "follow"}, "max_reactions": 3})
    )
    rig.play((100 * i, ["inside"] if i % 2 else []) for i in range(20))
    assert rig.on_ms() == [(100, 100), (300, 100), (500, 100)]
    assert rig.rig.finished


# --- optogenetic ---


def test_a_short_visit_is_stimulated_for_the_shortest_time() -> None:
    rig = ProtocolRig(config_of(OPTOGENETIC))
    rig.frame(0)
    rig.frame(100, "inside")
    rig.hold(110, 3_000)
    assert rig.on_ms() == [(100, 300)]


def test_a_long_stay_is_stimulated_again_and_again() -> None:
    rig = ProtocolRig(config_of(OPTOGENETIC))
    rig.hold(0, 7_005, "inside")
    assert rig.levels() == [(0, 1), (2_000, 0), (3_000, 1), (5_000, 0), (6_000, 1)]


def test_leaving_ends_it_between_the_shortest_and_the_longest_time() -> None:
    rig = ProtocolRig(config_of(OPTOGENETIC))
    rig.hold(0, 800, "inside")
    rig.hold(800, 1_700)
    assert rig.on_ms() == [(0, 800)]
    assert rig.visited == ["waiting", "minimum", "extended", "pause"]


def test_the_total_ends_the_session_at_that_moment() -> None:
    rig = ProtocolRig(config_of({**OPTOGENETIC, "max_total_stim_s": 3}))
    rig.hold(0, 10_000, "inside")
    assert rig.on_ms() == [(0, 2_000), (3_000, 1_000)]
    assert rig.rig.finished


def test_the_number_of_stimulations_ends_the_session_after_the_pause() -> None:
    rig = ProtocolRig(config_of({**OPTOGENETIC, "max_stimulations": 2}))
    rig.hold(0, 10_000, "inside")
    assert rig.on_ms() == [(0, 2_000), (3_000, 2_000)]
    assert rig.visited[-2:] == ["pause", "ended"]


def test_a_suppressed_stimulation_does_not_count_as_time() -> None:
    rig = ProtocolRig(
        config_of({**OPTOGENETIC, "deadline_ms": 20, "max_total_stim_s": 2.5, "max_stim_s": 0.3})
    )
    rig.frame(0, "inside", age_ms=50)
    rig.hold(10, 1_310, "inside")
    assert rig.levels()[0] == (1_300, 1)


@pytest.mark.parametrize("least_s", [0, 2])
def test_equal_or_no_shortest_time(least_s: float) -> None:
    rig = ProtocolRig(config_of({**OPTOGENETIC, "min_stim_s": least_s}))
    rig.hold(0, 2_500, "inside")
    assert rig.on_ms() == [(0, 2_000)]


# --- trial ---


def test_any_is_a_success_at_the_end_of_the_trial() -> None:
    rig = ProtocolRig(config_of(TRIAL))
    rig.frame(0, "inside")
    rig.hold(10, 1_000)
    rig.frame(1_000, "other")
    rig.hold(1_010, 2_500)
    assert rig.on_ms("laser") == [(0, 500)]
    assert rig.on_ms("valve") == [(2_000, 40)]
    assert rig.visited == ["waiting", "tone", "tone_after", "tone_known_after", "success"]


def test_once_known_rewards_at_once() -> None:
    rig = ProtocolRig(config_of({**TRIAL, "result_at": "once_known"}))
    rig.frame(0, "inside")
    rig.frame(200, "other")
    rig.run_until(900)
    assert rig.on_ms("laser") == [(0, 200)]
    assert rig.on_ms("valve") == [(200, 40)]


def test_without_a_response_it_is_a_failure() -> None:
    rig = ProtocolRig(config_of(TRIAL))
    rig.frame(0, "inside")
    rig.hold(10, 2_500)
    assert rig.visited[-1] == "failure"
    assert rig.levels("valve") == []


@pytest.mark.parametrize(("missed", "result"), [(False, "success"), (True, "failure")])
def test_all_takes_every_frame(missed: bool, result: str) -> None:
    rig = ProtocolRig(config_of({**TRIAL, "result": "all"}))
    rig.frame(0, "inside", "other")
    rig.hold(10, 1_000, "other")
    if missed:
        rig.frame(1_000)
    rig.hold(1_010, 2_100, "other")
    assert rig.visited[-1] == result


def test_successes_end_the_session_after_their_pause() -> None:
    rig = ProtocolRig(config_of({**TRIAL, "max_successes": 2}))
    rig.hold(0, 9_000, "inside", "other")
    assert rig.visited.count("success") == 2
    assert rig.visited[-1] == "ended"
    assert [begin for begin, _ in rig.on_ms("valve")] == [2_000, 5_000]


def test_all_trials_done_end_the_session_after_their_pause() -> None:
    rig = ProtocolRig(config_of(TRIAL))
    rig.hold(0, 12_000, "inside")
    assert rig.trials == ["tone"] * 3
    assert rig.visited[-2:] == ["failure", "ended"]


# --- the session ---


def test_a_session_ends_when_its_protocol_says_so(tmp_path: Path) -> None:
    protocol: dict[str, Any] = {
        "type": "states",
        "states": {
            "a": {"during": {"laser": "on"}, "next": [{"after_ms": 30, "to": "b"}]},
            "b": {"next": [{"after_ms": 20, "to": "a"}]},
        },
        "limits": {"session_s": 0.3},
    }
    session = run_here(tmp_path, {**ALWAYS, **ENDLESS, "protocol": protocol, "record.video": None})
    assert session.json["ended"] == "protocol"
    events = session.events
    states = events[events["event"] == "state"]
    assert states["name"].iloc[-1] == "ended"
    assert states["stamp_ns"].iloc[-1] - states["stamp_ns"].iloc[0] == 300 * MS
    assert states["stamp_ns"].diff().dropna().astype(int).isin([30 * MS, 20 * MS]).all()
    assert session.output_levels() == [1, 0] * 6
    assert session.json["config"]["protocol"]["seed"] is not None

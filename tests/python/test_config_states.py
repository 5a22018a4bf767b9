"""State machines in the config: what is wrong with one is said, and what is right comes through."""

from __future__ import annotations

from typing import Any

import pytest

from fastpose.config import as_states, config_from, resolved_yaml
from fastpose.config.states import ENDED
from fastpose.config.yaml import Loader
from fastpose.errors import ConfigError
from fastpose.seeding import with_seed
from protocol_rig import config_of

LEAVE = [{"when": "inside", "to": "a"}]


def states(**changes: Any) -> dict[str, Any]:
    return {"type": "states", "states": {"a": {"next": LEAVE}}, **changes}


@pytest.mark.parametrize(
    ("protocol", "message"),
    [
        (states(initial="b"), r"protocol.initial: no state 'b'.*allowed: a"),
        (
            states(states={"a": {"next": [{"when": "insid", "to": "a"}]}}),
            r"next\[0\].when: no rule 'insid' \(did",
        ),
        (states(states={"a": {"next": [{"when": "inside", "to": "b"}]}}), r"next\[0\].to: no state 'b'"),
        (
            states(states={"a": {"during": {"lamp": "on"}, "next": LEAVE}}),
            r"states.a.during.lamp: no output 'lamp'",
        ),
        (
            states(states={"a": {"next": LEAVE}, "b": {"next": LEAVE}}),
            r"states.b: cannot be reached from 'a'",
        ),
        (states(states={"a": {}}), r"states.a: has no way out; allowed: next .* final: true"),
        (states(states={"a": {"next": [{"timer": "t", "to": "a"}]}}), r"next\[0\].timer: no timer 't'"),
        (
            states(states={"a": {"next": [{"timer": "t", "to": "a"}]}}, timers={"t": 5}),
            r"no state starts timer 't'",
        ),
        (states(states={"a": {"start": ["t"], "next": LEAVE}}), r"states.a.start: no timer 't'"),
        (states(states={"a": {"count": {"c": 1}, "next": LEAVE}}), r"states.a.count: no counter 'c'"),
        (
            states(
                states={"a": {"next": [{"when": "inside", "to": "a", "provided": {"c": {"at_least": 1}}}]}}
            ),
            r"provided: no counter 'c'",
        ),
        (
            states(states={"a": {"next": [{"when": "inside", "to": "a", "provided": {"c": {}}}]}}),
            r"neither at_least nor at_most",
        ),
        (
            states(states={"a": {"next": [{"when": "inside", "rises": "inside", "to": "a"}]}}),
            r"when and rises given; allowed: exactly one",
        ),
        (states(states={"a": {"next": [{"to": "a"}]}}), r"exactly one of when"),
        (states(states={"a": {"next": [{"when": "inside"}]}}), r"exactly one of to"),
        (
            states(states={"a": {"next": [{"after_ms": 0.5, "to": "a"}]}}),
            r"after_ms: 0.5 is not allowed; allowed: .*at least 1",
        ),
        (
            states(states={"a": {"next": [{"after_ms": {"uniform": [9, 5]}, "to": "a"}]}}),
            r"the shorter time first",
        ),
        (
            states(states={"a": {"next": [{"when": "inside", "next_trial": {"x": "a"}}]}}),
            r"next_trial: has x; allowed: .*no trials",
        ),
        (states(states={"a": {"next": LEAVE, "final": True}}), r"final beside outputs or next"),
        (states(states={"a": {"during": {"laser": "follow"}, "next": LEAVE}}), r"follow"),
        (
            states(states={"a": {"on_entry": {"laser": {"pulse_ms": 90000}}, "next": LEAVE}}),
            r"pulse_ms: 90000 is more than its max_on_ms",
        ),
        (states(limits={"at": ["b"]}), r"limits.at: no state 'b'"),
        (states(limits={"trials": True}), r"trials without at"),
        (
            states(
                limits={"session_s": 5},
                states={"a": {"next": [{"when": "inside", "to": ENDED}]}, ENDED: {"next": LEAVE}},
            ),
            r"final: true in it",
        ),
        (
            {
                "type": "optogenetic",
                "when": "inside",
                "do": {"laser": "on"},
                "min_stim_s": 5,
                "max_stim_s": 2,
            },
            r"min_stim_s is 5; allowed: at most max_stim_s, 2",
        ),
        (
            {"type": "optogenetic", "when": "inside", "do": {"laser": "off"}},
            r"off does nothing while a state lasts",
        ),
        (
            {"type": "trial", "start_when": "inside", "response": "nose", "trials": {"x": {}}},
            r"protocol.response: no rule 'nose'",
        ),
        (
            {"type": "trial", "start_when": "inside", "response": "other", "trials": {"success": {}}},
            r"is the name of a state of every trial",
        ),
    ],
)
def test_what_is_wrong_is_said(protocol: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        config_of(protocol)


def test_what_is_right_comes_through_the_resolved_config() -> None:
    import yaml

    protocol = states(
        states={
            "a": {
                "on_entry": {"laser": {"pulse_ms": 5}},
                "next": [
                    {"after_ms": {"uniform": [5, 9]}, "to": {"a": 2, "b": 1}},
                    {"falls": "inside", "next_trial": {"x": "a", "y": "b"}},
                ],
            },
            "b": {"during": {"valve": "on"}, "next": [{"unless": "other", "to_trial": {"x": "a", "y": "b"}}]},
        },
        trials={"types": {"x": 1, "y": 2}},
        limits={"session_s": 9, "trials": True, "at": ["a"]},
    )
    config = config_of(protocol)
    text = resolved_yaml(config)
    assert config_from(yaml.load(text, Loader)) == config
    assert list(config.protocol.all_states) == ["a", "b", ENDED]
    assert config.protocol.rules == ["inside", "other"]


def test_a_seed_is_drawn_once_and_kept() -> None:
    config = config_of(states())
    drawn = with_seed(config)
    assert config.protocol.seed is None
    assert drawn.protocol.seed is not None
    assert with_seed(drawn) is drawn
    assert "seed: " in resolved_yaml(drawn)
    assert with_seed(config_of({"type": "none"})).protocol.type == "none"


def test_other_protocols_are_no_machines() -> None:
    assert as_states(config_of({"type": "none"}).protocol) is None

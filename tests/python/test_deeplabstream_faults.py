"""What went wrong in DeepLabStream's experiments, and cannot here: one test a fault of its protocols.

The numbers are those of the project's notes on other systems: 1A.5, 1A.6 and 4.1, as they were reproduced.
"""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

from fastpose.config.yaml import Loader
from fastpose.errors import ConfigError
from protocol_rig import ProtocolRig, config_of
from rigs import ALWAYS, ENDLESS, Process, run_here, write_rig

OPTOGENETIC = {"type": "optogenetic", "when": "inside", "do": {"laser": "on"}}
TRIAL = {
    "type": "trial",
    "start_when": "inside",
    "response": "other",
    "trials": {"tone": {"do": {"laser": "on"}}},
}


class TestOptogeneticNeverStimulates:
    """4.1 #1: the timer was started, the process never; and stop did not end it."""

    def test_it_stimulates_with_its_defaults(self) -> None:
        rig = ProtocolRig(config_of(OPTOGENETIC))
        rig.hold(0, 20_000, "inside", every_ms=20)
        assert rig.on_ms() == [(0, 10_000)]  # max_stim_s, then the pause

    def test_its_end_ends_the_stimulation(self) -> None:
        rig = ProtocolRig(config_of(OPTOGENETIC))
        rig.hold(0, 5_000, "inside")
        assert rig.rig.high(0)
        rig.rig.end()
        assert not rig.rig.high(0)


class TestOneFrameKeepsTheStimulusOnForTheWholePause:
    """4.1 #2: nobody told the process that the condition was over while the inter-trial timer ran."""

    CONDITIONAL: ClassVar = {
        "type": "conditional",
        "when": "inside",
        "do": {"laser": "follow"},
        "inter_trial_s": 40,
    }

    def test_the_stimulus_ends_with_its_rule(self) -> None:
        rig = ProtocolRig(config_of(self.CONDITIONAL))
        rig.frame(0)
        rig.frame(20, "inside")
        rig.hold(40, 39_000, every_ms=20)
        assert rig.on_ms() == [(20, 20)]

    def test_the_pause_still_holds(self) -> None:
        rig = ProtocolRig(config_of(self.CONDITIONAL))
        rig.frame(20, "inside")
        rig.frame(40)
        rig.hold(1_000, 39_000, "inside", every_ms=100)
        assert len(rig.on_ms()) == 1
        rig.frame(40_021)
        rig.frame(40_040, "inside")
        rig.frame(40_060)
        assert rig.on_ms() == [(20, 20), (40_040, 20)]


class TestTrialExperimentCrashes:
    """4.1 #3: no get_trial; current_trial was None and then indexed; a screen stimulus showed nothing."""

    def test_every_trial_has_its_type_and_its_stimulus(self) -> None:
        trials = {
            "tone": {"do": {"laser": "on"}, "count": 3},
            "light": {"do": {"valve": {"pulse_ms": 50}}, "count": 3},
        }
        rig = ProtocolRig(config_of({**TRIAL, "trials": trials, "seed": 5, "max_successes": None}))
        rig.hold(0, 6 * 51_000, "inside", every_ms=100)
        assert sorted(rig.trials) == ["light"] * 3 + ["tone"] * 3
        assert len(rig.on_ms("laser")) == len(rig.on_ms("valve")) == 3
        assert rig.rig.finished

    def test_before_the_first_trial_there_is_none(self) -> None:
        rig = ProtocolRig(config_of(TRIAL))
        rig.hold(0, 1_000)
        assert rig.trials == []
        assert rig.state == "waiting"


@pytest.mark.parametrize(
    "protocol", [OPTOGENETIC, TRIAL, {"type": "conditional", "when": "inside", "do": {"laser": "on"}}]
)
def test_the_defaults_of_every_experiment_can_be_loaded_and_run(protocol: dict[str, Any]) -> None:
    """4.1 #4, 1A.5: six of eight triggers crashed with the shipped defaults."""
    rig = ProtocolRig(config_of(protocol))
    rig.hold(0, 1_000, "inside", "other")
    assert rig.levels()[0] == (0, 1)


def test_blanks_after_a_comma_do_not_become_part_of_a_name() -> None:
    """1A.5: list items were split at the comma and never stripped: KeyError ' neck' at the first frame."""
    assert yaml.load("{bodyparts: [nose,  neck , tail ]}", Loader) == {"bodyparts": ["nose", "neck", "tail"]}


def test_a_name_that_is_not_there_is_said_before_the_session() -> None:
    """1A.5: a missing key was a KeyError at construction or at the first frame."""
    with pytest.raises(ConfigError, match=r"protocol.when: no rule 'insid' \(did you mean 'inside'\?\)"):
        config_of({**OPTOGENETIC, "when": "insid"})


class TestNoSafeState:
    """4.1 #5: terminate() while the line was high left it on; so did a crash; `switch` had no limit."""

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_ended_while_the_line_is_high(
        self, tmp_path: Path, terminal: Any, number: signal.Signals
    ) -> None:
        outputs = {"laser": {"driver": "serial", "port": terminal.path, "max_on_ms": 600_000}}
        protocol = {"type": "optogenetic", "when": "always", "do": {"laser": "on"}, "max_stim_s": 500}
        changes = {**ALWAYS, **ENDLESS, "outputs": outputs, "protocol": protocol, "record.video": None}
        with Process(write_rig(tmp_path, changes)) as process:
            process.wait_for(lambda: terminal.level == b"H")
            process.signal(number)
            process.end()
        assert terminal.level == b"L"

    def test_the_interlock_ends_what_the_protocol_would_not(self) -> None:
        outputs = {"laser": {"max_on_ms": 2_000}}
        rig = ProtocolRig(config_of(OPTOGENETIC, outputs=outputs))
        rig.hold(0, 9_000, "inside")
        assert rig.on_ms() == [(0, 2_000)]

    def test_an_output_that_nothing_turns_off_is_refused(self) -> None:
        states = {"a": {"on_entry": {"laser": "on"}, "next": [{"when": "inside", "to": "a"}]}}
        with pytest.raises(ConfigError, match="nothing turns it off"):
            config_of({"type": "states", "states": states}, outputs={"laser": {}})


class TestAnOffIsLost:
    """4.1 #7: put() dropped a condition while the one before had not been read."""

    def test_on_and_off_between_two_wakings_both_come(self) -> None:
        states = {
            "a": {"next": [{"after_ms": 1, "to": "b"}]},
            "b": {"during": {"laser": "on"}, "next": [{"after_ms": 1, "to": "a"}]},
        }
        rig = ProtocolRig(config_of({"type": "states", "states": states}))
        rig.frame(0)
        asleep = rig.machine
        rig.run_until(1_000)
        assert len(rig.on_ms()) == 500
        asleep.reset()
        asleep.step(_nobody(), [0, 0], now_ns=0)
        commands = []
        while (
            asleep.next_wakeup_ns <= 1_000_000_000
        ):  # asleep for a second: nothing is dropped, it takes more calls
            commands += asleep.advance(1_000_000_000).commands
        assert [command.action for command in commands] == ["on", "off"] * 500

    def test_a_rule_true_for_one_frame_gives_one_on_and_one_off(self) -> None:
        protocol = {"type": "conditional", "when": "inside", "do": {"laser": "follow"}}
        rig = ProtocolRig(config_of(protocol))
        for index in range(100):
            rig.frame(10 * index, *(["inside"] if index % 2 else []))
        assert len(rig.levels()) == 100 - 1
        assert [level for _, level in rig.levels()] == [(index + 1) % 2 for index in range(99)]


def test_a_timer_keeps_no_core_busy_and_prints_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """4.1 #8: protocols were busy loops that printed each turn. Here nothing runs before the next timer."""
    rig = ProtocolRig(config_of(OPTOGENETIC))
    rig.frame(0, "inside")
    assert rig.machine.next_wakeup_ns == 3_000_000_000
    assert capfd.readouterr().out == ""


def test_every_reaction_is_written_with_its_frame_and_its_times(tmp_path: Path) -> None:
    """1A.6, 4.1 #11: of a stimulus nothing was ever written but a boolean, with the time of writing."""
    protocol = {
        "type": "optogenetic",
        "when": "in_left",
        "do": {"laser": "on"},
        "min_stim_s": 0.005,
        "max_stim_s": 0.02,
        "inter_trial_s": 0.03,
    }
    session = run_here(tmp_path, {"protocol": protocol})
    events = session.events
    outputs = events[
        (events["event"] == "output") & (events["name"] == "laser") & (events["cause"] == "protocol")
    ]
    rises = outputs[outputs["value"] == 1]
    assert len(rises) > 1
    assert rises["frame_id"].notna().all()
    assert (rises["stamp_ns"] > rises["exposure_start_ns"]).all()
    states = events[events["event"] == "state"]
    assert set(states["name"]) >= {"waiting", "minimum", "extended", "pause"}
    assert set(session.json["config"]["protocol"]) >= {"min_stim_s", "max_total_stim_s"}


def _nobody() -> Any:
    import numpy as np

    return np.full((1, 1, 3), np.nan, np.float32)

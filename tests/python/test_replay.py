"""`fastpose replay`: whole sessions once more, every edge bit-identical, and what another config changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from fastpose import Rig
from fastpose.cli import app
from fastpose.config import Config, config_from
from fastpose.errors import ConfigError, RecordError
from fastpose.replay import Replay, replay_session
from fastpose.session.log import EVENT_DTYPE, LogWriter, read_log
from rigs import ALWAYS, rig_config, run_here
from test_system_cameras import on_one_trigger

FILTERED = {"filter": {"type": "one_euro", "min_cutoff_hz": 20.0, "beta": 0.1}}
FAULTS = {
    "cameras.top.faults": {"drop": 0.1, "late": 0.1, "late_ms": 12.0, "torn": 0.1},
    "cameras.top.seed": 5,
}
MANY_RULES = {
    "rules": {
        "in_left": {"type": "in_zone", "zone": "left", "bodyparts": ["snout"], "min_duration_ms": 12},
        "out": {"type": "outside_zone", "zone": "left", "bodyparts": ["snout", "tailbase"], "which": "all"},
        "fast": {"type": "speed", "bodypart": "snout", "above_px_s": 900, "window_ms": 40},
        "long": {"type": "distance", "bodyparts": ["snout", "tailbase"], "above_px": 30, "hysteresis_px": 2},
        "turned": {"type": "angle", "bodyparts": ["tailbase", "snout"], "heading_deg": 0, "above_deg": 40},
    }
}


STATES = {  # no seed: one is drawn, and stands in the session's config
    "type": "states",
    "states": {
        "pause": {"next": [{"after_ms": {"uniform": [3, 17]}, "to": "cue"}]},
        "cue": {
            "during": {"laser": "on"},
            "next": [
                {"when": "in_left", "to": {"reward": 2, "omission": 1}},
                {"after_ms": 23, "to": "pause"},
            ],
        },
        "reward": {"on_entry": {"laser": {"pulse_ms": 7}}, "next": [{"after_ms": 11, "to": "pause"}]},
        "omission": {"next": [{"after_ms": 9, "to": "pause"}]},
    },
}


def lines_of(replay: Replay) -> list[str]:
    return [
        f"{each.side} {each.event} {each.name} {each.value} {each.frame_id}" for each in replay.differences
    ]


def folder(parent: Path, name: str) -> Path:
    made = parent / name
    made.mkdir()
    return made


def changed(config: Config, **sections: Any) -> Config:
    """The same experiment with other sections."""
    return config_from({**config.model_dump(mode="json"), **sections})


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="pulses"),
        pytest.param(FILTERED, id="filtered"),
        pytest.param({**FAULTS, **FILTERED}, id="dropped frames"),
        pytest.param(MANY_RULES, id="many rules"),
        pytest.param({**ALWAYS, "outputs.laser.max_on_ms": 40}, id="forced low"),
        pytest.param({"outputs.laser.max_rate_hz": 9.0}, id="refused"),
        pytest.param(
            {"protocol.do": {"laser": {"pulse_ms": 5.0}}, "cameras.top.rate_hz": 200}, id="a frame long"
        ),
        pytest.param({"protocol.do": {"laser": {"pulse_ms": 80.0}}}, id="extended"),
        pytest.param({"protocol.deadline_ms": 3.0, "protocol.on_late": "flag"}, id="late"),
        pytest.param({"protocol.deadline_ms": 1e-6}, id="suppressed"),
        pytest.param({"filter": {"type": "kalman", "horizon": "auto"}}, id="automatic horizon"),
        pytest.param({"protocol": STATES}, id="states with timers and chance"),
    ],
)
def test_every_edge_of_a_session_is_bit_identical(tmp_path: Path, changes: dict[str, Any]) -> None:
    session = run_here(tmp_path, changes)
    replay = replay_session(session.folder)
    assert lines_of(replay) == []
    assert replay.identical and replay.same_config
    camera = replay.cameras["top"]
    assert (camera.raw_px, camera.filtered_px, camera.missing_poses) == (0, 0, 0)
    assert camera.frames == session.frames["processed"].sum()
    events = session.events
    assert len(replay.events) == len(events) >= 3
    assert sorted(replay.events["stamp_ns"].tolist()) == events["stamp_ns"].tolist()


def test_the_limits_were_at_work(tmp_path: Path) -> None:
    """The sessions above would be worth nothing if no line was ever refused or forced low."""
    refused = replay_session(run_here(folder(tmp_path, "a"), {"outputs.laser.max_rate_hz": 9.0}).folder)
    assert refused.counts[("refused", "laser")][1] > 0
    forced = run_here(folder(tmp_path, "b"), {**ALWAYS, "outputs.laser.max_on_ms": 40})
    assert "interlock" in set(forced.events["cause"])
    assert replay_session(forced.folder).identical


def test_commands_from_outside_are_inputs(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from fastpose import Protocol\n\n"
        "class Mine(Protocol):\n"
        "    def on_pose(self, pose, outputs):\n"
        "        if pose.frame_id == 10: outputs.on('laser')\n"
        "        if pose.frame_id == 70: outputs.off('laser')\n"
        "        if pose.frame_id == 80: outputs.pulse('laser', 2.0)\n"
    )
    changes = {"protocol": {"type": "python", "path": "mine.py:Mine"}, "outputs.laser.max_on_ms": 50}
    session = run_here(tmp_path, changes)
    replay = replay_session(session.folder)
    assert lines_of(replay) == []
    assert any("taken from the record" in note for note in replay.notes)
    assert session.output_levels() == [1, 0, 1, 0]


def test_a_session_that_was_ended_early(tmp_path: Path) -> None:
    config = rig_config(
        tmp_path, {**ALWAYS, "cameras.top.frames_total": None, "outputs.laser.max_on_ms": None}
    )
    with Rig(config) as rig:
        for count, _ in enumerate(rig.poses()):
            if count == 40:
                break
    replay = replay_session(rig.directory)
    assert lines_of(replay) == []
    assert [int(event["flags"]) for event in replay.events if event["kind"] == 2] == [0, 8]


def test_a_record_that_was_tampered_with_differs(tmp_path: Path) -> None:
    session = run_here(tmp_path)
    path = session.folder / "log" / "events.fplog"
    log = read_log(path)
    rising = np.flatnonzero((log.records["kind"] == 2) & (log.records["value"] == 1))
    path.unlink()
    with LogWriter(path, log.header) as writer:
        writer.extend(np.delete(log.records, rising[2]))
    replay = replay_session(session.folder)
    assert [(each.side, each.event, each.value) for each in replay.differences] == [("replayed", "output", 1)]


def test_a_pose_that_was_tampered_with_differs(tmp_path: Path) -> None:
    session = run_here(tmp_path)
    path = session.folder / "log" / "poses_top.fplog"
    log = read_log(path)
    records = log.records.copy()
    records["raw"][50:, :, :, 0] += 20
    path.unlink()
    with LogWriter(path, log.header) as writer:
        writer.extend(records)
    assert not replay_session(session.folder).identical


def test_another_config_lists_what_differs(tmp_path: Path) -> None:
    session = run_here(tmp_path)
    config = rig_config(tmp_path)
    longer = changed(config, protocol={**config.protocol.model_dump(), "do": {"laser": {"pulse_ms": 9.0}}})
    replay = replay_session(session.folder, config=longer)
    assert not replay.same_config
    pulses = len(session.output_levels()) // 2
    ends = [each for each in replay.differences if each.cause == "timer"]
    assert len(ends) == len(replay.differences) == 2 * pulses
    gone = [each for each in ends if each.side == "recorded"]
    come = [each for each in ends if each.side == "replayed"]
    assert [b.stamp_ns - a.stamp_ns for a, b in zip(gone, come, strict=True)] == [4_000_000] * pulses


def test_the_same_behaviour_under_other_names_of_folders_is_the_same(tmp_path: Path) -> None:
    session = run_here(tmp_path)
    moved = changed(rig_config(tmp_path), session={"subject": "other"})
    assert replay_session(session.folder, config=moved).same_config


def test_a_rule_that_never_holds_takes_its_reactions_away(tmp_path: Path) -> None:
    session = run_here(tmp_path)
    strict = {"in_left": {"type": "in_zone", "zone": "left", "bodyparts": ["snout"], "min_duration_ms": 5000}}
    replay = replay_session(session.folder, config=changed(rig_config(tmp_path), rules=strict))
    assert {each.side for each in replay.differences} == {"recorded"}
    assert replay.counts[("output", "laser")][1] == 0


def test_two_cameras(tmp_path: Path) -> None:
    changes = {
        "cameras.side": {"driver": "sim", "size": [160, 120], "rate_hz": 100, "frames_total": 60, "seed": 3,
                         "exposure_us": 1000, "frames": "every"},
        "model": None,
        "models": {
            "a": {"path": "builtin:simulated_mouse", "device": "fake", "camera": "top"},
            "b": {"path": "builtin:simulated_mouse", "device": "fake", "camera": "side"},
        },
        "rules": {
            "in_left": {"type": "in_zone", "zone": "left", "bodyparts": ["snout"], "camera": "top"},
            "beside": {"type": "outside_zone", "zone": "left", "bodyparts": ["snout"], "camera": "side"},
        },
    }  # fmt: skip
    session = run_here(tmp_path, changes)
    replay = replay_session(session.folder)
    assert lines_of(replay) == []
    assert list(replay.cameras) == ["top", "side"]
    assert {key for key in replay.counts if key[0] == "rule"} == {("rule", "in_left"), ("rule", "beside")}


def test_a_machine_that_sees_the_rules_of_two_synchronised_cameras(tmp_path: Path) -> None:
    states = {
        "none": {"next": [{"when": "above", "to": "one"}]},
        "one": {
            "on_entry": {"laser": {"pulse_ms": 4}},
            "next": [{"when": "beside", "to": "both"}, {"after_ms": 31, "to": "none"}],
        },
        "both": {"next": [{"unless": "beside", "to": "none"}, {"unless": "above", "to": "none"}]},
    }
    changes = on_one_trigger("replay", faults={"drop": 0.1})
    changes["protocol"] = {"type": "states", "camera": "side", "states": states}
    session = run_here(tmp_path, changes)
    assert {"one", "both"} <= set(session.events[session.events["event"] == "state"]["name"])
    replay = replay_session(session.folder)
    assert lines_of(replay) == []
    assert {key for key in replay.counts if key[0] == "rule"} == {("rule", "above"), ("rule", "beside")}


def test_from_the_video_the_network_runs_again(tmp_path: Path) -> None:
    changes = {"model": {"path": "builtin:simulated_mouse"}, "cameras.top.frames_total": 40}
    session = run_here(tmp_path, changes)
    replay = replay_session(session.folder, source="video")
    assert (replay.cameras["top"].raw_px, replay.cameras["top"].not_in_video) == (0, 0)
    assert lines_of(replay) == []


def test_from_the_video_of_a_network_that_looks_at_nothing_is_refused(tmp_path: Path) -> None:
    session = run_here(tmp_path)
    with pytest.raises(ConfigError, match="device is fake: it does not look at frames"):
        replay_session(session.folder, source="video")


def test_a_camera_without_poses_is_refused_by_name(tmp_path: Path) -> None:
    session = run_here(tmp_path)
    content = rig_config(tmp_path).model_dump(mode="json")
    content["cameras"]["other"] = content["cameras"].pop("top")
    content["model"]["camera"] = "other"
    with pytest.raises(ConfigError, match="camera 'other' has no poses in this session; allowed: top"):
        replay_session(session.folder, config=config_from(content))


def test_a_body_part_that_the_poses_lack_is_refused(tmp_path: Path) -> None:
    session = run_here(tmp_path)
    rules = {"in_left": {"type": "in_zone", "zone": "left", "bodyparts": ["paw"]}}
    with pytest.raises(ConfigError, match=r"rules.in_left: the recorded poses have no 'paw'"):
        replay_session(session.folder, config=changed(rig_config(tmp_path), rules=rules))


def test_a_folder_that_is_no_session(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no session folder"):
        replay_session(tmp_path)


def test_the_command_says_so_and_writes_json(tmp_path: Path) -> None:
    session = run_here(tmp_path)
    ran = CliRunner().invoke(app, ["replay", str(session.folder)])
    assert ran.exit_code == 0, ran.output
    assert f"all {len(session.events)} events are bit-identical" in ran.output
    told = json.loads(CliRunner().invoke(app, ["replay", str(session.folder), "--json"]).output)
    assert (told["identical"], told["differences"], told["cameras"]["top"]["frames"]) == (True, [], 120)


def test_the_command_lists_differences_in_a_table(tmp_path: Path) -> None:
    session = run_here(tmp_path)
    config = rig_config(tmp_path).model_dump(mode="json")
    config["protocol"]["do"] = {"laser": "follow"}
    other = tmp_path / "other.json"
    other.write_text(json.dumps(config))
    ran = CliRunner().invoke(app, ["replay", str(session.folder), "--config", str(other)])
    assert ran.exit_code == 0, ran.output
    assert "events differ" in ran.output and "protocol" in ran.output
    told = json.loads(
        CliRunner().invoke(app, ["replay", str(session.folder), "--config", str(other), "--json"]).output
    )
    assert {each["side"] for each in told["differences"]} == {"recorded", "replayed"}


def test_layouts_are_those_of_the_engine() -> None:
    assert EVENT_DTYPE.itemsize == 48

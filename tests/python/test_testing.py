"""`fastpose.testing`: protocols tried on the simulated animal and on recorded sessions."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from fastpose.config import Config, config_from
from fastpose.errors import ConfigError, RecordError
from fastpose.templates import template
from fastpose.testing import Tried, recorded_poses, simulated_poses, try_protocol
from rigs import rig_config, run_here

CORNER: dict[str, Any] = {
    "session": {"subject": "m001"},
    "cameras": {"top": {"driver": "sim", "size": [640, 480], "rate_hz": 100, "seed": 9}},
    "model": {"path": "builtin:simulated_mouse"},
    "zones": {"corner": {"rectangle": {"x": 0, "y": 0, "width": 320, "height": 240}}},
    "rules": {"in_corner": {"type": "in_zone", "zone": "corner", "bodyparts": ["snout"]}},
    "outputs": {"reward": {"driver": "sim", "max_on_ms": 200}},
    "protocol": {"type": "conditional", "when": "in_corner", "do": {"reward": {"pulse_ms": 50}}},
}


def corner(**sections: Any) -> Config:
    return config_from({**CORNER, **sections})


@pytest.fixture(scope="module")
def tried() -> Tried:
    return try_protocol(corner(), seconds=40)


def test_a_conditional_protocol_on_the_simulated_animal(tried: Tried) -> None:
    tried.assert_pulses("reward", at_least=1, length_ms=50)
    tried.assert_reacts("in_corner", "reward", within_ms=8.001)
    assert len(tried.pulses("reward")) == sum(edge.value for edge in tried.rule("in_corner"))
    assert tried.seconds == pytest.approx(40, abs=0.02)
    assert {edge.cause for edge in tried.output("reward")} == {"protocol", "timer"}


def test_each_assertion_can_fail(tried: Tried) -> None:
    with pytest.raises(AssertionError, match="gave pulses of 50 to 50 ms, expected 20"):
        tried.assert_pulses("reward", length_ms=20)
    with pytest.raises(AssertionError, match="expected 99 or more"):
        tried.assert_pulses("reward", at_least=99)
    with pytest.raises(AssertionError, match=f"gave {len(tried.pulses('reward'))} pulses, expected 0"):
        tried.assert_pulses("reward", exactly=0)
    with pytest.raises(AssertionError, match="went high"):
        tried.assert_low("reward")
    with pytest.raises(AssertionError, match="did not go high within 7 ms"):
        tried.assert_reacts("in_corner", "reward", within_ms=7)
    with pytest.raises(KeyError, match="no output 'laser'; the config has reward"):
        tried.pulses("laser")


def test_late_reactions_are_suppressed_and_seen() -> None:
    protocol = {**CORNER["protocol"], "deadline_ms": 5}
    tried = try_protocol(corner(protocol=protocol), seconds=40, age_ms=8)
    tried.assert_low("reward")
    assert len(tried.suppressed("reward")) == sum(edge.value for edge in tried.rule("in_corner")) > 0
    flagged = try_protocol(corner(protocol={**protocol, "on_late": "flag"}), seconds=40, age_ms=8)
    assert all(edge.late for edge in flagged.output("reward") if edge.value)
    in_time = try_protocol(corner(protocol=protocol), seconds=40, age_ms=4)
    assert in_time.suppressed("reward") == []


def test_the_interlock_is_a_true_one() -> None:
    outputs = {"reward": {"driver": "sim", "max_on_ms": 20}}
    protocol = {**CORNER["protocol"], "do": {"reward": "on"}}
    tried = try_protocol(corner(outputs=outputs, protocol=protocol), seconds=40)
    tried.assert_pulses("reward", exactly=1, length_ms=20)
    assert {edge.cause for edge in tried.output("reward") if not edge.value} == {"interlock"}
    assert len(tried.refused("reward")) > 0  # what was cut stays cut until it is switched off


def test_the_python_template(tmp_path: Path) -> None:
    shutil.copy(template("python"), tmp_path)
    config = config_from(
        {**CORNER, "protocol": {"type": "python", "path": "my_protocol.py:MyProtocol"}}, base=tmp_path
    )
    tried = try_protocol(config, seconds=60)
    tried.assert_pulses("reward", at_least=1, length_ms=50)
    starts = [start for start, _ in tried.pulses("reward")]
    assert all(later - earlier >= 2 for earlier, later in pairwise(starts))
    assert [row["number"] for row in tried.rows] == list(range(1, len(starts) + 1))
    assert all(row["age_ms"] == 8 for row in tried.rows)


def test_a_python_protocol_may_ask_for_the_frame(tmp_path: Path) -> None:
    (tmp_path / "look.py").write_text(
        "from fastpose import Protocol\n\n"
        "class Look(Protocol):\n"
        "    def on_pose(self, pose, outputs):\n"
        "        frame = self.session.frame()\n"
        "        same = frame.frame_id == pose.frame_id\n"
        "        self.session.note('seen', rows=frame.pixels.shape[0], same=same)\n"
    )
    config = config_from({**CORNER, "protocol": {"type": "python", "path": "look.py:Look"}}, base=tmp_path)
    tried = try_protocol(config, seconds=0.1)
    assert [(row["rows"], row["same"]) for row in tried.rows] == [(480, True)] * 10


def test_a_protocol_on_a_recorded_session(tmp_path: Path) -> None:
    session = run_here(tmp_path)
    config = rig_config(tmp_path)
    tried = try_protocol(config, session=session.folder)
    pulses = session.events[(session.events["event"] == "output") & (session.events["value"] == 1)]
    assert [edge.frame_id for edge in tried.output("laser") if edge.value] == pulses["frame_id"].tolist()
    assert len(recorded_poses(session.folder)) == 120


def test_noise_is_added_to_the_simulated_poses() -> None:
    config = corner()
    clean = simulated_poses(config, seconds=1)
    noisy = simulated_poses(config, seconds=1, noise_px=2.0)
    spread = (noisy.record.raw - clean.record.raw)[..., :2].std()
    assert spread == pytest.approx(2.0, rel=0.1)


def test_what_cannot_be_tried_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"seconds is 0; allowed: above 0"):
        try_protocol(corner(), seconds=0)
    with pytest.raises(RecordError, match="no session folder"):
        try_protocol(corner(), session=tmp_path)
    poses = simulated_poses(corner(), seconds=1)
    with pytest.raises(ConfigError, match="both given"):
        try_protocol(corner(), session=tmp_path, poses=poses)
    rules = {"in_corner": {"type": "in_zone", "zone": "corner", "bodyparts": ["paw"]}}
    with pytest.raises(ConfigError, match="the recorded poses have no 'paw'"):
        try_protocol(corner(rules=rules), seconds=1)

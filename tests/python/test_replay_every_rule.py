"""Replay of a session with a rule of every kind and a machine of states: bit-identical."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from every_rule import every_rule, kinds
from fastpose.config import config_from
from fastpose.replay import replay_session
from fastpose.testing import simulated_poses, try_protocol, write_session

pytest.importorskip("sklearn", reason="scikit-learn is not installed (extra 'test')")
pytest.importorskip("skl2onnx", reason="skl2onnx is not installed (extra 'test')")
classifying = pytest.importorskip("test_classifier_rule", reason="onnx is not installed (extra 'classify')")
installed = classifying.installed

MINUTES = 2  # `python -m benches.replay` is longer
STATES: dict[str, Any] = {
    "type": "states",
    "seed": 5,
    "states": {
        "pause": {"next": [{"after_ms": {"uniform": [200, 900]}, "to": "cue"}]},
        "cue": {
            "during": {"laser": "on"},
            "next": [
                {"when": "classified", "to": "pause"},
                {"when": "runs", "to": {"reward": 3, "omission": 1}},
                {"after_ms": 1200, "to": "pause"},
            ],
        },
        "reward": {"on_entry": {"valve": {"pulse_ms": 40}}, "next": [{"after_ms": 250, "to": "pause"}]},
        "omission": {"next": [{"when": "plugged", "to": "pause"}, {"after_ms": 800, "to": "pause"}]},
    },
}


@pytest.mark.usefixtures("installed")
def test_every_kind_of_rule_and_a_machine_are_bit_identical(tmp_path: Path) -> None:
    classifier = classifying.identity_model(tmp_path, 10)
    content = every_rule(classifier=classifier, plugin={"name": "to_the_right", "options": {"limit": 300}})
    content["model"] = {"path": "builtin:simulated_mouse"}
    content["filter"] = {"type": "kalman", "horizon": "auto"}
    content["rules"]["short"]["below_px"] = 110  # the simulated mouse is seldom shorter than 90 px
    content["outputs"] = {
        "laser": {"driver": "sim", "max_on_ms": 300, "max_rate_hz": 4},
        "valve": {"driver": "sim", "max_on_ms": 100, "max_rate_hz": 2},
    }
    config = config_from({**content, "protocol": STATES}, base=tmp_path)
    assert {rule.type for rule in config.rules.values()} == kinds()

    poses = simulated_poses(config, seconds=60 * MINUTES, noise_px=0.5)
    tried = try_protocol(config, poses=poses)
    replay = replay_session(write_session(tmp_path / "session", config, poses, tried))
    assert replay.differences == []
    assert replay.cameras["top"].filtered_px == 0
    assert {name for event, name in replay.counts if event == "rule"} == set(config.rules)
    assert replay.counts[("state", "protocol")][0] > 100

"""Configs with several cameras: who sees which, whose rules, triggers, synchronised sets."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from fastpose.config import Config, config_from
from fastpose.errors import ConfigError

MODEL = {"path": "builtin:simulated_mouse"}
BOTH: dict[str, Any] = {
    "session": {"subject": "m001"},
    "cameras": {
        "top": {"driver": "sim", "camera_trigger": {"source": "internal", "line": "w"}},
        "side": {"driver": "sim", "camera_trigger": {"source": "external_edge", "line": "w"}},
    },
    "model": {**MODEL, "cameras": ["top", "side"]},
    "zones": {"corner": {"rectangle": {"x": 0, "y": 0, "width": 50, "height": 50}}},
    "rules": {
        "above": {"type": "in_zone", "zone": "corner", "bodyparts": ["snout"], "camera": "top"},
        "beside": {"type": "in_zone", "zone": "corner", "bodyparts": ["snout"], "camera": "side"},
    },
    "outputs": {"laser": {"driver": "sim"}},
    "protocol": {"type": "conditional", "when": "beside", "do": {"laser": "follow"}},
    "synchronise": {},
}


def both(changes: dict[str, Any]) -> dict[str, Any]:
    """The config with values by dotted path; None takes a key away."""
    config = copy.deepcopy(BOTH)
    for path, value in changes.items():
        *parents, last = path.split(".")
        section = config
        for key in parents:
            section = section[key]
        section[last] = value
        if value is None:
            del section[last]
    return config


def config_of(changes: dict[str, Any]) -> Config:
    return config_from(both(changes))


def test_one_network_for_several_cameras() -> None:
    config = config_of({})
    assert list(config.analysed) == ["top", "side"]
    assert config.synchronised == ("top", "side")
    assert config.acting_camera == "side"
    assert list(config.rules_of("top")) == ["above"]
    assert config.network_of("side") is config.model


def test_a_network_for_each_camera() -> None:
    models = {"b": {**MODEL, "camera": "side"}, "a": {**MODEL, "camera": "top"}}
    config = config_of({"model": None, "models": models})
    assert list(config.analysed) == ["top", "side"]  # the cameras' order
    assert config.network_of("side") is config.models["b"]


def test_a_rule_looks_at_the_only_camera_that_a_network_sees() -> None:
    config = config_of(
        {"model": {**MODEL, "camera": "top"}, "rules.above.camera": None, "rules.beside.camera": "top"}
    )
    assert list(config.rules_of("top")) == ["above", "beside"]
    assert config.rules_of("side") == {}
    assert config.acting_camera == "top"


def test_a_zone_belongs_to_the_cameras_whose_rules_name_it() -> None:
    big = {"rectangle": {"x": 0, "y": 0, "width": 600, "height": 400}}
    small = {"cameras.side.size": [320, 240], "zones.room": big, "rules.above.zone": "room"}
    config_of(small)
    with pytest.raises(ConfigError, match=r"zones\.room: \(600, 400\) is outside the frame of camera 'side'"):
        config_of({**small, "rules.beside.zone": "room"})


PYTHON = {"type": "python", "path": "mine.py:Mine"}
BAD: list[tuple[dict[str, Any], str]] = [
    ({"model": MODEL}, "model.camera: missing; allowed: top, side; or cameras with several of them"),
    ({"model.camera": "top"}, "model.cameras: given beside camera; allowed: one of camera, cameras"),
    ({"model.cameras": ["top", "sid"]}, "model.cameras: no camera 'sid' (did you mean 'side'?)"),
    ({"model.cameras": ["top", "top"]}, "model.cameras: 'top' stands twice"),
    (
        {"model": None, "models": {"a": {**MODEL, "camera": "top"}, "b": {**MODEL, "camera": "top"}}},
        "models.b.camera: camera 'top' is seen by models.a already; allowed: one network a camera",
    ),
    (
        {"rules.above.camera": None},
        "rules.above.camera: missing; allowed: top, side, the cameras that a network sees",
    ),
    (
        {"model": {**MODEL, "camera": "top"}},
        "rules.beside.camera: camera 'side' is only recorded; allowed: top",
    ),
    ({"rules.above.camera": "tpo"}, "rules.above.camera: no camera 'tpo' (did you mean 'top'?)"),
    ({"protocol": PYTHON}, "protocol.camera: missing; allowed: top, side"),
    ({"protocol": {"type": "cython", "module": "mine"}}, "protocol.camera: missing; allowed: top, side"),
    (
        {"cameras.side.camera_trigger": {"source": "external_edge"}},
        "cameras.side.camera_trigger: source external_edge needs the line",
    ),
    (
        {"cameras.top.camera_trigger": None},
        "cameras.side.camera_trigger.line: no sim camera drives 'w'; give one camera_trigger: "
        "{source: internal, line: w}",
    ),
    ({"cameras.side.rate_hz": 50}, "cameras.side.rate_hz: 50; allowed: 100, that of 'top'"),
    (
        {"cameras.side.rate_hz": 50},
        "synchronise: rate_hz differs (top 100, side 50); allowed: cameras of one",
    ),
    ({"cameras.side.frames": "every"}, "synchronise: frames differs (top newest, side every)"),
    ({"synchronise.cameras": ["top"]}, "synchronise: cameras is [top]; allowed: two or more"),
    ({"synchronise.cameras": ["top", "x"]}, "synchronise.cameras: no camera 'x'"),
    (
        {"synchronise.tolerance_ms": 2},
        "synchronise: tolerance_ms is 2 with by counter; allowed: with by time",
    ),
    (
        {"synchronise": {"by": "time", "tolerance_ms": 5}},
        "synchronise.tolerance_ms: 5; allowed: less than half the period, 5",
    ),
    ({"synchronise.wait_ms": 11}, "synchronise.wait_ms: 11; allowed: at most the period, 10"),
]


@pytest.mark.parametrize(("changes", "text"), BAD, ids=[text[:60] for _, text in BAD])
def test_what_does_not_fit_is_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError) as info:
        config_of(changes)
    assert text in str(info.value)


def test_two_cameras_cannot_drive_one_line() -> None:
    third = {"driver": "sim", "camera_trigger": {"source": "internal", "line": "w"}}
    with pytest.raises(ConfigError, match="'w' is driven by 'top' already"):
        config_of({"cameras.third": third})


def test_one_camera_is_no_set() -> None:
    with pytest.raises(ConfigError, match="there is one camera, top; allowed: two or more"):
        config_from({"session": {"subject": "m"}, "cameras": {"top": {"driver": "sim"}}, "synchronise": {}})

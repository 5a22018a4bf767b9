"""Twenty rules of different kinds over twenty body parts, a protocol that they drive, and two lines."""

# ruff: noqa: E501  tables read best with one case a line

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastpose import _core
from fastpose.assembly.behaviour import make_protocol, make_rules, open_outputs
from fastpose.config import Config, config_from
from fastpose.model_package import ModelPackage

__all__ = ["BODYPARTS", "RATE_HZ", "Case", "make_case", "make_poses", "measure_each"]

RATE_HZ = 200.0
SIZE = (1280, 1024)
BODYPARTS = tuple(f"part{i:02d}" for i in range(20))
P = BODYPARTS

RULES: dict[str, dict[str, Any]] = {
    "in_zone_all": {"type": "in_zone", "zone": "arena", "bodyparts": list(P), "which": "all"},
    "in_zone": {
        "type": "in_zone",
        "zone": "port",
        "bodyparts": [P[0]],
        "hysteresis_px": 5,
        "min_duration_ms": 20,
    },
    "outside": {"type": "outside_zone", "zone": "oval", "bodyparts": list(P), "which": "all"},
    "entry": {"type": "zone_entry", "zone": "oval", "bodyparts": [P[0]]},
    "dwell": {"type": "dwell", "zone": "port", "bodyparts": [P[0]], "above_ms": 500, "within_ms": 5000},
    "crossing": {"type": "line_crossing", "line": [[640, 0], [640, 1023]], "bodypart": P[0]},
    "speed": {"type": "speed", "bodypart": P[3], "above_px_s": 300, "window_ms": 100},
    "freezing": {"type": "freezing", "bodyparts": list(P), "below_px_s": 30},
    "acceleration": {"type": "acceleration", "bodypart": P[3], "above_px_s2": 3000},
    "turning": {"type": "angular_velocity", "bodyparts": [P[5], P[0]], "above_deg_s": 180},
    "distance": {"type": "distance", "bodyparts": [P[0], P[19]], "below_px": 100},
    "contact": {"type": "contact", "bodypart": P[0], "to": {"point": [640, 512]}, "below_px": 60},
    "approach": {"type": "approach", "bodypart": P[0], "to": {"point": [640, 512]}, "above_px_s": 100},
    "looks": {"type": "angle", "bodyparts": [P[1], P[0]], "point": [640, 20], "below_deg": 30},
    "head_left": {"type": "egocentric", "bodyparts": [P[5], P[1], P[0]], "side": "left", "above_deg": 20},
    "length": {"type": "body_length", "bodyparts": list(P), "above_px": 400},
    "posture": {
        **{"type": "posture", "bodyparts": list(P), "below_px": 15},
        "template": [[10 * i, 0] for i in range(20)],
    },
    "both": {"type": "all", "rules": ["in_zone_all", "speed"]},
    "neither": {"type": "not", "rule": "both"},
    "then": {"type": "sequence", "rules": ["speed", "entry", "in_zone"], "within_ms": 3000},
}

CONFIG: dict[str, Any] = {
    "session": {"subject": "bench"},
    "cameras": {"top": {"driver": "sim", "size": list(SIZE), "rate_hz": RATE_HZ}},
    "model": {"path": "package", "device": "fake"},
    "zones": {
        "arena": {"polygon": [[20, 20], [640, 5], [1260, 20], [1260, 1000], [640, 1020], [20, 1000]]},
        "port": {"circle": {"center": [640, 512], "radius_px": 150}},
        "oval": {"ellipse": {"center": [640, 512], "half_axes_px": [400, 250], "angle_deg": 20}},
    },
    "rules": RULES,
    "outputs": {"laser": {"driver": "sim", "max_on_ms": 5000}, "light": {"driver": "sim", "max_on_ms": 5000}},
    "protocol": {
        "type": "states",
        "seed": 1,
        "counters": ["visits"],
        "states": {
            "pause": {"next": [{"after_ms": {"uniform": [50, 100]}, "to": "armed"}]},
            "armed": {"next": [{"when": "in_zone", "to": {"reward": 3, "omission": 1}}]},
            "reward": {
                "on_entry": {"laser": {"pulse_ms": 10}},
                "during": {"light": "on"},
                "count": {"visits": 1},
                "next": [{"unless": "in_zone", "to": "pause"}, {"after_ms": 200, "to": "pause"}],
            },
            "omission": {"next": [{"after_ms": 100, "to": "pause"}]},
        },
    },
}


@dataclass(frozen=True)
class Case:
    """What one frame passes through."""

    bodyparts: int
    rules: _core.RuleSet
    protocol: _core.Protocol
    interlock: _core.Interlock


def make_case() -> Case:
    """Return the rules, the protocol and armed outputs, as a session assembles them."""
    config = _config()
    protocol = make_protocol(config, list(config.rules), BODYPARTS)
    lines = open_outputs(config.outputs, realtime=False)
    assert protocol is not None and lines.interlock is not None
    lines.interlock.arm()
    rules = make_rules(config, config.rules, _package(), frame_size=SIZE)
    return Case(len(BODYPARTS), _core.RuleSet(rules), protocol, lines.interlock)


def measure_each(calls: int = 20_000) -> dict[str, float]:
    """Return the mean cost of each rule that looks at the pose, alone and on one pose, us."""
    config = _config()
    rules = make_rules(config, config.rules, _package(), frame_size=SIZE)
    pose = make_poses(len(BODYPARTS))[0]
    step_ns = round(1e9 / RATE_HZ)
    return {
        name: round(_core.bench_rule(rule, pose, calls=calls, step_ns=step_ns) / 1e3, 3)
        for name, rule in zip(config.rules, rules, strict=True)
    }


def make_poses(bodyparts: int, frames: int = 4000) -> NDArray[np.float32]:
    """Return a body (frames, 1, bodyparts, 3) that walks about, stops, turns, and loses 2 % of its keypoints."""
    rng = np.random.default_rng(0)
    seconds = np.arange(frames) / RATE_HZ
    path = 640 + 512j + (450 * np.sin(0.9 * seconds) + 330j * np.sin(1.3 * seconds))
    heading = np.unwrap(np.angle(np.gradient(path))) + 0.3 * np.sin(4 * seconds)
    body = -12.0 * np.arange(bodyparts) + 4j * np.sin(np.arange(bodyparts))
    places = path[:, None] + body * np.exp(1j * heading)[:, None] + rng.normal(0, 0.3, (frames, bodyparts))
    likelihood = np.where(rng.random(places.shape) < 0.02, 0.1, 0.95)
    return np.stack([places.real, places.imag, likelihood], axis=-1)[:, None].astype(np.float32)


def _config() -> Config:
    with tempfile.TemporaryDirectory() as folder:
        return config_from(CONFIG, base=Path(folder))


def _package() -> ModelPackage:
    """A package that says only what rules ask: the body parts of one animal."""
    return ModelPackage.model_construct(bodyparts=BODYPARTS, individuals=(), unique=None)

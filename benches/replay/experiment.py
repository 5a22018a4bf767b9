"""An experiment with a rule of every kind and a machine with chance."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from benches.replay.every_rule import RULES, ZONES, kinds
from benches.replay.plugged_in import install

from fastpose.config import Config, config_from

__all__ = ["every_kind"]

LINGERS = Path(__file__).parents[2] / "examples" / "lingers.onnx"
CLASSIFIER: dict[str, Any] = {
    "type": "classifier",
    "model": str(LINGERS),
    "features": [
        {"speed": "snout"},
        {"speed": "tailbase"},
        {"distance": ["snout", "tailbase"]},
        {"egocentric": ["tailbase", "snout", "leftear", "rightear"]},
    ],
    "window_frames": 15,
    "window": "mean_std",
    "above": 0.5,
    "budget_ms": 1000,
}
OUTPUTS: dict[str, Any] = {
    "laser": {"driver": "sim", "max_on_ms": 300, "max_rate_hz": 4},
    "valve": {"driver": "sim", "max_on_ms": 100, "max_rate_hz": 2},
}
STATES: dict[str, Any] = {
    "pause": {"next": [{"after_ms": {"uniform": [200, 900]}, "to": "cue"}]},
    "cue": {
        "during": {"laser": "on"},
        "next": [
            {"when": "classified", "to": "pause"},
            {"when": "runs", "to": {"reward": 3, "omission": 1}},
            {"when": "short", "to": "pause"},
            {"after_ms": 1200, "to": "pause"},
        ],
    },
    "reward": {"on_entry": {"valve": {"pulse_ms": 40}}, "next": [{"after_ms": 250, "to": "pause"}]},
    "omission": {
        "next": [
            {"when": "plugged", "to": "pause"},
            {"when": "looks", "to": "pause"},
            {"after_ms": 800, "to": "pause"},
        ]
    },
}


def every_kind(folder: Path) -> Config:
    """Return the config; the package of its plug-in is laid into `folder`.

    Raises
    ------
    RuntimeError
        A kind of rule is missing: this bench has not kept up.
    """
    rules = copy.deepcopy(RULES) | {"classified": CLASSIFIER, "plugged": install(folder)}
    rules["short"]["below_px"] = 110  # the simulated mouse is seldom shorter than 90 px
    config = config_from(
        {
            "session": {"subject": "bench"},
            "cameras": {"top": {"driver": "sim", "size": [640, 480], "rate_hz": 100, "seed": 9}},
            "model": {"path": "builtin:simulated_mouse"},
            "filter": {"type": "kalman", "horizon": "auto"},
            "calibration": {"px_per_mm": 2.0},
            "zones": copy.deepcopy(ZONES),
            "rules": rules,
            "outputs": OUTPUTS,
            "protocol": {"type": "states", "seed": 5, "states": STATES},
        },
        base=folder,
    )
    missing = kinds() - {rule.type for rule in config.rules.values()}
    if missing:
        raise RuntimeError(f"benches.replay has no rule of kind {', '.join(sorted(missing))}")
    return config

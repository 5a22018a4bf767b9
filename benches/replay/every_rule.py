"""Zones and rules of every kind, for a body of five parts in a frame of 640x480 px, 2 px a mm."""

from __future__ import annotations

from typing import Any, get_args

from fastpose import config as cfg

__all__ = ["BODY", "NOT_HERE", "RULES", "ZONES", "kinds"]

BODY = ["tailbase", "center", "snout"]
TEMPLATE = [[0, 0], [50, 0], [95, 0], [70, -10], [70, 10]]  # px; tailbase, center, snout, leftear, rightear

ZONES: dict[str, Any] = {
    "left_half": {"polygon": [[0, 0], [320, 0], [320, 479], [0, 479]]},
    "disc": {"circle": {"center": [320, 240], "radius_px": 120}},
    "band": {"rectangle": {"x": 0, "y": 160, "width": 639, "height": 160}},
    "box": {"square": {"center": [320, 240], "side_px": 220, "angle_deg": 30}},
    "oval": {"ellipse": {"center": [320, 240], "half_axes_px": [200, 110], "angle_deg": -20}},
    "plate": {"circle": {"center": [160, 120], "radius_mm": 60}, "units": "mm"},
}

RULES: dict[str, dict[str, Any]] = {
    "in_left_half": {"type": "in_zone", "zone": "left_half", "bodyparts": ["snout"], "hysteresis_px": 5},
    "in_box": {"type": "in_zone", "zone": "box", "bodyparts": BODY, "which": "all", "min_duration_ms": 30},
    "on_plate": {"type": "in_zone", "zone": "plate", "bodyparts": ["center"], "hysteresis_mm": 2},
    "off_disc": {
        "type": "outside_zone",
        "zone": "disc",
        "bodyparts": BODY,
        "which": "all",
        "missing": "false",
    },
    "entry": {"type": "zone_entry", "zone": "oval", "bodyparts": ["snout"], "min_duration_ms": 20},
    "exit": {"type": "zone_exit", "zone": "disc", "bodyparts": ["snout"], "refractory_ms": 200},
    "stayed": {"type": "dwell", "zone": "band", "bodyparts": ["center"], "above_ms": 400, "within_ms": 2000},
    "port": {
        **{"type": "head_in_zone", "zone": "left_half", "zone_bodyparts": ["center"]},
        **{"bodyparts": ["center", "snout"], "point": [0, 240], "below_deg": 60},
    },
    "line": {
        "type": "line_crossing",
        "line": [[320, 0], [320, 479]],
        "bodypart": "snout",
        "hysteresis_px": 4,
    },
    "runs": {"type": "speed", "bodypart": "center", "above_px_s": 150, "hysteresis_px_s": 30},
    "runs_mm": {"type": "speed", "bodypart": "center", "above_mm_s": 60, "window_ms": 100},
    "freezes": {"type": "freezing", "bodyparts": BODY, "below_px_s": 80, "min_duration_ms": 100},
    "starts": {"type": "acceleration", "bodypart": "center", "above_px_s2": 500, "change": "faster"},
    "turns": {"type": "angular_velocity", "bodyparts": ["tailbase", "snout"], "above_deg_s": 60},
    "short": {"type": "distance", "bodyparts": ["snout", "tailbase"], "below_px": 90, "hysteresis_px": 4},
    "at_port": {"type": "contact", "bodypart": "snout", "to": {"point": [320, 240]}, "below_px": 80},
    "nears": {"type": "approach", "bodypart": "snout", "to": {"point": [320, 240]}, "above_px_s": 60},
    "leaves": {"type": "retreat", "bodypart": "snout", "to": {"point": [320, 240]}, "above_px_s": 60},
    "looks": {"type": "angle", "bodyparts": ["center", "snout"], "point": [320, 20], "below_deg": 45},
    "bends": {"type": "angle", "bodyparts": BODY, "below_deg": 175, "hysteresis_deg": 2},
    "head_left": {"type": "egocentric", "bodyparts": BODY, "side": "left", "above_deg": 5},
    "screen": {"type": "facing_edge", "bodyparts": ["center", "snout"], "edge": "east", "below_deg": 60},
    "long": {"type": "body_length", "bodyparts": ["tailbase", "snout", "leftear"], "above_px": 122},
    "stretched": {
        **{"type": "posture", "bodyparts": [*BODY, "leftear", "rightear"], "template": TEMPLATE},
        **{"below_px": 12, "scale": True},
    },
    "any_of": {"type": "any", "rules": ["all_of", "runs"]},  # named before it stands
    "all_of": {"type": "all", "rules": ["in_left_half", "off_disc"]},
    "none_of": {"type": "not", "rule": "any_of"},
    "began": {"type": "begins", "rule": "runs"},
    "ended": {"type": "ends", "rule": "runs"},
    "then": {"type": "sequence", "rules": ["in_left_half", "runs", "off_disc"], "within_ms": 3000},
}

NOT_HERE = ("classifier", "plugin")
"""These need a model's file, or an installed package."""


def kinds() -> set[str]:
    """Return the types of rules that a config may have."""
    (union, _) = get_args(cfg.Rule)
    return {get_args(rule.model_fields["type"].annotation)[0] for rule in get_args(union)}

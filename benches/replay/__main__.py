"""Half an hour of the simulated animal through every kind of rule and a machine with chance, replayed.

    python -m benches.replay [--minutes 30] [--config FILE] [--output benches/results/replay.json]

The session is run on a logical clock (`fastpose.testing`), written as a session folder, and replayed as
`fastpose replay` does it. `--config`: another experiment, whose acting camera is simulated.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benches.machine import machine

from fastpose.config import Config, config_from, load_config
from fastpose.replay import replay_session
from fastpose.seeding import with_seed
from fastpose.testing import simulated_poses, try_protocol, write_session

__all__ = ["main", "run"]

OUTPUT = Path("benches/results/replay.json")
NOISE_PX = 0.5
BODY = ["tailbase", "center", "snout"]
EXPERIMENT: dict[str, Any] = {
    "session": {"subject": "bench"},
    "cameras": {"top": {"driver": "sim", "size": [640, 480], "rate_hz": 100, "seed": 9}},
    "model": {"path": "builtin:simulated_mouse"},
    "filter": {"type": "kalman", "horizon": "auto"},
    "zones": {
        "left": {"polygon": [[0, 0], [320, 0], [320, 479], [0, 479]]},
        "disc": {"circle": {"center": [320, 240], "radius_px": 120}},
        "band": {"rectangle": {"x": 0, "y": 160, "width": 639, "height": 160}},
    },
    "rules": {
        "in_left": {"type": "in_zone", "zone": "left", "bodyparts": ["snout"], "hysteresis_px": 5},
        "in_band": {
            "type": "in_zone",
            "zone": "band",
            "bodyparts": BODY,
            "which": "all",
            "min_duration_ms": 30,
        },
        "off_disc": {"type": "outside_zone", "zone": "disc", "bodyparts": BODY, "which": "all"},
        "runs": {"type": "speed", "bodypart": "center", "above_px_s": 150, "hysteresis_px_s": 30},
        "rests": {"type": "speed", "bodypart": "center", "below_px_s": 20, "refractory_ms": 200},
        "short": {"type": "distance", "bodyparts": ["snout", "tailbase"], "below_px": 110},
        "looks": {"type": "angle", "bodyparts": ["center", "snout"], "point": [320, 20], "below_deg": 45},
        "east": {"type": "angle", "bodyparts": ["center", "snout"], "heading_deg": 0, "below_deg": 60},
        "bends": {"type": "angle", "bodyparts": BODY, "below_deg": 175, "hysteresis_deg": 2},
    },
    "outputs": {
        "laser": {"driver": "sim", "max_on_ms": 300, "max_rate_hz": 4},
        "valve": {"driver": "sim", "max_on_ms": 100, "max_rate_hz": 2},
    },
    "protocol": {
        "type": "states",
        "seed": 5,
        "states": {
            "pause": {"next": [{"after_ms": {"uniform": [200, 900]}, "to": "cue"}]},
            "cue": {
                "during": {"laser": "on"},
                "next": [
                    {"when": "runs", "to": {"reward": 3, "omission": 1}},
                    {"when": "short", "to": "pause"},
                    {"after_ms": 1200, "to": "pause"},
                ],
            },
            "reward": {
                "on_entry": {"valve": {"pulse_ms": 40}},
                "next": [{"after_ms": 250, "to": "pause"}],
            },
            "omission": {"next": [{"when": "looks", "to": "pause"}, {"after_ms": 800, "to": "pause"}]},
        },
    },
}


def run(config: Config, minutes: float) -> dict[str, Any]:
    """Run a session on a logical clock, write it, replay it."""
    config = with_seed(config)
    poses = simulated_poses(config, seconds=60 * minutes, noise_px=NOISE_PX)
    tried = try_protocol(config, poses=poses)
    with tempfile.TemporaryDirectory(prefix="fastpose-replay-") as folder:
        session = write_session(Path(folder) / "session", config, poses, tried)
        begin = time.monotonic()
        replay = replay_session(session)
        took_s = time.monotonic() - begin
    return {
        "minutes": minutes,
        "frames": len(poses),
        "rules": sorted({rule.type for rule in config.rules.values()}),
        "events": {f"{event} {name}": new for (event, name), (_, new) in replay.counts.items()},
        "identical": replay.identical,
        "differences": len(replay.differences),
        "filtered_px": replay.cameras["top"].filtered_px,
        "replay_s": round(took_s, 2),
    }


def main(arguments: list[str]) -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benches.replay", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args(arguments)
    config = load_config(options.config) if options.config else config_from(EXPERIMENT)
    found = run(config, options.minutes)
    told = "bit-identical" if found["identical"] else f"{found['differences']} events differ"
    events = sum(found["events"].values())
    print(f"{found['frames']} frames, {events} events: {told}; replayed in {found['replay_s']:g} s")
    content = {"machine": machine(), **found}
    options.output.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    if not found["identical"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main(sys.argv[1:])

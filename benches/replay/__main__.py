"""Half an hour of the simulated animal through a rule of every kind and a machine with chance, replayed.

    python -m benches.replay [--minutes 30] [--config FILE] [--output benches/results/replay.json]

The session is run on a machine that is late at will (`fastpose.testing.late_session`; `--worst-ms 0`: in
time), written as a session folder, and replayed as `fastpose replay` does it. Reading the classifier
needs the extra `classify`. `--config`: another experiment, whose acting camera is simulated.
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
from benches.replay.experiment import every_kind

from fastpose.config import Config, load_config
from fastpose.replay import replay_session
from fastpose.testing import LateMachine, late_session, simulated_poses

__all__ = ["main", "run"]

OUTPUT = Path("benches/results/replay.json")
NOISE_PX = 0.5


def run(config: Config, minutes: float, lateness: LateMachine) -> dict[str, Any]:
    """Run a session, write it, replay it."""
    poses = simulated_poses(config, seconds=60 * minutes, noise_px=NOISE_PX)
    with tempfile.TemporaryDirectory(prefix="fastpose-replay-") as folder:
        session = late_session(Path(folder) / "session", config, poses, lateness)
        begin = time.monotonic()
        replay = replay_session(session)
        took_s = time.monotonic() - begin
    camera = replay.cameras[config.acting_camera or ""]
    return {
        "minutes": minutes,
        "frames": len(poses),
        "processed": camera.frames,
        "lateness": vars(lateness),
        "latest_end_ms": replay.latest_end_ms,
        "rules": sorted({rule.type for rule in config.rules.values()}),
        "events": {f"{event} {name}": new for (event, name), (_, new) in replay.counts.items()},
        "identical": replay.identical,
        "differences": len(replay.differences),
        "filtered_px": camera.filtered_px,
        "replay_s": round(took_s, 2),
    }


def main(arguments: list[str]) -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benches.replay", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--worst-ms", type=float, default=20.0, help="longest of the injected delays")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args(arguments)
    lateness = LateMachine(seed=5, worst_ms=options.worst_ms, share=0.005)
    with tempfile.TemporaryDirectory(prefix="fastpose-replay-") as folder:
        config = load_config(options.config) if options.config else every_kind(Path(folder))
        found = run(config, options.minutes, lateness)
    told = "bit-identical" if found["identical"] else f"{found['differences']} events differ"
    events = sum(found["events"].values())
    print(
        f"{found['frames']} frames, {found['processed']} processed, {len(found['rules'])} kinds of rules, "
        f"{events} events: {told}; replayed in {found['replay_s']:g} s"
    )
    content = {"machine": machine(), **found}
    options.output.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    if not found["identical"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main(sys.argv[1:])

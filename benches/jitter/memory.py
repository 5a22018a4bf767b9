"""Memory over 100,000 frames and the time to the first pose: ``python -m benches.jitter.memory``."""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from benches.jitter.__main__ import OUTPUT, add_to
from benches.machine import machine

from fastpose import Rig
from fastpose.config import Config, config_from

PAGE = os.sysconf("SC_PAGE_SIZE")
FIRST, LAST = 10_000, 100_000
LONGEST_S = 360  # of one session: on a slow machine it sees fewer frames, and says so
SIZE = (64, 64)
RATES_HZ = {"fake": 5000.0, "network": 1500.0}


def rss_bytes() -> int:
    """What the process has in RAM, with its share of the ring."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def config(kind: str, folder: Path, frames: int) -> Config:
    """A session of so many frames: the fake network, or the demo network on small frames."""
    return config_from(
        {
            "session": {"subject": kind, "directory": str(folder), "duration_s": LONGEST_S},
            "cameras": {
                "top": {
                    "driver": "sim",
                    "size": SIZE,
                    "rate_hz": RATES_HZ[kind],
                    "exposure_us": 50,
                    "prerender_frames": 16,
                    "frames_total": frames,
                    "frames": "every",
                }
            },
            "model": {"path": "builtin:simulated_mouse", "device": "fake" if kind == "fake" else "cpu"},
            "zones": {"left": {"rectangle": {"x": 0, "y": 0, "width": SIZE[0] / 2, "height": SIZE[1] - 1}}},
            "rules": {"inside": {"type": "in_zone", "zone": "left", "bodyparts": ["snout"]}},
            "outputs": {"line": {"driver": "sim"}},
            "protocol": {"type": "conditional", "when": "inside", "do": {"line": "follow"}},
            "record": {"video": None},
        }
    )


def run(kind: str) -> dict[str, Any]:
    """RSS and the time to the first pose of one session."""
    marks: dict[int, int] = {}
    with tempfile.TemporaryDirectory(prefix="fastpose-bench-") as folder:
        begin = time.perf_counter()
        with Rig(config(kind, Path(folder), int(LAST * 1.05)), feed=False) as rig:
            armed = time.perf_counter()
            rig.start()
            while rig.snapshot()["processed"] == 0:
                time.sleep(0.0005)
            first = time.perf_counter()
            rig.run(lambda running: _mark(running, marks))
            lost = rig.snapshot()["lost_records"]
    frames = sorted(marks)
    growth = marks[frames[-1]] - marks[frames[0]] if len(frames) > 1 else None
    return {
        "rss_bytes": {str(frame): marks[frame] for frame in frames},
        "growth_bytes": growth,
        "lost_records": lost,
        "open_ms": round(1e3 * (armed - begin), 1),
        "armed_to_first_pose_ms": round(1e3 * (first - armed), 1),
    }


def _mark(rig: Rig, marks: dict[int, int]) -> None:
    processed = rig.snapshot()["processed"]
    for frame in range(FIRST, LAST + 1, FIRST):
        if processed >= frame and frame not in marks:
            marks[frame] = rss_bytes()
    if LAST in marks:
        rig.stop("finished")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benches.jitter.memory", description=__doc__)
    parser.add_argument("--kinds", default=",".join(RATES_HZ), help="comma separated, default all")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    for kind in options.kinds.split(","):
        found = run(kind)
        add_to(options.output, "memory", kind, found | {"machine": machine(), "rate_hz": RATES_HZ[kind]})
        print(kind, found, flush=True)


if __name__ == "__main__":
    main()

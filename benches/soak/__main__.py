"""A long session on the simulated camera, with stored network outputs: nothing may grow.

    python -m benches.soak [--frames 1000000] [--rate-hz 2500] [--codec libx264|ffv1|none] [--output JSON]

Looks at memory, file handles and threads of the engine and of the encoder 50 times. Ends with 1 when one of
them grew, or when an exposure has no row in the session's files. The rate is what is asked for: with `frames:
every` the camera waits for a machine that cannot hold it, and the report says what came of it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benches.machine import machine
from benches.soak.watch import Watch

from fastpose import Rig
from fastpose.config import Config, config_from

__all__ = ["config", "main", "soak"]

LOOKS = 50
SIZE = (64, 64)
OUTPUT = Path("benches/results/soak.json")


def config(folder: Path, frames: int, rate_hz: float, codec: str) -> Config:
    """The session: every frame processed, with edges of a rule and an output in each 16."""
    return config_from(
        {
            "session": {"subject": "soak", "directory": str(folder)},
            "cameras": {
                "top": {
                    "driver": "sim",
                    "size": SIZE,
                    "rate_hz": rate_hz,
                    "exposure_us": 50,
                    "transfer_ms": 0.1,
                    "prerender_frames": 16,
                    "frames_total": frames,
                    "frames": "every",
                    "ring_slots": 256,
                }
            },
            "model": {"path": "builtin:simulated_mouse", "device": "fake"},
            "filter": {"type": "one_euro", "min_cutoff_hz": 1.0, "beta": 0.02},
            "zones": {"left": {"rectangle": {"x": 0, "y": 0, "width": SIZE[0] / 2, "height": SIZE[1] - 1}}},
            "rules": {"inside": {"type": "in_zone", "zone": "left", "bodyparts": ["snout"]}},
            "outputs": {"line": {"driver": "sim"}},
            "protocol": {"type": "conditional", "when": "inside", "do": {"line": "follow"}},
            "record": {"video": None if codec == "none" else _video(codec), "on_error": "stop"},
        }
    )


def _video(codec: str) -> dict[str, str]:
    return {"codec": codec} | ({"preset": "ultrafast"} if codec == "libx264" else {})


def soak(wanted: Config, frames: int) -> dict[str, Any]:
    """Run the session and say what it held, what it counted, and what was wrong."""
    with Rig(wanted, feed=False) as rig:
        watch = Watch()
        started = time.monotonic()

        def look(running: Rig) -> None:
            processed = running.snapshot()["processed"]
            if processed * LOOKS >= frames * (len(watch.held["engine"]) + 1):
                watch.look(processed)

        rig.run(look)
        seconds = time.monotonic() - started
        counts = rig.snapshot()
    held = watch.report()
    problems = [f"{name}: {grew}" for name, found in held.items() for grew in found["growth"]["grew"]]
    return {
        "seconds": round(seconds, 1),
        "frames_per_s": round(counts["processed"] / seconds, 1),
        "ended": rig.ended,
        "warnings": rig.warnings,
        "counts": {name: value for name, value in counts.items() if isinstance(value, int)},
        "problems": problems + _unaccounted(rig, frames),
        "held": held,
    }


def _unaccounted(rig: Rig, frames: int) -> list[str]:
    """Exposures without a row, and frames that should have been encoded and are not in the video."""
    assert rig.summary is not None
    camera = rig.summary.cameras["top"]
    found = []
    if camera.exposures != frames:
        found.append(f"{camera.exposures} rows for {frames} exposures")
    recorded = camera.received - camera.drops["recorder"]
    if camera.video_frames is not None and camera.video_frames != recorded:
        found.append(f"{camera.video_frames} frames in the video, {recorded} were recorded")
    return found


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benches.soak", description=__doc__)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--rate-hz", type=float, default=2500.0)
    parser.add_argument("--codec", choices=("libx264", "ffv1", "none"), default="libx264")
    parser.add_argument("--folder", type=Path, help="for the session, 400 bytes a frame; default: temporary")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args(arguments)
    if options.frames < LOOKS or options.rate_hz <= 0:
        parser.error(f"--frames must be {LOOKS} or more, --rate-hz above 0")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run, print, write; returns 1 where something grew or is missing."""
    options = parse(arguments)
    fingerprint = machine()
    folder = Path(tempfile.mkdtemp(prefix="fastpose-soak-", dir=options.folder))
    try:
        wanted = config(folder, options.frames, options.rate_hz, options.codec)
        result = soak(wanted, options.frames)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    settings = {
        "frames": options.frames,
        "rate_hz": options.rate_hz,
        "codec": options.codec,
        "size": list(SIZE),
    }
    content = {"bench": "soak", "machine": fingerprint, "settings": settings, **result}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(_text(content), f"-> {options.output}", sep="\n")
    return 1 if result["problems"] else 0


def _text(content: dict[str, Any]) -> str:
    lines = [
        f"{content['counts']['processed']} frames in {content['seconds']} s, "
        f"{content['frames_per_s']} a second, {content['settings']['codec']}"
    ]
    lines += [_line(name, found["growth"], len(found["looks"])) for name, found in content["held"].items()]
    return "\n".join([*lines, *(f"  {problem}" for problem in content["problems"])])


def _line(name: str, growth: dict[str, Any], looks: int) -> str:
    memory, handles, threads = (growth.get(key, 0) for key in ("memory_bytes", "handles", "threads"))
    grown = f"memory {memory / 1024:+.0f} KiB, handles {handles:+d}, threads {threads:+d}"
    return f"  {name}: {grown} in {looks} looks"


if __name__ == "__main__":
    sys.exit(main())

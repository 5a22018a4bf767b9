"""One source in a session of its own process: ``python -m benches.grab.session NAME FRAMES OUTPUT``."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benches.grab.sources import RATE_HZ, SOURCES, Source
from benches.latency.segment import granted_to, read_segment
from benches.latency.spans import summary

from fastpose import Rig, _core
from fastpose.assembly.cameras import open_camera, open_ring
from fastpose.config import Config, config_from

__all__ = ["config", "measure"]

QUEUED_FRAMES = 500


def config(source: Source, folder: Path, frames: int) -> Config:
    """The source with stored network outputs and nothing to act on: the loop waits for frames."""
    return config_from(
        {
            "session": {
                "subject": source.name,
                "directory": str(folder / "sessions"),
                "duration_s": frames / RATE_HZ,
            },
            "cameras": {"top": {"frames": "newest", **source.camera(folder, frames)}},
            "model": {"path": "builtin:simulated_mouse", "device": "fake", "input_size": [320, 256]},
            "record": {"video": None},
        }
    )


def measure(source: Source, frames: int) -> dict[str, Any]:
    """From the frame in memory (the library's call has returned) until the loop has it."""
    with tempfile.TemporaryDirectory(prefix="fastpose-grab-") as folder:
        rig = Rig(config(source, Path(folder), frames), feed=False)
        with rig:
            rig.run()
            granted = granted_to(rig)
        times, counts = read_segment(rig.directory, frames)
    queued_frames = min(frames, QUEUED_FRAMES)
    return {
        **(source.bench(queued_frames) if source.bench is not None else _queued(source, queued_frames)),
        "received_to_dequeued": summary(times["received_to_dequeued"]),
        "drops": dict(counts.drops),
        "granted": {name: granted[name] for name in ("realtime", "affinity", "fifo", "spun")},
        "spin": granted["spun"] > 0,
    }


def _queued(source: Source, frames: int) -> dict[str, Any]:
    """From the driver's call until the loop has the frame, where the driver is one in C++."""
    with tempfile.TemporaryDirectory(prefix="fastpose-grab-") as folder:
        whole = config(source, Path(folder), 3 * frames)
        camera = open_camera("top", whole.cameras["top"])
        if camera.driver is None:
            return {}
        ring = open_ring(camera, loop=True, record=whole.record)
        cost = _core.measure_grab_cost(camera.driver, ring, frames=frames)
    return {"queued": summary(cost["queued_ns"]), "failed_buffers": cost["failed"]}


def main() -> None:
    name, frames, output = sys.argv[1:]
    (source,) = [each for each in SOURCES if each.name == name]
    Path(output).write_text(json.dumps(measure(source, int(frames))), encoding="utf-8")


if __name__ == "__main__":
    main()

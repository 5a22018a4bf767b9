"""One session of the bench: its config, and what its frames.parquet tells."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from benches.latency.segment import durations_of, granted_to
from benches.latency.spans import Durations

from fastpose import Rig
from fastpose.config import Config, config_from

__all__ = ["CONDITIONS", "LOOP_SPANS", "Fates", "Measured", "Segment", "config", "fates_of", "run_segment"]

SIZE, RATE_HZ = (640, 512), 150
WARM_UP_FRAMES = 150  # left out of the times; drops count from the first frame
PRERENDERED = 30
CONDITIONS = {"unrecorded": False, "recorded": True}
LOOP_SPANS = {
    "dequeued_to_decided": ("dequeued_ns", "decided_ns"),
    "exposure_start_to_decided": ("exposure_start_ns", "decided_ns"),
    "received_to_dequeued": ("received_ns", "dequeued_ns"),
}


@dataclass
class Fates:
    """What became of a camera's exposures.

    Attributes
    ----------
    exposures : int
        That the camera made.
    rows, received, processed, recorded : int
        Rows in frames.parquet; frames that arrived; that the loop decided on; that are in the video.
    drops : dict
        Rows for each drop reason.
    unmatched : int
        Frames whose partner did not arrive.
    """

    exposures: int = 0
    rows: int = 0
    received: int = 0
    processed: int = 0
    recorded: int = 0
    unmatched: int = 0
    drops: Counter[str] = field(default_factory=Counter)

    @property
    def lost_silently(self) -> int:
        """Exposures without a row."""
        return self.exposures - self.rows

    def as_json(self) -> dict[str, Any]:
        """The counts by name."""
        return {**vars(self), "drops": dict(self.drops), "lost_silently": self.lost_silently}

    def __add__(self, other: Fates) -> Fates:
        return Fates(**{name: getattr(self, name) + getattr(other, name) for name in vars(self)})


@dataclass(frozen=True)
class Segment:
    """One session: durations of the loop's spans, ns, and the fates of each camera's exposures."""

    times: dict[str, Durations]
    fates: dict[str, Fates]
    ended: str
    granted: dict[str, Any]


@dataclass
class Measured:
    """The segments of one condition."""

    segments: list[Segment] = field(default_factory=list)

    def pooled(self, span: str) -> Durations:
        """Durations of all rounds, ns."""
        return np.concatenate([np.zeros(0, np.int64), *(segment.times[span] for segment in self.segments)])


def config(folder: Path, seconds: float, *, record: bool) -> Config:
    """The session: both cameras end by themselves after so many seconds."""
    exposures = max(1, round(seconds * RATE_HZ))
    return config_from(
        {
            "session": {"subject": "two_cameras", "directory": str(folder), "duration_s": 3 * seconds + 20},
            "cameras": {
                "top": _camera(exposures, 5, "internal"),
                "side": _camera(exposures, 6, "external_edge"),
            },
            "synchronise": {"by": "counter"},
            "model": {"path": "builtin:simulated_mouse", "camera": "top", "input_size": [320, 256]},
            "zones": {"half": {"rectangle": {"x": 0, "y": 0, "width": SIZE[0] / 2, "height": SIZE[1] - 1}}},
            "rules": {"left": {"type": "in_zone", "zone": "half", "bodyparts": ["snout"]}},
            "outputs": {"line": {"driver": "sim"}},
            "protocol": {"type": "conditional", "when": "left", "do": {"line": "follow"}},
            "record": {"video": {"codec": "libx264"} if record else None},
        }
    )


def _camera(exposures: int, seed: int, source: str) -> dict[str, Any]:
    return {
        "driver": "sim",
        "size": SIZE,
        "rate_hz": RATE_HZ,
        "seed": seed,
        "clock": {"offset_s": 10.0 * seed, "drift_ppm": 20 * (seed - 5.5)},
        "prerender_frames": PRERENDERED,
        "frames_total": exposures,
        "camera_trigger": {"source": source, "line": "bench"},
    }


def run_segment(folder: Path, seconds: float, *, record: bool) -> Segment:
    """Run one session and read its results.

    Raises
    ------
    FastposeError
        The session could not start, or a fault ended it.
    """
    wanted = config(folder, seconds, record=record)
    rig = Rig(wanted, feed=False)
    with rig:
        rig.run()
        granted = granted_to(rig)
    table = pq.read_table(rig.directory / "frames.parquet")
    shutil.rmtree(rig.directory, ignore_errors=True)
    exposures = max(1, round(seconds * RATE_HZ))
    fates = {name: fates_of(_rows(table, name), exposures) for name in wanted.cameras}
    loop = _rows(table, "top").slice(WARM_UP_FRAMES)
    times = {name: durations_of(loop, *ends) for name, ends in LOOP_SPANS.items()}
    return Segment(times, fates, rig.ended, granted)


def _rows(table: pa.Table, camera: str) -> pa.Table:
    return table.filter(pc.equal(table["camera"], camera))


def fates_of(rows: pa.Table, exposures: int) -> Fates:
    """Count the rows of one camera, which made so many exposures."""
    return Fates(
        exposures=exposures,
        rows=rows.num_rows,
        received=rows.num_rows - rows["frame_id"].null_count,
        drops=Counter(reason for reason in rows["drop_reason"].to_pylist() if reason),
        **{name: sum(rows[name].to_pylist()) for name in ("processed", "recorded", "unmatched")},
    )

"""One condition for a few seconds: a whole session on the real engine, read back from its frames.parquet."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from benches.latency.conditions import Condition
from benches.latency.loads import beside
from benches.latency.spans import SPANS, Durations
from benches.latency.workspace import Workspace, exposures_in

from fastpose import Rig

__all__ = ["WARM_UP_FRAMES", "Counts", "Segment", "durations_of", "granted_to", "read_segment", "run_segment"]

WARM_UP_FRAMES = 20  # at the start of a segment, left out of the times; drops count from the first frame


@dataclass
class Counts:
    """What became of the frames.

    Attributes
    ----------
    exposures : int
        That the camera made.
    received, processed, recorded : int
        Frames that reached the ring, the decision, the video file.
    late : int
        Frames that the camera delivered later than the next exposure.
    drops : dict
        Rows of frames.parquet for each drop reason.
    """

    exposures: int = 0
    received: int = 0
    processed: int = 0
    recorded: int = 0
    late: int = 0
    drops: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """The counts by name."""
        return {**vars(self), "drops": dict(self.drops)}

    def __add__(self, other: Counts) -> Counts:
        sums = {name: getattr(self, name) + getattr(other, name) for name in vars(self)}
        return Counts(**sums)


@dataclass(frozen=True)
class Segment:
    """What one segment gave: durations of each span, ns, and the counts."""

    times: dict[str, Durations]
    counts: Counts
    ended: str
    granted: dict[str, Any]


def run_segment(condition: Condition, workspace: Workspace, seconds: float) -> Segment:
    """Run one session and read its results.

    Raises
    ------
    FastposeError
        The session could not start, or a fault ended it.
    """
    config = workspace.config(condition, seconds)
    rig = Rig(config, feed=False)
    with rig:
        with beside(condition.load):
            rig.run()
        granted = granted_to(rig)
    times, counts = read_segment(rig.directory, exposures_in(condition, seconds))
    workspace.clear(rig.directory)
    return Segment(times, counts, rig.ended, granted)


def granted_to(rig: Rig) -> dict[str, Any]:
    """What the system granted the loop of a running rig, and how it was timed."""
    engine = rig.engine
    return {
        **engine.loop_grant,
        "memory_locked": engine.memory_grant["present"],
        **engine.loop_timing,
    }


def read_segment(session: Path, exposures: int) -> tuple[dict[str, Durations], Counts]:
    """Return the durations of each span, ns, and what became of the frames.

    Parameters
    ----------
    session : Path
        A session folder.
    exposures : int
        That its camera made.
    """
    table = pq.read_table(session / "frames.parquet")
    counts = Counts(
        exposures=exposures,
        received=table.num_rows - table["frame_id"].null_count,
        drops=Counter(reason for reason in table["drop_reason"].to_pylist() if reason),
        **{name: sum(table[name].to_pylist()) for name in ("processed", "recorded", "late")},
    )
    warm = table.slice(WARM_UP_FRAMES)
    return {name: durations_of(warm, *ends) for name, ends in SPANS.items()}, counts


def durations_of(rows: pa.Table, start: str, stop: str) -> Durations:
    """Stop - start in the rows that have both, ns."""
    durations: Durations = pc.subtract(rows[stop], rows[start]).drop_null().to_numpy()
    return durations

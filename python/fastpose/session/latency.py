"""latency.json: percentiles of every stage and of the whole way from exposure to decision and to action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose.session.events import is_late
from fastpose.session.frames import CameraFrames
from fastpose.session.log import Records

__all__ = [
    "ACTED",
    "DECIDED",
    "END_TO_END",
    "PERCENTILES",
    "STAGES",
    "Span",
    "camera_latency",
    "percentiles_ms",
]

PERCENTILES = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p99.9": 99.9}


@dataclass(frozen=True)
class Span:
    """The time between two stamps of one frame."""

    start: str
    stop: str

    @property
    def name(self) -> str:
        """Such as `dequeued->decided`."""
        return f"{self.start}->{self.stop}"

    def where(self, records: Records) -> npt.NDArray[np.bool_]:
        """(n,) frames that reached both stamps."""
        return np.asarray((records[f"{self.start}_ns"] != 0) & (records[f"{self.stop}_ns"] != 0))

    def durations_ms(self, records: Records) -> npt.NDArray[np.float64]:
        """(m,) of the frames that reached both stamps."""
        has = records[self.where(records)]
        return np.asarray((has[f"{self.stop}_ns"] - has[f"{self.start}_ns"]) / 1e6)


STAGES = (
    Span("exposure_start", "received"),
    Span("received", "dequeued"),
    Span("dequeued", "preprocessed"),
    Span("preprocessed", "inferred"),
    Span("inferred", "decoded"),
    Span("decoded", "filtered"),
    Span("filtered", "decided"),
    Span("decided", "acted"),
)
ACTED = Span("exposure_start", "acted")
DECIDED = Span("exposure_start", "decided")
END_TO_END = (ACTED, DECIDED, Span("dequeued", "acted"), Span("dequeued", "decided"))


def percentiles_ms(durations_ms: npt.NDArray[np.float64]) -> dict[str, Any]:
    """n, p50, p90, p99, p99.9 and max (linear interpolation, as `numpy.percentile`); null where n is 0."""
    n = len(durations_ms)
    values = np.percentile(durations_ms, list(PERCENTILES.values())) if n else [None] * len(PERCENTILES)
    found = {name: _rounded(value) for name, value in zip(PERCENTILES, values, strict=True)}
    return {"n": n, **found, "max": _rounded(durations_ms.max()) if n else None}


def camera_latency(frames: CameraFrames, events: Records) -> dict[str, Any]:
    """The latencies of one camera, all in ms.

    A frame counts in a span when it reached both of its stamps, so only frames whose decision moved an output
    count in `exposure_start->acted`.

    Parameters
    ----------
    frames : CameraFrames
    events : ndarray
        (m,) structured: the events that came of this camera's frames.
    """
    drops = frames.drops()
    loop = frames.records[frames.processed]  # a frame that failed midway has stamps, but no latency
    return {
        "unit": "ms",
        "n": len(loop),
        "drops": sum(drops.values()),
        "drops_by_reason": drops,
        "late": int(is_late(events).sum()),
        "clock_unfitted": int(frames.flagged("clock_unfitted").sum()),
        "end_to_end": {span.name: percentiles_ms(span.durations_ms(loop)) for span in END_TO_END},
        "stages": {span.name: percentiles_ms(span.durations_ms(loop)) for span in STAGES},
    }


def _rounded(value: Any) -> float | None:
    return None if value is None else round(float(value), 6)

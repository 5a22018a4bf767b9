"""From the rows of frames.parquet to durations, and from durations to percentiles."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["SPANS", "Durations", "ratios", "summary"]

Durations = npt.NDArray[np.int64]  # ns

ENDS = (
    ("dequeued", "acted"),
    ("exposure_start", "acted"),
    ("dequeued", "decided"),
    ("exposure_start", "decided"),
    ("received", "dequeued"),
    ("received", "acted"),
    ("dequeued", "preprocessed"),
    ("preprocessed", "inferred"),
    ("inferred", "decoded"),
    ("decoded", "filtered"),
    ("filtered", "decided"),
    ("decided", "acted"),
)
SPANS = {f"{start}_to_{stop}": (f"{start}_ns", f"{stop}_ns") for start, stop in ENDS}

PERCENTILES = {"p50_us": 50.0, "p90_us": 90.0, "p99_us": 99.0, "p99_9_us": 99.9, "max_us": 100.0}


def summary(durations: Durations) -> dict[str, float]:
    """Percentiles in microseconds, and their n; only n where there is nothing."""
    if len(durations) == 0:
        return {"n": 0}
    values = np.percentile(durations, list(PERCENTILES.values())) / 1e3
    return {name: round(float(value), 2) for name, value in zip(PERCENTILES, values, strict=True)} | {
        "n": len(durations)
    }


def ratios(rounds: list[Durations], baseline: list[Durations]) -> dict[str, float] | None:
    """How many times as long the median is as the baseline's in the same round.

    Returns
    -------
    dict or None
        Median, min and max over the rounds, and their n; None where no round has both.
    """
    pairs = [(a, b) for a, b in zip(rounds, baseline, strict=False) if len(a) and len(b)]
    if not pairs:
        return None
    found = np.array([np.median(a) / np.median(b) for a, b in pairs])
    values = {"median": np.median(found), "min": found.min(), "max": found.max()}
    return {name: round(float(value), 3) for name, value in values.items()} | {"rounds": len(found)}

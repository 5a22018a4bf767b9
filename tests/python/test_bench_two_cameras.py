"""The bench of two cameras: its arithmetic, and one very short real run, of which no time is judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from benches.two_cameras.__main__ import FULL_ROUNDS, FULL_SECONDS, measure, parse
from benches.two_cameras.report import report, text
from benches.two_cameras.session import CONDITIONS, LOOP_SPANS, Fates, Measured, Segment, fates_of


def test_the_long_form_records_for_ten_minutes() -> None:
    options = parse(["--full"])
    assert options.seconds * options.rounds == FULL_SECONDS * FULL_ROUNDS == 600
    assert parse([]).seconds < 60


def test_an_exposure_without_a_row_is_lost_silently() -> None:
    rows = pa.table(
        {
            "frame_id": pa.array([0, 1, None], pa.int64()),
            "drop_reason": ["", "ring", "camera"],
            "processed": [True, False, False],
            "recorded": [True, True, False],
            "unmatched": [False, True, False],
        }
    )
    found = fates_of(rows, 5)
    assert found.lost_silently == 2
    assert (found.received, found.processed, found.recorded, found.unmatched) == (2, 1, 2, 1)
    assert found.drops == {"ring": 1, "camera": 1}


def segment(times_us: list[float], lost: int) -> Segment:
    times: dict[str, Any] = {span: np.array([1000 * t for t in times_us], np.int64) for span in LOOP_SPANS}
    return Segment(times, {"top": Fates(10, 10 - lost), "side": Fates(10, 10)}, "finished", {})


def test_the_demand() -> None:
    measured = {
        "unrecorded": Measured([segment([10] * 100, 0)]),
        "recorded": Measured([segment([11] * 100, 0)]),
    }
    demand = report(measured)["demand"]
    assert demand["p99_over_unrecorded"] == 1.1
    assert demand["reached"]
    measured["recorded"].segments.append(segment([11], 1))
    demand = report(measured)["demand"]
    assert demand["lost_silently"] == 1
    assert not demand["reached"]


def test_a_very_short_run(tmp_path: Path) -> None:
    measured = measure(seconds=0.4, rounds=1, folder=tmp_path)
    assert set(measured) == set(CONDITIONS)
    found = report(measured)
    for name, condition in found["conditions"].items():
        assert condition["ended"] == ["finished"]
        for counts in condition["cameras"].values():
            assert counts["exposures"] == counts["rows"] == 60
            assert (counts["recorded"] > 0) == (name == "recorded")
    assert "demand" in text(found)

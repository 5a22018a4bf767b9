"""Which frames of several cameras belong together, and which to none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fastpose.session.frames import CameraFrames
from fastpose.session.log import FRAME_DTYPE
from fastpose.session.matching import matched, sets_by_time

MS = 1_000_000
START_NS = 1_000_000_000


def camera(
    name: str, counters: list[int], starts_ms: list[float], lost: tuple[int, ...] = ()
) -> CameraFrames:
    """Frames with these counters and exposures; counters in `lost` did not arrive."""
    records = np.zeros(len(counters), FRAME_DTYPE)
    records["camera_counter"] = counters
    records["exposure_start_ns"] = START_NS + np.round(np.array(starts_ms) * MS).astype(np.int64)
    arrived = ~np.isin(counters, lost)
    records["frame_id"] = np.where(arrived, np.cumsum(arrived) - 1, -1)
    records["exposure_start_ns"][~arrived] = 0
    return CameraFrames(name, records, np.zeros(0, np.int64), [])


def logs_of(**synchronise: Any) -> Any:
    return SimpleNamespace(config={"synchronise": synchronise} if synchronise else {}, notes=[])


def test_by_counter() -> None:
    cameras = {
        "top": camera("top", [0, 1, 2, 3], [0, 10, 20, 30], lost=(2,)),
        "side": camera("side", [0, 1, 2, 3], [0.1, 10.1, 20.1, 30.1]),
    }
    logs = logs_of(by="counter")
    found = matched(logs, cameras)
    assert found["top"].set_id is not None
    assert found["top"].set_id.tolist() == [0, 1, 2, 3]
    assert found["top"].flagged("unmatched").tolist() == [
        False,
        False,
        False,
        False,
    ]  # a lost one is no frame
    assert found["side"].flagged("unmatched").tolist() == [False, False, True, False]
    assert logs.notes == []


def test_by_time_the_counters_do_not_matter() -> None:
    cameras = {
        "top": camera("top", [0, 1, 2, 3], [0, 10, 20, 30]),
        "side": camera("side", [70, 71, 73], [10.4, 19.6, 40.0]),
    }
    found = matched(logs_of(by="time", tolerance_ms=1.0), cameras)
    assert found["top"].flagged("unmatched").tolist() == [True, False, False, True]
    assert found["side"].flagged("unmatched").tolist() == [False, False, True]
    top, side = found["top"].set_id, found["side"].set_id
    assert top is not None and side is not None
    assert top.tolist() == [0, 1, 2, 3] and side.tolist() == [1, 2, 4]


def test_a_set_needs_all_cameras_of_the_group() -> None:
    cameras = {name: camera(name, [0, 1], [0, 10]) for name in ("a", "b", "other")}
    cameras["c"] = camera("c", [1], [10])
    found = matched(logs_of(by="counter", cameras=["a", "b", "c"]), cameras)
    assert found["b"].flagged("unmatched").tolist() == [True, False]
    assert found["other"].set_id is None
    assert not found["other"].flagged("unmatched").any()


def test_without_the_section_nothing_changes() -> None:
    cameras = {name: camera(name, [0], [0]) for name in ("a", "b")}
    assert matched(logs_of(), cameras) is cameras


def test_equal_counters_that_are_no_equal_exposures_are_told() -> None:
    cameras = {
        "top": camera("top", list(range(5)), [0, 10, 20, 30, 40]),
        "side": camera("side", list(range(4)), [10, 20, 30, 40]),
    }
    logs = logs_of(by="counter")
    matched(logs, cameras)
    assert len(logs.notes) == 1
    assert "top and side: exposures of the same counter are +10.0 ms apart" in logs.notes[0]


@pytest.mark.parametrize("drift", [0.0, 50e-6])
def test_a_long_session_by_time(drift: float) -> None:
    starts = np.arange(20_000) * 5.0
    rng = np.random.default_rng(1)
    side = np.flatnonzero(rng.random(20_000) > 0.05)
    cameras = {
        "top": camera("top", list(range(20_000)), list(starts)),
        "side": camera("side", list(range(len(side))), list(starts[side] + 0.4 + drift * 10)),
    }
    sets = sets_by_time(cameras, tolerance_ns=MS)
    assert sets["side"].tolist() == side.tolist()

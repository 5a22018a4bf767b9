"""The stamps of each action in events.csv, and the rows that a protocol writes there."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fastpose.errors import RecordError
from fastpose.session.events import events_table, write_events
from fastpose.session.log import EVENT_DTYPE
from fastpose.session.source import read_session
from fastpose.session.user_rows import UserLog
from synthetic_session import START_NS, Camera, Session, make_frames, make_poses

MS = 1_000_000
FRAMES = make_frames(10)


def event(
    frame: int, after_ms: float, kind: int, source: int = 0, value: int = 1, flags: int = 0
) -> tuple[int, ...]:
    """An event so long after a frame's decision; of no frame where `frame` is below 0."""
    at = FRAMES[abs(frame) - (frame < 0)]
    stamp = int(at["decided_ns"]) + round(after_ms * MS)
    exposure = int(at["exposure_start_ns"]) if frame >= 0 else 0
    return (frame if frame >= 0 else -1, stamp, exposure, kind, source, value, flags, 0, 0)


def table(folder: Path, events: list[tuple[int, ...]]) -> pd.DataFrame:
    session = Session([Camera("top", FRAMES, make_poses(FRAMES))], np.array(events, EVENT_DTYPE))
    session.write(folder)
    return read(folder)


def read(folder: Path) -> pd.DataFrame:
    write_events(folder / "events.csv", events_table(read_session(folder)))
    return pd.read_csv(folder / "events.csv")


def test_an_action_has_its_four_stamps(tmp_path: Path) -> None:
    found = table(tmp_path, [event(3, 0, 0), event(3, 0.1, 2), event(-4, 1.3, 5)])
    output = found[found["event"] == "output"].iloc[0]
    assert output["exposure_start_ns"] == FRAMES["exposure_start_ns"][3]
    assert output["decided_ns"] == FRAMES["decided_ns"][3]
    assert output["acted_ns"] - output["decided_ns"] == 0.1 * MS
    assert output["confirmed_ns"] - output["decided_ns"] == 1.3 * MS
    rule = found[found["event"] == "rule"].iloc[0]
    assert rule[["decided_ns", "acted_ns", "confirmed_ns"]].isna().all()


def test_what_was_refused_or_suppressed_was_decided_and_never_acted(tmp_path: Path) -> None:
    found = table(tmp_path, [event(2, 0.1, 3), event(5, 0, 4, flags=1)])
    assert found["decided_ns"].tolist() == FRAMES["decided_ns"][[2, 5]].tolist()
    assert found[["acted_ns", "confirmed_ns"]].isna().all().all()


def test_each_answer_confirms_one_edge_of_its_line_and_level(tmp_path: Path) -> None:
    events = [
        event(1, 0.1, 2, source=0, value=1),
        event(1, 0.2, 2, source=1, value=1),
        event(-2, 5.0, 2, source=0, value=0, flags=2),
        event(3, 0.1, 2, source=0, value=1),  # its answer was lost
        event(6, 0.1, 2, source=0, value=1),
        event(-2, 0.9, 5, source=1, value=1),
        event(-2, 0.7, 5, source=0, value=1),
        event(-2, 5.5, 5, source=0, value=0),
        event(-7, 0.6, 5, source=0, value=1),
    ]
    found = table(tmp_path, events)
    outputs = found[found["event"] == "output"]
    delays = ((outputs["confirmed_ns"] - outputs["acted_ns"]) / MS).round(3).tolist()
    assert delays[:3] == [0.6, 0.7, 0.5]
    assert math.isnan(delays[3])
    assert delays[4] == 0.5


def test_an_edge_of_no_frame_has_no_decision(tmp_path: Path) -> None:
    found = table(tmp_path, [event(-3, 0.1, 2, flags=16)])
    assert found["decided_ns"].isna().all()
    assert found["acted_ns"].tolist() == [int(FRAMES["decided_ns"][2]) + 100_000]


def test_rows_of_a_protocol_stand_with_their_own_columns(tmp_path: Path) -> None:
    table(tmp_path, [event(3, 0, 0), event(6, 0, 0, value=0)])
    log = UserLog(tmp_path / "log")
    stamp = int(FRAMES["decided_ns"][4])
    where = {"camera": "top", "frame_id": 4, "exposure_start_ns": int(FRAMES["exposure_start_ns"][4])}
    log.append("lick", {"stamp_ns": stamp, **where}, {"count": 3, "side": "left, far"})
    log.append("lick", {"stamp_ns": stamp + MS, **where}, {"count": 4, "speed": 2.5})
    found = read(tmp_path)
    assert found["event"].tolist() == ["rule", "user", "user", "rule"]
    rows = found[found["event"] == "user"]
    assert rows["name"].tolist() == ["lick", "lick"]
    assert rows["count"].tolist() == [3, 4]
    assert rows["side"].fillna("").tolist() == ["left, far", ""]
    assert rows["speed"].tolist()[1] == 2.5
    assert rows["frame_id"].tolist() == [4, 4]
    assert rows["time_s"].tolist() == pytest.approx([(stamp - START_NS) / 1e9, (stamp + MS - START_NS) / 1e9])
    assert rows["latency_ms"].iloc[0] == pytest.approx((stamp - where["exposure_start_ns"]) / 1e6)  # type: ignore[operator]
    assert list(found.columns)[-3:] == ["count", "side", "speed"]


def test_a_row_that_a_kill_cut_short_is_left_out(tmp_path: Path) -> None:
    table(tmp_path, [event(3, 0, 0)])
    UserLog(tmp_path / "log").append("a", {"stamp_ns": START_NS}, {"x": 1})
    with (tmp_path / "log" / "user.jsonl").open("a") as file:
        file.write('{"name": "b", "stamp')
    assert read(tmp_path)["name"].tolist() == ["a", "in_corner"]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"stamp_ns": 1}, "events.csv has one of that name"),
        ({"x": [1, 2]}, "is a list; allowed: text, a number"),
    ],
)
def test_columns_that_cannot_be_are_refused(tmp_path: Path, columns: dict[str, object], said: str) -> None:
    with pytest.raises(RecordError, match=said):
        UserLog(tmp_path).append("a", {"stamp_ns": 1}, columns)  # type: ignore[arg-type]

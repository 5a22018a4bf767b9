"""events.csv: names, causes and times of every edge, in order of time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from fastpose.session.events import events_table, write_events
from fastpose.session.log import EVENT_DTYPE
from fastpose.session.source import read_session
from synthetic_session import START_NS, Camera, Session, make_frames, make_poses

MS = 1_000_000
# frame_id, stamp, exposure, kind, source, value, flags, reserved, crc32
EVENTS = [
    (3, START_NS + 60 * MS, START_NS + 50 * MS, 2, 0, 1, 0, 0, 0),
    (3, START_NS + 59 * MS, START_NS + 50 * MS, 0, 1, 1, 0, 0, 0),
    (3, START_NS + 70 * MS, START_NS + 50 * MS, 2, 0, 0, 2, 0, 0),
    (-1, START_NS + 80 * MS, 0, 2, 1, 1, 16, 0, 0),
    (-1, START_NS + 90 * MS, 0, 2, 1, 0, 4, 0, 0),
    (-1, START_NS + 99 * MS, 0, 2, 1, 0, 8, 0, 0),
    (5, START_NS + 75 * MS, START_NS + 70 * MS, 1, 0, 1, 0, 0, 0),
    (6, START_NS + 91 * MS, START_NS + 61 * MS, 4, 0, 1, 1, 0, 0),
    (6, START_NS + 92 * MS, START_NS + 61 * MS, 3, 1, 1, 0, 0, 0),
    (7, START_NS + 98 * MS, START_NS + 61 * MS, 2, 0, 1, 1, 0, 0),
]


def write(folder: Path, events: list[tuple[int, ...]]) -> pd.DataFrame:
    frames = make_frames(10)
    Session([Camera("top", frames, make_poses(frames))], np.array(events, EVENT_DTYPE)).write(folder)
    write_events(folder / "events.csv", events_table(read_session(folder)))
    return pd.read_csv(folder / "events.csv", keep_default_na=False)


def test_columns_are_the_contract(tmp_path: Path) -> None:
    names = (
        "event,name,value,camera,frame_id,stamp_ns,exposure_start_ns,latency_ms,late,cause,time_s,"
        "decided_ns,acted_ns,confirmed_ns"
    )
    write(tmp_path / "s", EVENTS)
    assert (tmp_path / "s" / "events.csv").read_text().splitlines()[0] == names


def test_rows_in_order_of_time(tmp_path: Path) -> None:
    found = write(tmp_path / "s", EVENTS)
    assert found["time_s"].tolist() == [0.059, 0.06, 0.07, 0.075, 0.08, 0.09, 0.091, 0.092, 0.098, 0.099]
    assert found["event"].tolist() == (
        ["rule", "output", "output", "state", "output", "output", "late", "refused", "output", "output"]
    )


def test_names_of_rules_outputs_and_states(tmp_path: Path) -> None:
    found = write(tmp_path / "s", EVENTS)
    assert found["name"].tolist() == (
        ["fast", "laser", "laser", "on", "feeder", "feeder", "laser", "feeder", "laser", "feeder"]
    )


def test_causes_and_lateness(tmp_path: Path) -> None:
    found = write(tmp_path / "s", EVENTS)
    assert found["cause"].tolist() == (
        ["", "protocol", "timer", "", "user", "interlock", "protocol", "protocol", "protocol", "safe"]
    )
    assert found["late"].tolist() == [False] * 6 + [True, False, True, False]


def test_latency_is_from_the_exposure_and_empty_without_a_frame(tmp_path: Path) -> None:
    found = write(tmp_path / "s", EVENTS)
    latency_ms = [float(value) if value else None for value in found["latency_ms"].astype(str)]
    assert latency_ms == [9, 10, 20, 5, None, None, 30, 31, 37, None]
    assert found["frame_id"].astype(str).tolist() == ["3", "3", "3", "5", "", "", "6", "6", "7", ""]
    assert found["camera"].tolist() == ["top"] * 4 + ["", ""] + ["top"] * 3 + [""]


def test_a_source_without_a_name_shows_its_number(tmp_path: Path) -> None:
    found = write(tmp_path / "s", [(1, START_NS, START_NS - MS, 0, 7, 1, 0, 0, 0)])
    assert found["name"].astype(str).tolist() == ["7"]


def test_text_is_quoted_only_where_it_must_be(tmp_path: Path) -> None:
    write(tmp_path / "s", EVENTS)
    assert (tmp_path / "s" / "events.csv").read_text().splitlines()[2] == (
        f"output,laser,1,top,3,{START_NS + 60 * MS},{START_NS + 50 * MS},10,false,protocol,0.06"
        f",,{START_NS + 60 * MS},"
    )


def test_a_name_with_a_comma_stays_one_cell(tmp_path: Path) -> None:
    frames = make_frames(10)
    events = np.array(EVENTS, EVENT_DTYPE)
    Session([Camera('top, "left"', frames, make_poses(frames))], events).write(tmp_path / "s")
    write_events(tmp_path / "s" / "events.csv", events_table(read_session(tmp_path / "s")))
    assert pd.read_csv(tmp_path / "s" / "events.csv")["camera"][0] == 'top, "left"'


def test_no_event_is_a_header_alone(tmp_path: Path) -> None:
    assert len(write(tmp_path / "s", [])) == 0
    assert (tmp_path / "s" / "events.csv").read_text().count("\n") == 1

"""events.csv: every rule edge, state change, output edge, refusal and late reaction, in order of time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from fastpose.session.actions import action_stamps
from fastpose.session.atomic import replacing
from fastpose.session.log import EVENT_DTYPE, Records
from fastpose.session.source import SessionLogs
from fastpose.session.user_rows import with_user_rows

__all__ = [
    "EVENTS",
    "KEPT",
    "confirmation_delays_ms",
    "confirmations",
    "event_records",
    "events_of",
    "events_table",
    "with_frames_of_edges",
    "write_events",
]

EVENTS = (  # csrc/record/records.h EventKind
    *("rule", "state", "output", "refused", "late"),
    *("confirmed", "trial", "stop", "user", "level"),
)
KEPT = 10  # a command that made no edge: in the log alone, for a replay
STOPS = ("emergency", "no_poses", "poses_back")  # csrc/output/event_queue.h StopReason
_CAUSES = {2: "timer", 4: "interlock", 8: "safe", 16: "user"}  # EventFlag
_LATE = 1
_CLOCKS_DIFFER_NS = 1_000_000  # at most, of a device and the host


def event_records(logs: SessionLogs, *, kept: bool = False) -> Records:
    """(n,) structured as `EVENT_DTYPE`, in order of time; with `kept`, commands that made no edge, too."""
    if logs.events is None:
        return np.zeros(0, EVENT_DTYPE)
    records = logs.events.records
    if not kept:
        records = records[records["kind"] != KEPT]
    return records[np.argsort(records["stamp_ns"], kind="stable")]


def with_frames_of_edges(records: Records) -> Records:
    """The same events; confirmations have frame_id, exposure_start_ns and camera of their edge."""
    confirmed, edges = confirmations(records)
    if not len(confirmed):
        return records
    found: Records = records.copy()
    for field in ("frame_id", "exposure_start_ns", "camera"):
        if field in (found.dtype.names or ()):
            found[field][confirmed] = records[field][edges]
    return found


def confirmation_delays_ms(records: Records) -> dict[int, npt.NDArray[np.float64]]:
    """From each edge (the write returned) to its confirmation, ms, by the index of the output.

    A device may have the level before the write returns: such a delay is below 0.
    """
    confirmed, edges = confirmations(records)
    delays_ms = (records["stamp_ns"][confirmed] - records["stamp_ns"][edges]) / 1e6
    outputs = records["source"][confirmed]
    return {int(output): np.asarray(delays_ms[outputs == output]) for output in np.unique(outputs)}


def confirmations(records: Records) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Confirmations and the edges that they confirm.

    That is the newest edge of this output and level by the time of the confirmation, or as little after it as
    two clocks may differ. Levels that were written again, and were no edges, are left out.

    Returns
    -------
    (n,), (n,) indices into `records`
    """
    is_edge = records["kind"] == EVENTS.index("output")
    is_confirmed = records["kind"] == EVENTS.index("confirmed")
    pairs: list[tuple[int, int]] = []
    for output, value in {(int(r["source"]), int(r["value"])) for r in records[is_confirmed]}:
        mine = (records["source"] == output) & (records["value"] == value)
        edges, confirmed = np.flatnonzero(is_edge & mine), np.flatnonzero(is_confirmed & mine)
        latest_ns = records["stamp_ns"][confirmed] + _CLOCKS_DIFFER_NS
        newest = np.searchsorted(records["stamp_ns"][edges], latest_ns, side="right") - 1
        last: dict[int, int] = {}
        for at, edge in zip(confirmed, newest, strict=True):
            if edge >= 0:
                last.setdefault(int(edges[edge]), int(at))
        pairs += [(at, edge) for edge, at in last.items()]
    pairs.sort()
    found = np.array(pairs, np.intp).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def events_of(logs: SessionLogs, camera: str) -> Records:
    """The events that came of this camera's frames; those that came of no frame are the acting camera's."""
    records = event_records(logs)
    mine: Records = records[_cameras_of(logs, records) == camera]
    return mine


def is_late(records: Records) -> npt.NDArray[np.bool_]:
    """(n,) acted after its deadline, or suppressed because of it."""
    return np.asarray(((records["flags"] & _LATE) != 0) | (records["kind"] == EVENTS.index("late")))


def events_table(logs: SessionLogs) -> pa.Table:
    """The events of a session as `events.csv` has them; a value that does not exist is null.

    A confirmation has the frame of the edge that it confirms, where it confirms one.
    """
    records = with_frames_of_edges(event_records(logs))
    exposed = records["exposure_start_ns"] != 0
    latency_ms = (records["stamp_ns"] - records["exposure_start_ns"]) / 1e6
    has_frame = records["frame_id"] >= 0
    start_ns = logs.start_monotonic_ns
    time_s = (records["stamp_ns"] - (start_ns or 0)) / 1e9
    camera = np.where(has_frame, _cameras_of(logs, records), "") if len(records) else np.zeros(0, str)
    table = pa.table(
        {
            "event": pa.array(_pick(EVENTS, records["kind"])),
            "name": pa.array(_names(logs, records)),
            "value": pa.array(np.ascontiguousarray(records["value"])),
            "camera": pa.array(camera, pa.string()),
            "frame_id": pa.array(records["frame_id"], mask=~has_frame),
            "stamp_ns": pa.array(np.ascontiguousarray(records["stamp_ns"])),
            "exposure_start_ns": pa.array(records["exposure_start_ns"], mask=~exposed),
            "latency_ms": pa.array(np.round(latency_ms, 6), mask=~exposed),
            "late": pa.array(is_late(records)),
            "cause": pa.array(_causes(records), pa.string()),
            "time_s": pa.array(np.round(time_s, 9), mask=np.full(len(records), start_ns is None)),
            **_stamps(logs, records),
        }
    )
    return with_user_rows(table, logs.session_dir, start_ns)


def _stamps(logs: SessionLogs, records: Records) -> dict[str, pa.Array]:
    stamps = vars(action_stamps(logs, records))
    return {name: pa.array(values, mask=values == 0) for name, values in stamps.items()}


def write_events(path: Path, table: pa.Table) -> None:
    """Write `events.csv`: a header row, then a row an event; null is an empty cell.

    Raises
    ------
    RecordError
        The file cannot be written.
    """
    # Arrow either quotes no string or all; names that need quotes are rare.
    special = any(
        pc.any(pc.match_substring_regex(table[field.name], '[,"\r\n]')).as_py()
        for field in table.schema
        if pa.types.is_string(field.type)
    )
    options = csv.WriteOptions(include_header=False, quoting_style="needed" if special else "none")
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write((",".join(table.column_names) + "\n").encode())
        csv.write_csv(table, file, options)


def _cameras_of(logs: SessionLogs, records: Records) -> npt.NDArray[np.str_]:
    """(n,) the camera of each event's frame; the acting camera where there is none, or none is told."""
    acting, names = _acting(logs), logs.events.names("cameras") if logs.events is not None else []
    if not names or "camera" not in (records.dtype.names or ()):
        return np.full(len(records), acting)
    return np.where(records["frame_id"] >= 0, _pick(names, records["camera"]), acting)


def _acting(logs: SessionLogs) -> str:
    told: Any = logs.events.header.get("camera") if logs.events is not None else None
    return str(told or logs.pose_camera or "")


def _pick(names: Sequence[str], index: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.str_]:
    """`names[index]`; the number itself where there is no such name."""
    known = np.array([*names, ""], dtype=str)
    inside = (index >= 0) & (index < len(names))
    out = known[np.where(inside, index, len(names))]
    return out if inside.all() else np.where(inside, out, index.astype(str))


def _names(logs: SessionLogs, records: Records) -> pa.Array:
    """The rule, output or state that each event is about."""
    if logs.events is None or len(records) == 0:
        return pa.array([], pa.string())
    rules, outputs, states = (logs.events.names(key) for key in ("rules", "outputs", "states"))
    names = _pick(outputs, records["source"])
    for kind, known, column in (
        ("rule", rules, "source"),
        ("state", states, "value"),
        ("stop", STOPS, "value"),
        ("trial", logs.events.names("trials"), "source"),
    ):
        names = np.where(records["kind"] == EVENTS.index(kind), _pick(known, records[column]), names)
    return pa.array(names, pa.string())


def _causes(records: Records) -> npt.NDArray[np.str_]:
    """What moved an output or asked for what was refused; "" for rules and states."""
    acts = ~np.isin(records["kind"], [EVENTS.index(kind) for kind in ("rule", "state", "trial")])
    causes = np.where(acts, "protocol", np.array("", dtype="<U9"))
    for flag, cause in _CAUSES.items():
        causes = np.where((records["flags"] & flag) != 0, cause, causes)
    return causes

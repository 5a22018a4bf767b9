"""Rows that a Python protocol writes into events.csv: their own log, and how they join the others."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from fastpose.errors import RecordError

__all__ = ["COLUMN_NAMES", "UserLog", "Value", "require_column", "with_user_rows"]

FILE = "user.jsonl"
Value = str | int | float | bool | None
COLUMN_NAMES = (  # of events.csv, which a protocol's own columns must not have
    "event", "name", "value", "camera", "frame_id", "stamp_ns", "exposure_start_ns", "latency_ms", "late",
    "cause", "time_s", "decided_ns", "acted_ns", "confirmed_ns",
)  # fmt: skip


class UserLog:
    """Appends rows to ``log/user.jsonl``; each is given to the system at once. Thread-bound."""

    def __init__(self, log_dir: Path) -> None:
        self._path = log_dir / FILE

    def append(self, name: str, stamps: Mapping[str, int | str | None], columns: Mapping[str, Value]) -> None:
        """Write one row.

        Parameters
        ----------
        name : str
            What happened.
        stamps : mapping
            stamp_ns, camera, frame_id, exposure_start_ns.
        columns : mapping
            The protocol's own columns: text, numbers, bool or None.

        Raises
        ------
        RecordError
            A column has a name that events.csv has already, or a value that no cell holds.
        """
        for key, value in columns.items():
            require_column(key, value)
        line = json.dumps({"name": name, **stamps, "columns": dict(columns)})
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            raise RecordError(f"cannot write '{self._path}': {error.strerror}") from error


def require_column(key: str, value: object) -> None:
    """Refuse a column that events.csv cannot have.

    Raises
    ------
    RecordError
        It has the name of another, or a value that no cell holds.
    """
    if key in COLUMN_NAMES:
        raise RecordError(f"column {key!r}: events.csv has one of that name; allowed: any other name")
    if not (value is None or isinstance(value, str | int | float | bool)):
        raise RecordError(
            f"column {key!r} is a {type(value).__name__}; allowed: text, a number, true or false, None"
        )


def with_user_rows(table: pa.Table, session_dir: Path, start_ns: int | None) -> pa.Table:
    """The events with the rows of the session's protocol, in order of time; its columns stand last.

    A last line that a kill cut short is left out.
    """
    rows = _read(session_dir / "log" / FILE)
    if not rows:
        return table
    keys = list(dict.fromkeys(key for row in rows for key in row["columns"]))
    own = {field.name: pa.array(_values(rows, field.name, start_ns), field.type) for field in table.schema}
    own |= {key: _column([row["columns"].get(key) for row in rows]) for key in keys}
    both = pa.concat_tables([table, pa.table(own)], promote_options="default")
    return both.sort_by("stamp_ns")


def _values(rows: list[dict[str, Any]], column: str, start_ns: int | None) -> list[Any]:
    if column == "event":
        return ["user"] * len(rows)
    if column == "value":
        return [0] * len(rows)
    if column == "late":
        return [False] * len(rows)
    if column == "cause":
        return ["user"] * len(rows)
    if column == "time_s":
        return [None if start_ns is None else round((row["stamp_ns"] - start_ns) / 1e9, 9) for row in rows]
    if column == "latency_ms":
        return [_latency_ms(row) for row in rows]
    return [row.get(column) for row in rows]


def _latency_ms(row: Mapping[str, Any]) -> float | None:
    exposure = row.get("exposure_start_ns")
    return round((row["stamp_ns"] - exposure) / 1e6, 6) if exposure else None


def _column(values: list[Value]) -> pa.Array:
    """One type for all cells: numbers where all are numbers, else text."""
    given = [value for value in values if value is not None]
    if all(isinstance(value, bool) for value in given):
        return pa.array(values, pa.bool_())
    if all(isinstance(value, int) and not isinstance(value, bool) for value in given):
        return pa.array(values, pa.int64())
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in given):
        return pa.array(
            [None if v is None or math.isnan(float(v)) else float(v) for v in values], pa.float64()
        )
    return pa.array([None if value is None else str(value) for value in values], pa.string())


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    rows = []
    for line in path.read_text("utf-8", errors="replace").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue  # cut short by a kill
        if isinstance(row, dict) and isinstance(row.get("columns"), dict) and "stamp_ns" in row:
            rows.append(row)
    return rows

"""session.json: versions, host, devices, clocks, counts, and how the session ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastpose.session.atomic import write_json
from fastpose.session.source import SessionLogs
from fastpose.session.summary import Summary

__all__ = ["KILLED", "how_it_ended", "session_json", "write_session_json"]

KILLED = "killed"  # no end was written: kill -9, a crash or a power cut


def how_it_ended(logs: SessionLogs) -> tuple[str, str | None]:
    """How the session ended and the error that ended it."""
    if logs.ended is None:
        return KILLED, None
    error = logs.ended.get("error")
    return str(logs.ended.get("ended") or KILLED), None if error is None else str(error)


def session_json(logs: SessionLogs, summary: Summary) -> dict[str, Any]:
    """`log/meta.json` with what became of the session."""
    told_at_end = dict(logs.ended or {})
    return {
        **logs.meta,
        **told_at_end,  # clocks as fitted, priorities as granted
        "ended": summary.ended,
        "error": summary.error,
        "counts": {
            "cameras": {name: camera.as_json() for name, camera in summary.cameras.items()},
            "events": summary.events,
            "engine": told_at_end.get("counts"),
        },
        "files": summary.files,
        "notes": summary.notes,
        "log": {
            log.path.name: {
                "records": len(log.records),
                "corrupt_records": log.corrupt_records,
                "unwritten_records": log.unwritten_records,
                "torn_bytes": log.torn_bytes,
            }
            for log in logs.files
        },
    }


def write_session_json(path: Path, content: dict[str, Any]) -> None:
    """Write `session.json`.

    Raises
    ------
    RecordError
        The file cannot be written.
    """
    write_json(path, content)

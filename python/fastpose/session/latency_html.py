"""latency.html: the latency of a session as one page that opens anywhere, without a network."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from fastpose.session.atomic import replacing
from fastpose.session.charts import STAGE_LABELS, histogram_chart, ms, stages_chart
from fastpose.session.course import Course, course_chart
from fastpose.session.events import events_of, is_late
from fastpose.session.frames import CameraFrames, Int64
from fastpose.session.latency import ACTED, DECIDED, END_TO_END, STAGES
from fastpose.session.log import Records
from fastpose.session.source import SessionLogs, mapping
from fastpose.session.summary import Summary

__all__ = ["latency_page", "write_latency_html"]

_COLUMNS = ("p50", "p90", "p99", "p99.9", "max")
_FACTS_LEFT_OUT = ("config",)  # it lies beside the page as config.yaml


def write_latency_html(
    path: Path, logs: SessionLogs, frames: Mapping[str, CameraFrames], summary: Summary
) -> None:
    """Write `latency.html`.

    Raises
    ------
    RecordError
        The file cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_text(latency_page(logs, frames, summary), "utf-8")


def latency_page(logs: SessionLogs, frames: Mapping[str, CameraFrames], summary: Summary) -> str:
    """The page: headline numbers, stages, histogram, course and table of each camera."""
    style, script = (_asset(name) for name in ("latency.css", "latency.js"))
    sections = [
        _camera_section(logs, camera, summary.latency["cameras"][name], titled=len(frames) > 1)
        for name, camera in frames.items()
    ]
    name = escape(logs.session_dir.resolve().name)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Latency of {name}</title><style>{style}</style></head>"
        f"<body><main><header><div><h1>{name}</h1><p>{_subtitle(summary)}</p></div>"
        '<button id="theme" type="button">light / dark</button></header>'
        f"{''.join(sections)}{_notes(summary)}{_facts(logs)}</main>"
        f'<div id="tip" hidden></div><script>{script}</script></body></html>\n'
    )


def _asset(name: str) -> str:
    return (files("fastpose.session") / "assets" / name).read_text("utf-8")


def _subtitle(summary: Summary) -> str:
    ended = {
        "duration": "ended after its duration",
        "finished": "ended with its source",
        "protocol": "was ended by its protocol",
        "interrupted": "ended by the user",
        "fault": "ended by a fault",
        "killed": "was killed; recovered from its log",
    }.get(summary.ended, f"ended: {summary.ended}")
    error = f": {summary.error}" if summary.error else ""
    return escape(f"Latency from the start of exposure. The session {ended}{error}.")


def _camera_section(logs: SessionLogs, frames: CameraFrames, latency: dict[str, Any], *, titled: bool) -> str:
    title = f"<h2>Camera {escape(frames.camera)}</h2>" if titled else ""
    tiles = _tiles(frames, latency)
    if latency["n"] == 0:
        return title + tiles + _card_of_text(f"No frame of camera {frames.camera} was processed.")
    own = frames.camera == logs.pose_camera
    events = events_of(logs, frames.camera)
    loop = frames.records[frames.processed]
    deadline = mapping(logs.config, "protocol").get("deadline_ms") if own else None
    deadline_ms = float(deadline) if isinstance(deadline, (int, float)) else None
    decided, acted = DECIDED.durations_ms(loop), ACTED.durations_ms(loop)
    if len(decided) == 0:
        return title + tiles + _card_of_text("The starts of exposure are unknown.")
    course = _course(frames, events, logs.start_monotonic_ns)
    return (
        title
        + tiles
        + _stages_card(latency)
        + _histogram_card(decided, acted, deadline_ms)
        + _course_card(course, deadline_ms)
        + _table_card(latency)
    )


def _tiles(frames: CameraFrames, latency: dict[str, Any]) -> str:
    acted, decided = (latency["end_to_end"][span.name] for span in (ACTED, DECIDED))
    tiles = []
    for name, values in (("Exposure to action", acted), ("Exposure to decision", decided)):
        if values["n"]:
            more = f"median · p99\u00a0{ms(values['p99'])} · max\u00a0{ms(values['max'])}"
            tiles.append(_tile(name, ms(values["p50"]), f"{more} · n\u00a0=\u00a0{values['n']:,}"))
    share = f"of {len(frames.records):,} exposures"
    tiles.append(_tile("Frames processed", f"{latency['n']:,}", share))
    reasons = " · ".join(
        f"{count:,} {reason}" for reason, count in latency["drops_by_reason"].items() if count
    )
    tiles.append(
        _tile("Drops", f"{latency['drops']:,}", reasons or "none", "warn" if latency["drops"] else "")
    )
    late = latency["late"]
    tiles.append(_tile("Late reactions", f"{late:,}", "after their deadline", "bad" if late else ""))
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _tile(name: str, value: str, more: str, kind: str = "") -> str:
    return (
        f'<div class="card tile {kind}"><div class="name">{escape(name)}</div>'
        f'<div class="value">{escape(value)}</div><div class="more">{escape(more)}</div></div>'
    )


def _card_of_text(text: str) -> str:
    return f'<section class="card"><p>{escape(text)}</p></section>'


def _card(title: str, hint: str, body: str) -> str:
    return f'<section class="card"><h3>{escape(title)}</h3><p class="hint">{escape(hint)}</p>{body}</section>'


def _legend(*keys: tuple[str, str]) -> str:
    return (
        '<div class="legend">'
        + "".join(f'<span><i class="{kind}"></i>{escape(name)}</span>' for kind, name in keys)
        + "</div>"
    )


def _stages_card(latency: dict[str, Any]) -> str:
    hint = "The median of every stage, laid end to end; the thin line reaches to its 99th percentile."
    return _card("Where the time goes", hint, stages_chart(latency["stages"]))


def _histogram_card(decided: Any, acted: Any, deadline_ms: float | None) -> str:
    keys = [("key-decided", f"to decision (n = {len(decided):,})")]
    keys += [("key-acted", f"to action (n = {len(acted):,})")] if len(acted) else []
    chart = histogram_chart(decided, acted, deadline_ms)
    return _card(
        "Distribution", "Frames by latency from exposure start; counts on a log axis.", _legend(*keys) + chart
    )


def _course_card(course: Course, deadline_ms: float | None) -> str:
    keys = [("key-decided", "to decision" if course.dotted else "to decision: median and maximum")]
    keys += [] if course.dotted else [("key-band", "median to 99th percentile")]
    keys += [("key-acted", "to action")] if len(course.acted_s) else []
    keys += [("key-drop", "drop")] if any(map(len, course.drops_s.values())) else []
    keys += [("key-late", "late reaction")] if len(course.late_s) else []
    chart = course_chart(course, deadline_ms)
    return _card(
        "Course over the session",
        "Latency from exposure start, by time in the session.",
        _legend(*keys) + chart,
    )


def _table_card(latency: dict[str, Any]) -> str:
    head = "".join(f"<th>{name}</th>" for name in ("", *_COLUMNS, "n"))
    rows = ['<tr class="group"><td colspan="7">end to end</td></tr>']
    rows += [
        _table_row(
            span.name.replace("->", " → ").replace("_", " "), latency["end_to_end"][span.name], bold=True
        )
        for span in END_TO_END
    ]
    rows.append('<tr class="group"><td colspan="7">stages</td></tr>')
    for number, (span, label) in enumerate(zip(STAGES, STAGE_LABELS, strict=True)):
        rows.append(_table_row(label, latency["stages"][span.name], f"stage{number}", span.stop))
    body = f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
    table = f'<div class="scroll"><table>{body}</table></div>'
    return _card("Numbers", "Percentiles over all frames that reached both stamps.", table)


def _table_row(
    label: str, values: dict[str, Any], chip: str = "", stamp: str = "", *, bold: bool = False
) -> str:
    key = f'<i class="{chip}"></i>' if chip else ""
    until = f"<code>{stamp}</code>" if stamp else ""
    kind = ' class="bold"' if bold else ""
    cells = "".join(f"<td{kind}>{ms(values[name])}</td>" for name in _COLUMNS)
    return f"<tr><td>{key}{escape(label)}{until}</td>{cells}<td>{values['n']:,}</td></tr>"


def _course(frames: CameraFrames, events: Records, start_ns: int | None) -> Course:
    records = frames.records
    seen_ns = _time_of_rows(records)
    zero_ns = start_ns if start_ns is not None else int(seen_ns[0])
    loop = records[frames.processed]

    def seconds(stamps_ns: Int64) -> Any:
        return (stamps_ns - zero_ns) / 1e9

    decided, acted, late = loop[DECIDED.where(loop)], loop[ACTED.where(loop)], events[is_late(events)]
    late_ms = np.where(
        late["exposure_start_ns"] != 0, (late["stamp_ns"] - late["exposure_start_ns"]) / 1e6, np.nan
    )
    return Course(
        decided_s=seconds(decided["exposure_start_ns"]),
        decided_ms=DECIDED.durations_ms(loop),
        acted_s=seconds(acted["exposure_start_ns"]),
        acted_ms=ACTED.durations_ms(loop),
        late_s=seconds(late["stamp_ns"]),
        late_ms=late_ms,
        drops_s={
            reason: seconds(seen_ns[records["drop_reason"] == number])
            for number, reason in enumerate(frames.drops(), start=1)
        },
    )


def _time_of_rows(records: Records) -> Int64:
    """(n,) when each row was exposed; for one without a stamp the time of the row before it."""
    stamps: Int64 = np.where(
        records["exposure_start_ns"] != 0, records["exposure_start_ns"], records["received_ns"]
    )
    first = stamps[stamps != 0][:1]
    known = np.where(stamps != 0, stamps, first if len(first) else 0)
    return np.asarray(np.maximum.accumulate(known), np.int64)


def _notes(summary: Summary) -> str:
    if not summary.notes:
        return ""
    items = "".join(f"<li>{escape(note)}</li>" for note in summary.notes)
    return f'<section class="card"><h3>What was lost, inferred or repaired</h3><ul>{items}</ul></section>'


def _facts(logs: SessionLogs) -> str:
    facts = dict(_flat({key: value for key, value in logs.meta.items() if key not in _FACTS_LEFT_OUT}))
    if not facts:
        return ""
    items = "".join(f"<dt>{escape(key)}</dt><dd>{escape(value)}</dd>" for key, value in facts.items())
    details = f"<details><summary>Machine and versions</summary><dl>{items}</dl></details>"
    return f'<section class="card">{details}</section>'


def _flat(content: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Every leaf with its path."""
    pairs: list[tuple[str, str]] = []
    for key, value in content.items():
        pairs += (
            _flat(value, f"{prefix}{key}.")
            if isinstance(value, Mapping)
            else [(f"{prefix}{key}", str(value))]
        )
    return pairs

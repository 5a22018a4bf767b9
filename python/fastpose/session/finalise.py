"""Makes every result file of a session from its log: at the end of a run, and again by `recover`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fastpose.errors import RecordError
from fastpose.session.atomic import write_json
from fastpose.session.clocks import clock_texts
from fastpose.session.events import (
    EVENTS,
    confirmation_delays_ms,
    event_records,
    events_of,
    events_table,
    write_events,
)
from fastpose.session.frames import CameraFrames, camera_frames, write_frames
from fastpose.session.latency import camera_latency, percentiles_ms
from fastpose.session.latency_html import write_latency_html
from fastpose.session.log import Records
from fastpose.session.matching import matched
from fastpose.session.poses import pose_tables, write_poses
from fastpose.session.session_json import how_it_ended, session_json, write_session_json
from fastpose.session.source import CameraLogs, SessionLogs, mapping, read_session
from fastpose.session.summary import CameraSummary, Summary
from fastpose.session.video_file import VideoState, repair_notes, repair_video, video_state

__all__ = ["finalise"]


def finalise(session_dir: str | Path) -> Summary:
    """Make all result files of a session from its log folder. Doing it again gives the same files.

    Files are replaced one by one, each whole; session.json is the last. A video that was cut off gets its
    index.

    Parameters
    ----------
    session_dir : path
        Holds `log/`.

    Raises
    ------
    RecordError
        There is no log, or a file cannot be written; the log is untouched then.
    """
    session_dir = Path(session_dir)
    logs = read_session(session_dir)
    frames = matched(logs, {name: _camera(camera, logs.notes) for name, camera in logs.cameras.items()})
    try:
        return _write_all(logs, frames)
    except RecordError as error:
        raise RecordError(
            *error.lines,
            f"the log in '{session_dir / 'log'}' is kept: run `fastpose recover {session_dir}` again",
        ) from error


def _camera(camera: CameraLogs, notes: list[str]) -> CameraFrames:
    frames = camera_frames(camera, _video_frames(camera, notes))
    notes.extend(f"{camera.camera}: {note}" for note in frames.notes)
    return frames


def _video_frames(camera: CameraLogs, notes: list[str]) -> int | None:
    """Frames that the camera's video holds, after repair; None where none was recorded."""
    if camera.video is None:
        return None
    logged = len(camera.video.records)
    name = camera.video_path.name
    if not camera.video_path.exists():
        if logged:
            notes.append(f"{name} is missing: {logged} frame(s) were encoded")
        return 0
    state = _repaired(camera.video_path, notes)
    notes.extend(repair_notes(camera.video_path))
    if state.frames < logged:
        lost = logged - state.frames
        notes.append(f"{name} holds {state.frames} of {logged} encoded frames: the last {lost} are lost")
    if state.frames > logged:
        more = state.frames - logged
        notes.append(f"{name} holds {more} more frame(s) than its log tells of: their ids are unknown")
    return min(state.frames, logged)


def _repaired(video: Path, notes: list[str]) -> VideoState:
    """The state of a video after an attempt at its repair, which may fail on a full disk."""
    try:
        state = video_state(video)
    except RecordError as error:
        notes.extend(error.lines)
        return VideoState(0, cut=True)
    if not state.cut:
        return state
    try:
        state = repair_video(video)
    except RecordError as error:
        notes.extend(error.lines)
    return state


def _write_all(logs: SessionLogs, frames: dict[str, CameraFrames]) -> Summary:
    session_dir, events = logs.session_dir, event_records(logs)
    write_events(session_dir / "events.csv", events_table(logs))
    write_frames(session_dir / "frames.parquet", frames.values())
    files = ["session.json", "frames.parquet", "events.csv", "latency.json", "latency.html"]
    for camera in frames.values():
        for table in pose_tables(logs, camera):
            files += [path.name for path in write_poses(session_dir, table)]
    latency = _latency(logs, frames)
    write_json(session_dir / "latency.json", latency)
    files += [camera.video_path.name for camera in logs.cameras.values() if camera.video_path.exists()]
    summary = _summary(logs, frames, events, latency, files)
    write_latency_html(session_dir / "latency.html", logs, frames, summary)
    write_session_json(session_dir / "session.json", session_json(logs, summary))
    return summary


def _latency(logs: SessionLogs, frames: dict[str, CameraFrames]) -> dict[str, Any]:
    cameras = {name: camera_latency(camera, events_of(logs, name)) for name, camera in frames.items()}
    outputs = _confirmations(logs)
    return {
        "session": logs.session_dir.name,
        "unit": "ms",
        "host": logs.meta.get("host"),
        "cameras": cameras,
        **({"outputs": outputs} if outputs else {}),
    }


def _confirmations(logs: SessionLogs) -> dict[str, Any]:
    """For each output whose device confirms: from the write to the confirmation."""
    names = logs.events.names("outputs") if logs.events is not None else []
    return {
        names[output]: {"acted->confirmed": percentiles_ms(delays_ms)}
        for output, delays_ms in confirmation_delays_ms(event_records(logs)).items()
        if output < len(names)
    }


def _summary(
    logs: SessionLogs,
    frames: dict[str, CameraFrames],
    events: Records,
    latency: dict[str, Any],
    files: list[str],
) -> Summary:
    ended, error = how_it_ended(logs)
    cameras = {
        name: CameraSummary(
            exposures=len(camera.records),
            received=int(camera.received.sum()),
            processed=int(camera.processed.sum()),
            drops=camera.drops(),
            video_frames=None if logs.cameras[name].video is None else len(camera.ids_in_video),
            recording=logs.cameras[name].recording,
        )
        for name, camera in frames.items()
    }
    counts = np.bincount(events["kind"].clip(0), minlength=len(EVENTS))[: len(EVENTS)]
    return Summary(
        session_dir=logs.session_dir,
        ended=ended,
        error=error,
        cameras=cameras,
        events={kind: int(count) for kind, count in zip(EVENTS, counts, strict=True)},
        latency=latency,
        files=files,
        notes=list(logs.notes),
        clocks=clock_texts(mapping(logs.ended or {}, "clocks")),
    )

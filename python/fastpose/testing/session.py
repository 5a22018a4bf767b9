"""Writes the session that a protocol was tried in as a session folder, as if it had been run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from fastpose import config as cfg
from fastpose.session.log import EVENT_DTYPE, FRAME_DTYPE, LogWriter, Records, log_header, pose_dtype
from fastpose.testing.poses import Poses
from fastpose.testing.tried import Tried

__all__ = ["write_session"]


def write_session(
    folder: str | Path, config: cfg.Config, poses: Poses, tried: Tried, *, ended_ns: int | None = None
) -> Path:
    """Write log and config of a tried session: for replay, export, and tests of what reads sessions.

    Parameters
    ----------
    folder : path
        Must not hold a session.
    config : Config
    poses : Poses
        What it was tried on.
    tried : Tried
        What came of it.
    ended_ns : int, optional
        When the outputs went safe for good; default: just after the last frame.

    Returns
    -------
    Path
        The session folder.

    Raises
    ------
    RecordError
        A file cannot be written.
    """
    folder, record = Path(folder), poses.record
    log = folder / "log"
    log.mkdir(parents=True)
    if ended_ns is None:
        ended_ns = int(record.frames["decided_ns"][-1]) + 1
    counts = {"outputs_ended_ns": ended_ns, "cameras": {record.camera: {"expected_work_ns": record.work_ns}}}
    meta: dict[str, Any] = {"config": config.model_dump(mode="json"), "monotonic_ns": tried.start_ns}
    if record.frame_size is not None:
        meta["devices"] = {"cameras": {record.camera: {"size": list(record.frame_size)}}}
    (log / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    ended = {"ended": "finished", "error": None, "counts": counts}
    (log / "ended.json").write_text(json.dumps(ended), encoding="utf-8")
    (folder / "config.yaml").write_text(cfg.resolved_yaml(config), encoding="utf-8")
    _write(log / f"frames_{record.camera}.fplog", "frames", record.frames.astype(FRAME_DTYPE), poses)
    _write(log / f"poses_{record.camera}.fplog", "poses", _poses(poses, tried), poses)
    header = log_header(
        "events",
        EVENT_DTYPE,
        camera=record.camera,
        rules=tuple(config.rules),
        outputs=tuple(config.outputs),
        cameras=tuple(config.cameras),
    )
    with LogWriter(log / "events.fplog", header, sync_every_s=60) as writer:
        writer.extend(tried.events)
    return folder


def _poses(poses: Poses, tried: Tried) -> Records:
    record = poses.record
    out = np.zeros(len(record.frames), pose_dtype(*record.raw.shape[1:3]))
    out["frame_id"], out["raw"], out["filtered"] = record.frames["frame_id"], record.raw, tried.filtered
    return out


def _write(path: Path, kind: str, records: Records, poses: Poses) -> None:
    record = poses.record
    header = log_header(
        kind,
        records.dtype,
        camera=record.camera,
        bodyparts=record.bodyparts,
        individuals=record.individuals,
        unique_bodyparts=record.unique_bodyparts,
        scorer="fastpose",
    )
    with LogWriter(path, header, sync_every_s=60) as writer:
        writer.extend(records)

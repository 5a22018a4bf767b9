"""All that the results of a session are made from: its log folder, read once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastpose.errors import RecordError
from fastpose.session.log import LogFile, read_log

__all__ = ["CameraLogs", "SessionLogs", "read_session"]


@dataclass(frozen=True)
class CameraLogs:
    """The logs of one camera; None where the session had none of that kind.

    `recording` is what the recorder told of itself: codec, stored_as (FFmpeg's pixel format),
    compared_frames, exact, psnr_db and largest_difference of the recorded pixels against the camera's,
    most_frames_waiting; {} where nothing.
    """

    camera: str
    frames: LogFile | None
    poses: LogFile | None
    video: LogFile | None
    video_path: Path
    recording: dict[str, Any] = field(default_factory=dict)

    @property
    def files(self) -> list[LogFile]:
        """The logs there are."""
        return [log for log in (self.frames, self.poses, self.video) if log is not None]


@dataclass(frozen=True)
class SessionLogs:
    """The log folder of one session.

    Attributes
    ----------
    session_dir : Path
    meta : dict
        `log/meta.json`, written before the session started; {} when it is lost.
    ended : dict or None
        `log/ended.json`, written at a clean end; None when the session was killed.
    cameras : dict
        In the order of the config.
    events : LogFile or None
    notes : list of str
        What could not be read.
    """

    session_dir: Path
    meta: dict[str, Any]
    ended: dict[str, Any] | None
    cameras: dict[str, CameraLogs]
    events: LogFile | None
    notes: list[str] = field(default_factory=list)

    @property
    def config(self) -> dict[str, Any]:
        """The resolved config; {} when unknown."""
        return mapping(self.meta, "config")

    @property
    def files(self) -> list[LogFile]:
        """Every log there is."""
        own = [self.events] if self.events is not None else []
        return [log for camera in self.cameras.values() for log in camera.files] + own

    @property
    def start_monotonic_ns(self) -> int | None:
        """Host clock at the start of the session, on which all stamps lie."""
        told = self.meta.get("monotonic_ns")
        if isinstance(told, int):
            return told
        stamps = [log.header["monotonic_ns"] for log in self.files if log.header.get("monotonic_ns")]
        return int(min(stamps)) if stamps else None

    @property
    def pose_camera(self) -> str | None:
        """The camera that the protocol belongs to, else the first that has poses."""
        with_poses = [name for name, logs in self.cameras.items() if logs.poses is not None]
        acting = acting_camera(self.config)
        return acting if acting in with_poses else next(iter(with_poses or self.cameras), None)


def acting_camera(config: Mapping[str, Any]) -> str | None:
    """The camera that a resolved config's protocol names, itself or through its rule; None: it names none."""
    protocol = mapping(config, "protocol")
    rule = mapping(mapping(config, "rules"), str(protocol.get("when")))
    camera = protocol.get("camera") or rule.get("camera")
    return None if camera is None else str(camera)


def mapping(parent: Mapping[str, Any], key: str) -> dict[str, Any]:
    """`parent[key]` where that is a mapping, else {}."""
    child = parent.get(key)
    return child if isinstance(child, dict) else {}


def read_session(session_dir: Path) -> SessionLogs:
    """Read the logs of `session_dir`.

    Raises
    ------
    RecordError
        The folder does not exist or holds no session log.
    """
    log_dir = session_dir / "log"
    if not log_dir.is_dir():
        raise RecordError(f"'{session_dir}' is no session folder: it holds no folder 'log'")
    notes: list[str] = []
    meta = _read_json(log_dir / "meta.json", notes) or {}
    if not meta:
        notes.append("log/meta.json is missing or cannot be read: config and versions are unknown")
    events_path = log_dir / "events.fplog"
    events = _read(events_path, notes)
    cameras = {name: _camera_logs(session_dir, name, notes) for name in _camera_names(log_dir, meta)}
    if not cameras and events is None:
        raise RecordError(f"'{log_dir}' holds no session log: no frames_<camera>.fplog, no events.fplog")
    return SessionLogs(session_dir, meta, _read_json(log_dir / "ended.json", notes), cameras, events, notes)


def _camera_names(log_dir: Path, meta: dict[str, Any]) -> list[str]:
    stems = (
        path.stem for kind in ("frames", "poses", "video") for path in sorted(log_dir.glob(f"{kind}_*.fplog"))
    )
    found = dict.fromkeys(stem.split("_", 1)[1] for stem in stems)
    configured = [name for name in mapping(mapping(meta, "config"), "cameras") if name in found]
    return list(dict.fromkeys([*configured, *found]))


def _camera_logs(session_dir: Path, camera: str, notes: list[str]) -> CameraLogs:
    frames, poses, video = (
        _read(session_dir / "log" / f"{kind}_{camera}.fplog", notes) for kind in ("frames", "poses", "video")
    )
    recording = _read_json(session_dir / "log" / f"video_{camera}.json", notes) or {}
    return CameraLogs(camera, frames, poses, video, session_dir / f"video_{camera}.mkv", recording)


def _read(path: Path, notes: list[str]) -> LogFile | None:
    """The log at `path`; None where there is none or it is none (which is noted)."""
    if not path.exists():
        return None
    try:
        log = read_log(path)
    except RecordError as error:
        notes.append(str(error))
        return None
    notes.extend(log.losses())
    return log if log.header else None


def _read_json(path: Path, notes: list[str]) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        notes.append(f"log/{path.name} cannot be read: {error}")
        return None
    return content if isinstance(content, dict) else None

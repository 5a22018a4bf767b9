"""What every export of a session is made from: poses, frame times and names by camera, on one clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from fastpose.errors import RecordError
from fastpose.session.events import events_table
from fastpose.session.frames import CameraFrames, Int64, camera_frames, frames_table
from fastpose.session.labelled import skeleton
from fastpose.session.poses import PoseHeader, filter_ran, last_record, pose_header, row_ids
from fastpose.session.source import CameraLogs, SessionLogs, mapping, read_session
from fastpose.session.video_file import video_rate, video_size_px, video_state
from fastpose.session.writers_linux import processes_writing

__all__ = ["CLOCK", "Animal", "Content", "ContentCamera", "read_content", "require_folder_of"]

CLOCK = (
    "seconds since the start of the session on the recording computer's monotonic clock; "
    "a frame's time is the start of its exposure, as the camera's clock was fitted to that clock"
)

Float64 = npt.NDArray[np.float64]
Keypoints = npt.NDArray[np.float32]


class Animal(NamedTuple):
    """One individual of a camera's poses, with the body parts that it can have."""

    place: int
    name: str
    bodyparts: tuple[str, ...]
    parts: tuple[int, ...]


@dataclass(frozen=True)
class ContentCamera:
    """Frames and poses of one camera.

    Attributes
    ----------
    name : str
    logs : CameraLogs
    frames : CameraFrames
    video : Path or None
        The recorded video; None where none was recorded.
    size_px : (int, int) or None
        Width and height, where known.
    edges : list of (str, str)
        The model's skeleton.
    field : str
        Which keypoints: `raw` or `filtered`.
    start_ns : int
        Host clock at the start of the session.
    """

    name: str
    logs: CameraLogs
    frames: CameraFrames
    video: Path | None
    size_px: tuple[int, int] | None
    edges: list[tuple[str, str]]
    field: str
    start_ns: int

    @cached_property
    def header(self) -> PoseHeader | None:
        """Scorer, body parts and individuals; None where no network ran."""
        return None if self.logs.poses is None else pose_header(self.logs.poses)

    @cached_property
    def animals(self) -> list[Animal]:
        """The individuals, in the order of the poses; [] where no network ran."""
        if self.header is None or self.logs.poses is None:
            return []
        count, parts = (int(size) for size in self.logs.poses.records.dtype["raw"].shape[:2])
        names = self.header.individuals
        names = names if len(names) == count else tuple(f"individual_{n}" for n in range(count))
        shared = parts - len(self.header.unique_bodyparts)
        return [self._animal(n, name, shared, last=n == count - 1) for n, name in enumerate(names)]

    def _animal(self, place: int, name: str, shared: int, *, last: bool) -> Animal:
        assert self.header is not None
        bodyparts = self.header.bodyparts
        is_unique = bool(self.header.unique_bodyparts) and last
        has_all = not self.header.unique_bodyparts
        parts = range(shared, len(bodyparts)) if is_unique else range(len(bodyparts) if has_all else shared)
        return Animal(place, name, tuple(bodyparts[part] for part in parts), tuple(parts))

    @cached_property
    def row_ids(self) -> Int64:
        """(n,) frame ids of the video's frames, in its order; of all received frames where there is none."""
        return row_ids(self.logs, self.frames)

    @cached_property
    def unrecorded(self) -> int:
        """How many frames have a pose but are not in the video."""
        if self.logs.poses is None:
            return 0
        return len(np.setdiff1d(self.logs.poses.records["frame_id"], self.row_ids))

    def times_s(self, frame_id: Int64) -> Float64:
        """(n,) start of exposure on `CLOCK`; NaN where the record of the frame was lost."""
        numbered = self.frames.records[self.frames.received]
        at = np.searchsorted(numbered["frame_id"], frame_id).clip(0, max(len(numbered) - 1, 0))
        stamps = numbered["exposure_start_ns"][at] if len(numbered) else np.zeros(len(frame_id), np.int64)
        return np.where(stamps != 0, (stamps - self.start_ns) / 1e9, np.nan)

    def records(self, frame_id: Int64) -> Int64:
        """(n,) record of each frame in the poses log, -1 where it was not processed."""
        if self.logs.poses is None:
            return np.full(len(frame_id), -1, np.int64)
        return last_record(self.logs.poses, frame_id)

    def keypoints(self, record: Int64, animal: Animal) -> Keypoints:
        """(n, body parts of the animal, 3) x, y in full-frame px and likelihood; NaN where there is none."""
        out = np.full((len(record), len(animal.parts), 3), np.nan, np.float32)
        has = record >= 0
        if self.logs.poses is not None and has.any():
            found = self.logs.poses.records[self.field][record[has], animal.place]
            out[has] = found[:, list(animal.parts)]
        return out

    def edges_of(self, animal: Animal) -> list[tuple[int, int]]:
        """The skeleton as pairs of places in the animal's body parts."""
        names = animal.bodyparts
        return [(names.index(a), names.index(b)) for a, b in self.edges if a in names and b in names]

    @cached_property
    def rate_hz(self) -> float:
        """Frames a second: the median of the frame times, else what the video states."""
        steps = np.diff(self.times_s(self.row_ids))
        steps = steps[np.isfinite(steps) & (steps > 0)]
        if len(steps):
            return float(1 / np.median(steps))
        return float(video_rate(self.video)) if self.video is not None else 30.0


@dataclass(frozen=True)
class Content:
    """A session as the exports see it.

    Attributes
    ----------
    logs : SessionLogs
    cameras : list of ContentCamera
        Those asked for, in the order of the config.
    start : datetime
        Wall clock, UTC, at time zero of `CLOCK`.
    events : pyarrow.Table
        As in events.csv, with `time_s` on `CLOCK`.
    """

    logs: SessionLogs
    cameras: list[ContentCamera]
    start: datetime
    events: pa.Table

    @property
    def name(self) -> str:
        """Name of the session's folder."""
        return self.logs.session_dir.resolve().name

    @property
    def subject(self) -> str:
        """The subject's name, as configured."""
        told = mapping(self.logs.config, "session").get("subject")
        return str(told or self.name.split("_")[0])

    @property
    def version(self) -> str:
        """Version of fastpose that recorded."""
        versions = mapping(self.logs.meta, "versions")
        return str(versions.get("fastpose-rig") or versions.get("fastpose") or "unknown")

    def with_poses(self, form: str) -> list[ContentCamera]:
        """The cameras that have poses.

        Raises
        ------
        RecordError
            None has.
        """
        found = [camera for camera in self.cameras if camera.header is not None]
        if not found:
            asked = ", ".join(camera.name for camera in self.cameras)
            raise RecordError(
                f"'{self.logs.session_dir}' has no poses of camera {asked}, nothing to write as {form}; "
                "allowed: a session with a model, or --to nwb or alf for frame times and events alone"
            )
        return found

    def exposures(self, camera: ContentCamera) -> pa.Table:
        """The rows of frames.parquet of a camera, with `time_s` on `CLOCK` (null: no such frame)."""
        stamps = camera.frames.records["exposure_start_ns"]
        time_s = pa.array((stamps - camera.start_ns) / 1e9, mask=stamps == 0)
        return frames_table(camera.frames).append_column("time_s", time_s)


def require_folder_of(path: Path) -> None:
    """Refuse a file in a folder that is not there.

    Raises
    ------
    RecordError
    """
    if not path.parent.is_dir():
        raise RecordError(f"cannot write '{path}': '{path.parent}' is no folder")


def read_content(session_dir: Path, camera: str | None = None, *, filtered: bool = False) -> Content:
    """Read a session for export.

    Parameters
    ----------
    session_dir : Path
    camera : str, optional
        Only this one.
    filtered : bool
        The filter's keypoints instead of the network's.

    Raises
    ------
    RecordError
        It is no session folder, is still being written, has no such camera, or no filter ran.
    """
    logs = read_session(session_dir)
    _refuse_running(logs)
    if filtered:
        _require_filter(logs)
    names = _chosen(logs, camera)
    start_ns, start = _start(logs)
    cameras = [_camera(logs, name, "filtered" if filtered else "raw", start_ns) for name in names]
    return Content(logs, cameras, start, events_table(logs))


def _refuse_running(logs: SessionLogs) -> None:
    files = [*logs.session_dir.glob("log/*.fplog"), *logs.session_dir.glob("video_*.mkv")]
    if writers := processes_writing(files):
        raise RecordError(
            f"'{logs.session_dir}' is still in use by process {', '.join(map(str, writers))}: "
            "export it after its end"
        )


def _require_filter(logs: SessionLogs) -> None:
    with_poses = [camera.poses for camera in logs.cameras.values() if camera.poses is not None]
    if not any(filter_ran(logs, poses) for poses in with_poses):
        raise RecordError(f"'{logs.session_dir}': no filter ran; leave out --filtered")


def _chosen(logs: SessionLogs, camera: str | None) -> list[str]:
    if camera is not None and camera not in logs.cameras:
        have = ", ".join(logs.cameras) or "none"
        raise RecordError(f"'{logs.session_dir}' has no camera '{camera}'; allowed: {have}")
    return list(logs.cameras) if camera is None else [camera]


def _camera(logs: SessionLogs, name: str, field: str, start_ns: int) -> ContentCamera:
    found = logs.cameras[name]
    has_video = found.video is not None and found.video_path.exists()
    frames = camera_frames(found, video_state(found.video_path).frames if has_video else None)
    bodyparts = found.poses.names("bodyparts") if found.poses is not None else []
    edges = [(bodyparts[a], bodyparts[b]) for a, b in skeleton(logs, bodyparts)]
    video = found.video_path if has_video else None
    size_px = _told_size_px(logs, name) or (None if video is None else video_size_px(video))
    return ContentCamera(name, found, frames, video, size_px, edges, field, start_ns)


def _told_size_px(logs: SessionLogs, camera: str) -> tuple[int, int] | None:
    device = mapping(mapping(mapping(logs.meta, "devices"), "cameras"), camera)
    told: Any = device.get("size") or mapping(mapping(logs.config, "cameras"), camera).get("size")
    return (int(told[0]), int(told[1])) if isinstance(told, list) and len(told) == 2 else None


def _start(logs: SessionLogs) -> tuple[int, datetime]:
    """The start on the host's clock, and the wall clock (UTC) at that moment."""
    start_ns = logs.start_monotonic_ns
    if start_ns is None:
        raise RecordError(f"'{logs.session_dir}': neither log/meta.json nor a log tells when it started")
    unix_ns = logs.meta.get("unix_ns")
    if not isinstance(unix_ns, int):
        first = next(log.header for log in logs.files if log.header.get("monotonic_ns"))
        unix_ns = int(first["created_unix_ns"]) - int(first["monotonic_ns"]) + start_ns
    epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
    return start_ns, epoch + timedelta(microseconds=unix_ns / 1000)

"""What a replay takes of a session: frames, poses and edges of one camera, and what came from outside."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fastpose.config import Config, config_from
from fastpose.errors import RecordError
from fastpose.session.events import EVENTS, KEPT, STOPS, event_records
from fastpose.session.frames import CameraFrames, camera_frames
from fastpose.session.log import EVENT_DTYPE, FRAME_DTYPE, LogFile, Records
from fastpose.session.poses import last_record
from fastpose.session.source import SessionLogs, mapping, read_session

__all__ = ["CameraRecord", "Input", "SessionRecord", "read_record"]

_TIMER, _INTERLOCK, _SAFE, _USER = 2, 4, 8, 16  # csrc/record/records.h EventFlag
_OUTPUT, _REFUSED, _LEVEL = EVENTS.index("output"), EVENTS.index("refused"), EVENTS.index("level")
_STOP = EVENTS.index("stop")
_POSES_BACK = STOPS.index("poses_back")

Input = tuple[
    int, Literal["on", "off", "pulse", "safe", "arm"], int, int
]  # time_ns, what, output, duration_ns


@dataclass(frozen=True)
class CameraRecord:
    """The frames of one camera that were processed.

    Attributes
    ----------
    camera : str
    frames : ndarray
        (n,) structured as `FRAME_DTYPE`, in the order of processing.
    raw, filtered : ndarray
        (n, individuals, K, 3) float32 keypoints; NaN where the pose was lost.
    bodyparts, individuals, unique_bodyparts : tuple of str
    work_ns : int
        What the network took at warm-up; 0: not told.
    missing_poses : int
        Frames whose pose is not in the log.
    dropped : int
        Exposures that were not processed.
    video_frame : ndarray
        (n,) int64 index in the recorded video, -1: not in it.
    frame_size : tuple of int, optional
        Width and height, px; None: nothing tells.
    """

    camera: str
    frames: Records
    raw: npt.NDArray[np.float32]
    filtered: npt.NDArray[np.float32]
    bodyparts: tuple[str, ...]
    individuals: tuple[str, ...]
    unique_bodyparts: tuple[str, ...]
    work_ns: int
    missing_poses: int
    dropped: int
    video_frame: npt.NDArray[np.int64]
    frame_size: tuple[int, int] | None = None

    def with_poses(self, raw: npt.NDArray[np.float32]) -> CameraRecord:
        """The same frames with other raw poses."""
        return replace(self, raw=np.ascontiguousarray(raw, np.float32))


@dataclass(frozen=True)
class SessionRecord:
    """A session as a replay needs it.

    Attributes
    ----------
    folder : Path
    config : Config
        That of the session.
    cameras : dict of CameraRecord
        Those with poses, in the config's order.
    events : ndarray
        (m,) structured as `EVENT_DTYPE`, in order of time.
    inputs : list
        Commands from outside of the loop, and what made the outputs safe, in order of time.
    outputs : tuple of str
        The names that events refer to.
    lost_records : int
        Which the log should have had: it could not be written fast enough.
    """

    folder: Path
    config: Config
    cameras: dict[str, CameraRecord]
    events: Records
    inputs: list[Input]
    rules: tuple[str, ...]
    outputs: tuple[str, ...]
    lost_records: int = 0


def read_record(folder: Path) -> SessionRecord:
    """Read a session from its log.

    Raises
    ------
    RecordError
        The folder holds no session, none of its cameras has poses, its config is lost, or its outputs did
        what a record does not tell: trains, levels and ramps of Python, trains when a camera was lost.
    """
    logs = read_session(folder)
    if not logs.config:
        raise RecordError(f"'{folder}': its config is lost with log/meta.json; nothing tells what was run")
    config = config_from(logs.config, base=folder)
    _require_traces(logs, config)
    cameras = {
        name: _camera(logs, name) for name in config.cameras if name in logs.cameras and _poses(logs, name)
    }
    if not cameras:
        raise RecordError(f"'{folder}' has no poses: no network saw its cameras; there is nothing to replay")
    events = _as_events(event_records(logs, kept=True))
    last_ns = max(int(camera.frames["decided_ns"].max(initial=0)) for camera in cameras.values())
    outputs = tuple(logs.events.names("outputs")) if logs.events is not None else ()
    return SessionRecord(
        folder=folder,
        config=config,
        cameras=cameras,
        events=events,
        inputs=_inputs(events, _ended_ns(logs), last_ns, outputs),
        rules=tuple(logs.events.names("rules")) if logs.events is not None else (),
        outputs=outputs,
        lost_records=int(_counts(logs).get("lost_records") or 0),
    )


def _require_traces(logs: SessionLogs, config: Config) -> None:
    """A lost camera makes the outputs safe; between two pulses of a train that leaves no event."""
    lost = int(_counts(logs).get("times_lost") or 0)
    if lost and config.protocol is not None and _has_train(config.protocol.model_dump(mode="json")):
        raise RecordError(
            f"a camera was lost {lost} time(s), and the protocol has a train: the record does not tell which "
            "trains that ended, and they cannot be replayed; allowed: such a session without trains"
        )


def _has_train(value: object) -> bool:
    if isinstance(value, dict):
        return value.get("train") is not None or any(map(_has_train, value.values()))
    return isinstance(value, list) and any(map(_has_train, value))


def _poses(logs: SessionLogs, camera: str) -> LogFile | None:
    return logs.cameras[camera].poses


def _camera(logs: SessionLogs, name: str) -> CameraRecord:
    poses = _poses(logs, name)
    assert poses is not None
    rows = camera_frames(logs.cameras[name])
    processed = rows.processed & rows.received
    frames = rows.records[processed]
    order = np.argsort(frames["frame_id"], kind="stable")
    frames = np.ascontiguousarray(frames[order])
    at = last_record(poses, np.asarray(frames["frame_id"], np.int64))
    return CameraRecord(
        camera=name,
        frames=frames,
        raw=_keypoints(poses, "raw", at),
        filtered=_keypoints(poses, "filtered", at),
        bodyparts=tuple(poses.names("bodyparts")),
        individuals=tuple(poses.names("individuals")),
        unique_bodyparts=tuple(poses.names("unique_bodyparts")),
        work_ns=_work_ns(logs, name),
        missing_poses=int((at < 0).sum()),
        dropped=_dropped(rows),
        video_frame=rows.video_frame[processed][order],
        frame_size=_frame_size(logs, name),
    )


def _frame_size(logs: SessionLogs, camera: str) -> tuple[int, int] | None:
    size = mapping(mapping(mapping(logs.meta, "devices"), "cameras"), camera).get("size")
    return (int(size[0]), int(size[1])) if size else None


def _dropped(rows: CameraFrames) -> int:
    return int((~rows.processed).sum())


def _keypoints(poses: LogFile, field: str, at: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    found = poses.records[field]
    out = np.full((len(at), *found.shape[1:]), np.nan, np.float32)
    out[at >= 0] = found[at[at >= 0]]
    return out


def _counts(logs: SessionLogs) -> dict[str, Any]:
    return mapping(logs.ended or {}, "counts")


def _work_ns(logs: SessionLogs, camera: str) -> int:
    return int(mapping(mapping(_counts(logs), "cameras"), camera).get("expected_work_ns") or 0)


def _ended_ns(logs: SessionLogs) -> int:
    """When the outputs went safe for good; 0: nothing tells."""
    return int(_counts(logs).get("outputs_ended_ns") or 0)


def _as_events(records: Records) -> Records:
    """The records with this version's layout; a field that the file lacks is 0."""
    out = np.zeros(len(records), EVENT_DTYPE)
    for name in set(EVENT_DTYPE.names or ()) & set(records.dtype.names or ()):
        out[name] = records[name]
    return out


def _inputs(events: Records, ended_ns: int, last_ns: int, outputs: tuple[str, ...]) -> list[Input]:
    edges = events[np.isin(events["kind"], (_OUTPUT, _REFUSED, _LEVEL))]
    _require_plain(edges, outputs)
    found = [*_safes(events, ended_ns, last_ns), *_commands(edges[edges["kind"] != _LEVEL])]
    return sorted(found, key=lambda each: each[0])


def _safes(events: Records, ended_ns: int, last_ns: int) -> list[Input]:
    """Each time that the outputs went safe, and when they were seen to be armed again.

    The last is the end of the session. No time is too long between two writes: the machine may be busy.
    """
    found: list[Input] = []
    safe, accepted_ns, told = False, 0, _tells_why(events)
    for event in events:
        stamp_ns = int(event["stamp_ns"])
        if not safe and _goes_safe(event):
            found.append((stamp_ns, "safe", 0, 0))
            safe = True
        elif _accepted(event) or (told and _limited(event)):
            if safe:
                found.append((stamp_ns, "arm", 0, 0))
            safe, accepted_ns = False, stamp_ns
    if ended_ns and (not safe or found[-1][0] > ended_ns):
        found = found[:-1] if safe else found
        found.append((max(ended_ns, accepted_ns + 1), "safe", 0, 0))
    elif not safe:
        edges = events["stamp_ns"][np.isin(events["kind"], (_OUTPUT, _REFUSED))]
        found.append((max(last_ns, int(edges.max(initial=0))) + 1, "safe", 0, 0))
    return found


def _goes_safe(event: Any) -> bool:
    if event["kind"] == _STOP:
        return bool(event["value"] != _POSES_BACK)
    return bool(event["kind"] in (_OUTPUT, _REFUSED) and event["flags"] & _SAFE)


def _tells_why(events: Records) -> bool:
    """A refusal says whether the outputs were safe, and each command is there: since this was logged."""
    refused = (events["kind"] == _REFUSED) & ((events["flags"] & _SAFE) != 0)
    return bool(((events["kind"] == KEPT) | refused).any())


def _limited(event: Any) -> bool:
    """A command was refused by a limit: the outputs were armed."""
    return bool(event["kind"] == _REFUSED and not event["flags"] & (_SAFE | _TIMER | _INTERLOCK))


def _accepted(event: Any) -> bool:
    """A command passed: the outputs were armed."""
    if event["kind"] == _STOP:
        return bool(event["value"] == _POSES_BACK)
    if event["kind"] not in (_OUTPUT, _LEVEL, KEPT) or event["flags"] & _SAFE:
        return False
    return not event["flags"] & (_TIMER | _INTERLOCK)


def _require_plain(edges: Records, outputs: tuple[str, ...]) -> None:
    """Of what Python asks for, the record has edges alone: they tell `on`, `off` and `pulse`."""
    for output in np.unique(edges["source"]):
        own = edges[edges["source"] == output]
        name = outputs[output] if 0 <= output < len(outputs) else str(output)
        for at in np.flatnonzero((own["flags"] & _USER) != 0):
            what = _shape_of(own[at:])
            if what:
                raise RecordError(
                    f"output {name!r} had a {what} from outside of the loop: a record has its edges, not its "
                    "shape, and it cannot be replayed; allowed from Python: on, off, pulse"
                )


def _shape_of(edges: Records) -> str:
    """`train`, `level or ramp`, or nothing: what a command from outside was by what it did."""
    if edges["kind"][0] == _LEVEL:
        return "level or ramp"
    for edge in edges[1:]:
        if not edge["flags"] & (_TIMER | _INTERLOCK):
            return ""
        if edge["kind"] == _LEVEL:
            return "level or ramp"
        if edge["value"] == 1:
            return "train"
    return ""


def _commands(edges: Records) -> list[Input]:
    """Commands of a person or of Python; a pulse is one whose end came by the timer."""
    found: list[Input] = []
    for output in np.unique(edges["source"]):
        own = edges[edges["source"] == output]
        for at in np.flatnonzero((own["flags"] & _USER) != 0):
            found += [*_off_before(own, int(at)), _command(own, int(at))]
    return found


def _off_before(edges: Records, at: int) -> list[Input]:
    """An `off` of a low line leaves no event; without it a line that was cut would have refused to rise."""
    edge = edges[at]
    before = edges[:at][edges["kind"][:at] == _OUTPUT]
    rose = edge["kind"] == _OUTPUT and edge["value"] == 1
    if rose and len(before) and before["flags"][-1] & _INTERLOCK:
        return [(int(edge["stamp_ns"]) - 1, "off", int(edge["source"]), 0)]
    return []


def _command(edges: Records, at: int) -> Input:
    edge = edges[at]
    time_ns, output = int(edge["stamp_ns"]), int(edge["source"])
    if edge["value"] == 0:
        return time_ns, "off", output, 0
    falls = edges[at + 1 :][edges["value"][at + 1 :] == 0]
    if len(falls) and falls["flags"][0] & _TIMER:
        return time_ns, "pulse", output, int(falls["stamp_ns"][0]) - time_ns
    return time_ns, "on", output, 0


assert FRAME_DTYPE.itemsize == 128  # what the engine reads as FrameRecord
assert EVENT_DTYPE.itemsize == 48

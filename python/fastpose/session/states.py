"""What every rule, output and the protocol's state was at each row of the frames table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastpose.session.events import EVENTS
from fastpose.session.frames import CameraFrames, Int64
from fastpose.session.log import Records
from fastpose.session.source import SessionLogs

__all__ = ["StateTrack", "state_tracks"]


@dataclass(frozen=True)
class StateTrack:
    """One rule, output or the protocol over the rows of a camera.

    Attributes
    ----------
    kind : str
        `rule`, `output` or `state`.
    name : str
    values : ndarray
        (n,) int64: 0 or 1, or the number of the state.
    labels : list of str
        Names of the states; [] for rules and outputs.
    """

    kind: str
    name: str
    values: Int64
    labels: list[str]


def state_tracks(logs: SessionLogs, frames: CameraFrames, events: Records) -> list[StateTrack]:
    """All tracks: rules, then outputs, then the protocol's state where it has several.

    An output that went high for less than a frame counts as high in the frame that made it so.
    """
    if logs.events is None:
        return []
    seen_ns = _seen_ns(frames)
    tracks = []
    for kind, key in (("rule", "rules"), ("output", "outputs")):
        for source, name in enumerate(logs.events.names(key)):
            own = events[(events["kind"] == EVENTS.index(kind)) & (events["source"] == source)]
            values = _last_value(own, seen_ns) | _rose_since_row_before(own, seen_ns)
            tracks.append(StateTrack(kind, name, values, []))
    states = logs.events.names("states")
    if len(states) > 1:
        own = events[events["kind"] == EVENTS.index("state")]
        tracks.append(StateTrack("state", "protocol", _last_value(own, seen_ns), states))
    return tracks


def _seen_ns(frames: CameraFrames) -> Int64:
    """(n,) the latest stamp of each row, never before the row before it."""
    stamps = [frames.records[f"{name}_ns"] for name in ("exposure_start", "received", "decided", "acted")]
    return np.asarray(np.maximum.accumulate(np.maximum.reduce(stamps)), np.int64)


def _last_value(events: Records, seen_ns: Int64) -> Int64:
    """(n,) value of the last event up to each time, 0 before the first."""
    values = np.concatenate([[0], events["value"]]).astype(np.int64)
    return np.asarray(values[np.searchsorted(events["stamp_ns"], seen_ns, side="right")])


def _rose_since_row_before(events: Records, seen_ns: Int64) -> Int64:
    """(n,) 1 where an event with value 1 lies between a time and the one before it."""
    rising = events["stamp_ns"][events["value"] == 1]
    count = np.searchsorted(rising, seen_ns, side="right")
    return np.asarray(np.diff(count, prepend=0) > 0, np.int64)

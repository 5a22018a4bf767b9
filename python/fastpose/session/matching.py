"""Frames of several cameras that were exposed together: which belong to each other, and which to none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose.session.frames import FLAGS, CameraFrames, Int64
from fastpose.session.source import SessionLogs, mapping

__all__ = ["matched", "sets_by_counter", "sets_by_time"]

NONE = -1  # of a frame that belongs to no set


def matched(logs: SessionLogs, frames: dict[str, CameraFrames]) -> dict[str, CameraFrames]:
    """Number the sets of the synchronised cameras, and flag frames that another camera has none for.

    Notes
    -----
    The loop flags a frame that it had to process without the others'; here every camera's whole record is
    known, recorded-only ones too. A frame stays flagged where the loop went on without its set.
    """
    spec = mapping(logs.config, "synchronise")
    group = [name for name in spec.get("cameras") or frames if name in frames] if spec else []
    if len(group) < 2:
        return frames
    cameras = {name: frames[name] for name in group}
    sets = _sets(spec, cameras)
    complete = _in_all(sets, cameras)
    found = {name: _flagged(camera, sets[name], complete) for name, camera in cameras.items()}
    logs.notes.extend(_disagreements(spec, cameras, sets))
    return {**frames, **found}


def sets_by_counter(cameras: Mapping[str, CameraFrames]) -> dict[str, Int64]:
    """(n,) of each camera: the camera's count of the exposure is the number of the set."""
    return {name: np.asarray(camera.records["camera_counter"], np.int64) for name, camera in cameras.items()}


def sets_by_time(cameras: Mapping[str, CameraFrames], tolerance_ns: int) -> dict[str, Int64]:
    """(n,) of each camera: exposures within the tolerance of the one before belong to its set.

    Sets are numbered from 0 in the order of time. A row whose exposure is unknown belongs to none.
    """
    starts = {
        name: np.asarray(camera.records["exposure_start_ns"], np.int64) for name, camera in cameras.items()
    }
    every = np.sort(np.concatenate([start[start > 0] for start in starts.values()]))
    firsts = _firsts(every, tolerance_ns)
    return {
        name: np.where(start > 0, np.searchsorted(firsts, start, side="right") - 1, NONE)
        for name, start in starts.items()
    }


def _firsts(ordered_ns: Int64, tolerance_ns: int) -> Int64:
    """The first exposure of each set: it comes later than the tolerance after the one before."""
    gaps = np.diff(ordered_ns, prepend=np.iinfo(np.int64).min // 2)
    return np.asarray(ordered_ns[gaps > tolerance_ns], np.int64)


def _sets(spec: Mapping[str, Any], cameras: Mapping[str, CameraFrames]) -> dict[str, Int64]:
    if spec.get("by") == "time":
        return sets_by_time(cameras, _tolerance_ns(spec, cameras))
    return sets_by_counter(cameras)


def _tolerance_ns(spec: Mapping[str, Any], cameras: Mapping[str, CameraFrames]) -> int:
    """As the config says it, else a quarter of the period."""
    if spec.get("tolerance_ms"):
        return int(1e6 * float(spec["tolerance_ms"]))
    return int(_period_ns(cameras) / 4)


def _period_ns(cameras: Mapping[str, CameraFrames]) -> float:
    """Median time between exposures of the fastest camera."""
    periods = []
    for camera in cameras.values():
        starts = camera.records["exposure_start_ns"]
        steps = np.diff(np.asarray(starts[starts > 0], np.int64))
        periods += [float(np.median(steps))] if len(steps) else []
    return min(periods, default=0.0)


def _in_all(sets: Mapping[str, Int64], cameras: Mapping[str, CameraFrames]) -> Int64:
    """The sets that every camera has a frame of, which reached this computer."""
    received = [np.unique(sets[name][camera.received]) for name, camera in cameras.items()]
    complete = received[0]
    for each in received[1:]:
        complete = np.intersect1d(complete, each, assume_unique=True)
    return np.asarray(complete[complete >= 0], np.int64)


def _flagged(camera: CameraFrames, sets: Int64, complete: Int64) -> CameraFrames:
    alone = camera.received & ~np.isin(sets, complete)
    records = camera.records.copy()
    records["flags"] |= np.where(alone, FLAGS["unmatched"], 0).astype(np.int32)
    return replace(camera, records=records, set_id=sets)


def _disagreements(
    spec: Mapping[str, Any], cameras: Mapping[str, CameraFrames], sets: Mapping[str, Int64]
) -> list[str]:
    """Say where equal counters are no equal exposures: a camera was armed after the first trigger."""
    if spec.get("by") == "time":
        return []
    (first, *others), limit_ns = list(cameras), _period_ns(cameras) / 2
    notes = []
    for name in others:
        apart = _apart_ns(cameras[first], cameras[name], sets[first], sets[name])
        if len(apart) and abs(float(np.median(apart))) > limit_ns > 0:
            told = f"{np.median(apart) / 1e6:+.1f} ms apart (median)"
            notes.append(
                f"{first} and {name}: exposures of the same counter are {told}; one of the cameras began to "
                "count after the others: synchronise with by: time"
            )
    return notes


def _apart_ns(
    first: CameraFrames, other: CameraFrames, first_sets: Int64, other_sets: Int64
) -> npt.NDArray[np.int64]:
    """Between the exposures of each set that both have, other minus first."""
    mine, theirs = first.records["exposure_start_ns"] > 0, other.records["exposure_start_ns"] > 0
    _, i, j = np.intersect1d(first_sets[mine], other_sets[theirs], return_indices=True)
    return np.asarray(
        other.records["exposure_start_ns"][theirs][j] - first.records["exposure_start_ns"][mine][i], np.int64
    )

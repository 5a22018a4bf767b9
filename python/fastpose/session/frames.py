"""The frames table: every exposure of every camera, what became of it, and where it is in the video."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from fastpose.session.atomic import replacing
from fastpose.session.log import FRAME_DTYPE, LogFile, Records
from fastpose.session.source import CameraLogs

__all__ = ["DROP_REASONS", "STAMPS", "CameraFrames", "camera_frames", "frames_table", "write_frames"]

DROP_REASONS = ("", "camera", "ring", "recorder", "transport")  # csrc/record/records.h DropReason
STAMPS = (
    "exposure_start_ns",
    "received_ns",
    "dequeued_ns",
    "preprocessed_ns",
    "inferred_ns",
    "decoded_ns",
    "filtered_ns",
    "decided_ns",
    "acted_ns",
)
FLAGS = {  # csrc/frame/frame.h FrameFlag
    "unreadable": 1,
    "torn": 2,
    "late": 4,
    "clock_unfitted": 16,
    "pose_failed": 32,
    "counter_reset": 64,
    "unmatched": 128,
}
_MAX_INFERRED_ROWS = 1_000_000  # a counter that jumps further has restarted
_ROI = ("roi_x", "roi_y", "roi_width", "roi_height")

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class CameraFrames:
    """One row for each exposure of a camera, in order of exposure.

    Attributes
    ----------
    camera : str
    records : ndarray
        (n,) structured as `FRAME_DTYPE`. 0 in a stamp and -1 in an id: none.
    ids_in_video : ndarray
        (m,) int64 frame id of each frame of the video, in its order.
    notes : list of str
        What had to be inferred.
    set_id : ndarray or None
        (n,) int64 number of the set of frames that were exposed together, negative: in none; None: this
        camera is not synchronised with others.
    """

    camera: str
    records: Records
    ids_in_video: Int64
    notes: list[str]
    set_id: Int64 | None = None

    @property
    def processed(self) -> Bool:
        """(n,) the loop came to a decision on it."""
        return np.asarray(self.records["decided_ns"] != 0)

    @property
    def received(self) -> Bool:
        """(n,) its pixels reached this computer."""
        return np.asarray(self.records["frame_id"] >= 0)

    @property
    def received_ids(self) -> Int64:
        """(m,) frame id of each received frame, in order of exposure."""
        return np.asarray(self.records["frame_id"][self.received], np.int64)

    @cached_property
    def video_frame(self) -> Int64:
        """(n,) index in the video, -1 where the frame is not in it."""
        return _positions(self.ids_in_video, self.records["frame_id"])

    def drops(self) -> dict[str, int]:
        """Rows for each drop reason."""
        counts = np.bincount(_reasons(self.records), minlength=len(DROP_REASONS))
        return {reason: int(count) for reason, count in zip(DROP_REASONS, counts, strict=True) if reason}

    def flagged(self, flag: str) -> Bool:
        """(n,) rows that carry one of `FLAGS`."""
        return np.asarray((self.records["flags"] & FLAGS[flag]) != 0)


def camera_frames(logs: CameraLogs, video_frames: int | None = None) -> CameraFrames:
    """Put together the rows of one camera from its logs.

    A frame that the log tells of twice (not recorded, yet processed) becomes one row. A gap in the camera's
    counter between frames that follow each other becomes rows with reason `camera`. A frame id that the
    frames log lacks, because a kill or a full disk took the record, becomes a row with reason `recorder`, and
    so does every frame that is not in the video of a recorded camera and has no other reason.

    Parameters
    ----------
    logs : CameraLogs
    video_frames : int, optional
        Frames that can be decoded from the video; the mapping ends there.
    """
    notes: list[str] = []
    ids_in_video = _ids(logs.video)[:video_frames]
    records = _as_frame_records(logs.frames)
    numbered = _merge_duplicates(records[records["frame_id"] >= 0])
    numbered = _add_lost(numbered, (ids_in_video, _ids(logs.poses)), notes)
    unnumbered = _add_counter_gaps(numbered, records[records["frame_id"] < 0], notes)
    rows = _in_order(numbered, unnumbered)
    if logs.video is not None:
        rows = _note_unrecorded(rows, ids_in_video)
    return CameraFrames(logs.camera, rows, ids_in_video, notes)


def _ids(log: LogFile | None) -> Int64:
    return np.zeros(0, np.int64) if log is None else np.asarray(log.records["frame_id"], np.int64)


def _as_frame_records(log: LogFile | None) -> Records:
    """The records with this version's layout; a field that the file lacks is 0."""
    if log is None:
        return np.zeros(0, FRAME_DTYPE)
    if log.records.dtype == FRAME_DTYPE:
        return log.records
    out = np.zeros(len(log.records), FRAME_DTYPE)
    for name in set(FRAME_DTYPE.names or ()) & set(log.records.dtype.names or ()):
        out[name] = log.records[name]
    return out


def _merge_duplicates(records: Records) -> Records:
    """Sort by frame id; of records of one frame keep every stamp, and `ring` before `recorder`."""
    records = records[np.argsort(records["frame_id"], kind="stable")]
    if len(records) == 0:
        return records
    first = np.flatnonzero(np.diff(records["frame_id"], prepend=records["frame_id"][0] - 1))
    if len(first) == len(records):
        return records
    merged: Records = records[first].copy()
    for name in FRAME_DTYPE.names or ():
        combine: np.ufunc = np.bitwise_or if name == "flags" else np.maximum
        merged[name] = combine.reduceat(records[name], first)
    is_ring = np.maximum.reduceat(
        (records["drop_reason"] == DROP_REASONS.index("ring")).astype(np.int8), first
    )
    merged["drop_reason"][is_ring == 1] = DROP_REASONS.index("ring")
    return merged


def _add_lost(numbered: Records, elsewhere: Iterable[Int64], notes: list[str]) -> Records:
    """Add a row for each frame id between the known ones that the frames log does not hold."""
    known = np.unique(np.concatenate([numbered["frame_id"], *elsewhere]))
    inside = _between(known[:-1], known[1:])
    lost = np.union1d(np.setdiff1d(known, numbered["frame_id"]), inside)
    if len(lost) == 0:
        return numbered
    notes.append(f"{len(lost)} frame(s) whose record was lost are listed without stamps, reason recorder")
    rows = np.zeros(len(lost), FRAME_DTYPE)
    rows["frame_id"], rows["camera_counter"] = lost, -1
    rows["drop_reason"] = DROP_REASONS.index("recorder")
    both = np.concatenate([numbered, rows])
    return both[np.argsort(both["frame_id"], kind="stable")]


def _add_counter_gaps(numbered: Records, unnumbered: Records, notes: list[str]) -> Records:
    """Add to the logged exposures without a frame those that the camera's counter tells of."""
    counter = numbered["camera_counter"]
    adjacent = (counter[:-1] >= 0) & (counter[1:] >= 0)  # a lost record has no counter
    missing = _between(counter[:-1][adjacent], counter[1:][adjacent])
    new = np.setdiff1d(missing, unnumbered["camera_counter"])
    if len(new) == 0:
        return unnumbered
    notes.append(f"{len(new)} exposure(s) found missing by a gap in the camera's counter")
    rows = np.zeros(len(new), FRAME_DTYPE)
    rows["frame_id"], rows["camera_counter"], rows["drop_reason"] = -1, new, DROP_REASONS.index("camera")
    return np.concatenate([unnumbered, rows])


def _note_unrecorded(rows: Records, ids_in_video: Int64) -> Records:
    """Frames that the encoder took and never wrote: it failed, was killed, or its disk was full."""
    lost = (rows["frame_id"] >= 0) & (rows["drop_reason"] == 0) & ~np.isin(rows["frame_id"], ids_in_video)
    if not lost.any():
        return rows
    noted: Records = rows.copy()
    noted["drop_reason"][lost] = DROP_REASONS.index("recorder")
    return noted


def _between(low: Int64, high: Int64) -> Int64:
    """All integers strictly between each low and its high, ascending pairs, without absurdly wide ones."""
    width = high - low - 1
    wanted = (width > 0) & (width <= _MAX_INFERRED_ROWS)
    low, width = low[wanted], width[wanted]
    step = np.arange(width.sum()) - np.repeat(np.cumsum(width) - width, width)
    return np.asarray(np.repeat(low + 1, width) + step, np.int64)


def _in_order(numbered: Records, unnumbered: Records) -> Records:
    """Sort exposures without a frame in between the frames, by the camera's counter."""
    if len(unnumbered) == 0:
        return numbered
    counted = numbered[numbered["camera_counter"] >= 0]
    # A restart of the counter breaks its order; its running maximum keeps the search defined.
    running = np.maximum.accumulate(counted["camera_counter"])
    before = np.searchsorted(running, unnumbered["camera_counter"]) - 1
    previous_id = np.where(before >= 0, counted["frame_id"][before.clip(0)] if len(counted) else -1, -1)
    both = np.concatenate([numbered, unnumbered])
    after = np.concatenate([2 * numbered["frame_id"], 2 * previous_id + 1])
    return both[np.lexsort((both["camera_counter"], after))]


def _positions(ids_in_video: Int64, frame_id: Int64) -> Int64:
    """(n,) where each frame id is in the video, -1 where it is not."""
    if len(ids_in_video) == 0:
        return np.full(len(frame_id), -1, np.int64)
    order = np.argsort(ids_in_video, kind="stable")
    at = np.searchsorted(ids_in_video[order], frame_id).clip(0, len(order) - 1)
    found = order[at]
    return np.where((ids_in_video[found] == frame_id) & (frame_id >= 0), found, -1)


def _reasons(records: Records) -> Int64:
    """(n,) index into `DROP_REASONS`."""
    return np.asarray(records["drop_reason"].clip(0, len(DROP_REASONS) - 1), np.int64)


def frames_table(frames: CameraFrames) -> pa.Table:
    """The rows of one camera as `frames.parquet` has them: a time or id that does not exist is null."""
    records = frames.records
    n = len(records)
    columns: dict[str, pa.Array] = {"camera": pa.repeat(frames.camera, n)}
    for name in ("frame_id", "camera_counter"):
        columns[name] = pa.array(records[name], mask=records[name] < 0)
    for name in ("camera_timestamp_ns", *STAMPS):
        columns[name] = pa.array(records[name], mask=records[name] == 0)
    columns |= {name: pa.array(np.ascontiguousarray(records[name])) for name in _ROI}
    columns["exposure_error_ns"] = pa.array(
        records["exposure_error_ns"], mask=records["exposure_error_ns"] == 0
    )
    reason = pa.array(_reasons(records).astype(np.int8))
    columns["drop_reason"] = pa.DictionaryArray.from_arrays(reason, list(DROP_REASONS)).cast(pa.string())
    columns["processed"] = pa.array(frames.processed)
    columns["recorded"] = pa.array(frames.video_frame >= 0)
    columns["video_frame"] = pa.array(frames.video_frame, mask=frames.video_frame < 0)
    columns |= {flag: pa.array(frames.flagged(flag)) for flag in FLAGS}
    set_id = np.full(n, -1, np.int64) if frames.set_id is None else frames.set_id
    columns["set_id"] = pa.array(set_id, mask=set_id < 0)
    return pa.table(columns)


def write_frames(path: Path, cameras: Iterable[CameraFrames]) -> None:
    """Write `frames.parquet`, the cameras one after the other.

    Raises
    ------
    RecordError
        The file cannot be written.
    """
    empty = CameraFrames("", np.zeros(0, FRAME_DTYPE), np.zeros(0, np.int64), [])
    schema = frames_table(empty).schema
    with replacing(path) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        for frames in cameras:
            writer.write_table(frames_table(frames))

"""Pose files in DeepLabCut's layout: scorer, [individuals], bodyparts, coords by frame."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pc
import tables

from fastpose.errors import RecordError
from fastpose.session.atomic import replacing
from fastpose.session.frames import CameraFrames, Int64
from fastpose.session.log import LogFile
from fastpose.session.source import CameraLogs, SessionLogs, mapping

__all__ = [
    "PoseHeader",
    "PoseTable",
    "Table",
    "filter_ran",
    "last_record",
    "mark_for_older_pandas",
    "pose_header",
    "pose_tables",
    "row_ids",
    "write_csv",
    "write_h5",
    "write_poses",
]

COORDS = ("x", "y", "likelihood")
_ROWS_AT_ONCE = 100_000


class Table(Protocol):
    """Rows of keypoints with DeepLabCut's columns."""

    @property
    def columns(self) -> pd.MultiIndex:
        """Level names and labels."""
        ...

    def chunks(self) -> Iterator[tuple[Int64, npt.NDArray[np.float32]]]:
        """Index and values, a bounded number of rows at once; at least one chunk."""
        ...


@dataclass(frozen=True)
class PoseHeader:
    """The names in a pose file.

    Attributes
    ----------
    scorer : str
    bodyparts, individuals : tuple of str
        Of the poses; individuals are written only where there are several.
    unique_bodyparts : tuple of str
        The last body parts, where only the last individual has them, and has no others: as in DeepLabCut the
        file has a column for what can exist alone.
    """

    scorer: str
    bodyparts: tuple[str, ...]
    individuals: tuple[str, ...]
    unique_bodyparts: tuple[str, ...] = ()

    @property
    def columns(self) -> pd.MultiIndex:
        """Level names and labels as DeepLabCut writes them."""
        levels = {"scorer": [self.scorer]}
        levels |= {"individuals": list(self.individuals)} if len(self.individuals) > 1 else {}
        levels |= {"bodyparts": list(self.bodyparts), "coords": list(COORDS)}
        columns: pd.MultiIndex = pd.MultiIndex.from_product(list(levels.values()), names=list(levels))
        return columns[self._exists] if self.unique_bodyparts else columns

    def rows(self, keypoints: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """(n, individuals, K, 3) to (n, columns)."""
        rows = keypoints.reshape(-1, math.prod(keypoints.shape[1:]))
        return rows[:, self._exists] if self.unique_bodyparts else rows

    @property
    def _exists(self) -> npt.NDArray[np.bool_]:
        """(individuals * K * 3,): whether the individual can have the body part."""
        exists = np.zeros((len(self.individuals), len(self.bodyparts), len(COORDS)), bool)
        animals, unique = np.split(exists, [len(self.bodyparts) - len(self.unique_bodyparts)], axis=1)
        animals[:-1] = unique[-1] = True
        return exists.ravel()


def pose_header(poses: LogFile) -> PoseHeader:
    """The names that a poses log tells of."""
    scorer = str(poses.header.get("scorer") or "fastpose")
    names = (tuple(poses.names(key)) for key in ("bodyparts", "individuals", "unique_bodyparts"))
    return PoseHeader(scorer, *names)


@dataclass(frozen=True)
class PoseTable:
    """Keypoints by row, gathered from the log as they are asked for.

    Attributes
    ----------
    name : str
        Stem of the file.
    log : LogFile
        The camera's poses log.
    field : str
        `raw` or `filtered`.
    index : ndarray
        (n,) int64 label of each row: the frame number.
    record : ndarray
        (n,) int64 record of each row in the log, -1 where the frame was not processed.
    """

    name: str
    log: LogFile
    field: str
    index: Int64
    record: Int64

    @property
    def columns(self) -> pd.MultiIndex:
        """Level names and labels as DeepLabCut writes them."""
        return self._header.columns

    @property
    def _header(self) -> PoseHeader:
        return pose_header(self.log)

    def values(self, start: int, stop: int) -> npt.NDArray[np.float32]:
        """(stop - start, columns) x, y in full-frame sensor px and likelihood; NaN where not processed."""
        record, header = self.record[start:stop], self._header
        out = np.full((len(record), len(header.columns)), np.nan, np.float32)
        has = record >= 0
        out[has] = header.rows(self.log.records[self.field][record[has]])
        return out

    def chunks(self) -> Iterator[tuple[Int64, npt.NDArray[np.float32]]]:
        """Index and values, a bounded number of rows at once; at least one chunk."""
        for start in range(0, max(len(self.index), 1), _ROWS_AT_ONCE):
            stop = min(start + _ROWS_AT_ONCE, len(self.index))
            yield self.index[start:stop], self.values(start, stop)


def pose_tables(logs: SessionLogs, frames: CameraFrames) -> list[PoseTable]:
    """The pose tables of a camera; [] where no network ran on it.

    Rows are the frames of the video, or all received frames where no video was recorded. Poses of frames
    that a recorded video lacks are not lost: they go into `poses_<camera>_unrecorded`, by frame id.
    """
    camera = logs.cameras[frames.camera]
    if camera.poses is None:
        return []
    frame_id = row_ids(camera, frames)
    record = last_record(camera.poses, frame_id)
    index = np.arange(len(frame_id), dtype=np.int64)
    unrecorded = np.setdiff1d(camera.poses.records["frame_id"], frame_id)
    name = f"poses_{frames.camera}"
    fields = {"raw": "", "filtered": "_filtered"} if filter_ran(logs, camera.poses) else {"raw": ""}
    found = [PoseTable(name + suffix, camera.poses, field, index, record) for field, suffix in fields.items()]
    if len(unrecorded):
        record = last_record(camera.poses, unrecorded)
        found += [
            PoseTable(f"{name}_unrecorded{suffix}", camera.poses, field, unrecorded, record)
            for field, suffix in fields.items()
        ]
    return found


def filter_ran(logs: SessionLogs, poses: LogFile) -> bool:
    """The config asked for a filter; where it is unknown, some filtered keypoint differs from the raw one."""
    filter_type = mapping(logs.config, "filter").get("type")
    if logs.config:
        return filter_type not in (None, "none")
    return not np.array_equal(poses.records["raw"], poses.records["filtered"], equal_nan=True)


def row_ids(camera: CameraLogs, frames: CameraFrames) -> Int64:
    """(n,) frame id of each row of a pose file: the video's frames, else every received frame."""
    return frames.received_ids if camera.video is None else frames.ids_in_video


def last_record(poses: LogFile, frame_id: Int64) -> Int64:
    """(n,) the record of each frame id, -1 where there is none."""
    ids = np.asarray(poses.records["frame_id"], np.int64)
    if len(ids) == 0:
        return np.full(len(frame_id), -1, np.int64)
    order = np.argsort(ids, kind="stable")
    at = order[(np.searchsorted(ids[order], frame_id, side="right") - 1).clip(0)]
    return np.where(ids[at] == frame_id, at, -1)


def write_poses(session_dir: Path, table: PoseTable) -> list[Path]:
    """Write one table as h5 and csv beside each other.

    Raises
    ------
    RecordError
        A file cannot be written.
    """
    h5, text = session_dir / f"{table.name}.h5", session_dir / f"{table.name}.csv"
    write_h5(h5, table)
    write_csv(text, table)
    return [h5, text]


def write_h5(path: Path, table: Table) -> None:
    """Write the table as pandas does for DeepLabCut: key `df_with_missing`, format `table`, float64."""
    columns = table.columns
    with replacing(path) as temporary:
        try:
            with pd.HDFStore(str(temporary), mode="w") as store:
                for index, values in table.chunks():
                    frame = pd.DataFrame(values.astype(np.float64), index=index, columns=columns)
                    if (
                        frame.empty
                    ):  # pandas writes no empty table, but reads an empty one of the other layout
                        store.put("df_with_missing", frame, format="fixed", track_times=False)
                    else:
                        store.append("df_with_missing", frame, format="table", nan_rep="nan")
                mark_for_older_pandas(store)
        except tables.HDF5ExtError as error:
            raise RecordError(
                f"cannot write '{path}': HDF5 says {str(error).strip().splitlines()[-1]}"
            ) from error


def mark_for_older_pandas(store: pd.HDFStore) -> None:
    """Say which layout the table has, as pandas did before 3.1: 2.x, which DeepLabCut needs, asks for it."""
    untyped: Any = store
    untyped.get_node("df_with_missing")._v_attrs.pandas_version = "0.15.2"


def write_csv(path: Path, table: Table) -> None:
    """Write the table with one header row a level; a missing keypoint is an empty cell."""
    columns: Any = table.columns
    with replacing(path) as temporary, temporary.open("wb") as file:
        header = io.StringIO()
        csv.writer(header, lineterminator="\n").writerows(
            [name, *columns.get_level_values(name)] for name in columns.names
        )
        file.write(header.getvalue().encode())
        names = [str(number) for number in range(len(columns) + 1)]
        for index, values in table.chunks():
            arrays = [pa.array(index), *(pa.array(column, from_pandas=True) for column in values.T)]
            body = pa.table(arrays, names=names)
            pc.write_csv(body, file, pc.WriteOptions(include_header=False, quoting_style="none"))

"""`fastpose check-sync`: whether frame ids, camera counters, TTL edges and videos tell of the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from fastpose.errors import ConfigError, RecordError
from fastpose.session.ttl import Times, read_edges
from fastpose.session.video_file import VideoTimes, video_times

__all__ = ["CameraSync", "check_sync"]

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

_COLUMNS = ("frame_id", "camera_counter", "exposure_start_ns", "video_frame")
_SHORTEST_TOLERANCE_S = 0.0015  # a video's times are whole milliseconds


@dataclass(frozen=True)
class CameraSync:
    """What the files say of one camera.

    Attributes
    ----------
    camera : str
    difference : str or None
        The first difference, in the order of exposure; None where all agree.
    agreed : str
        What was compared, in words.
    """

    camera: str
    difference: str | None
    agreed: str

    def __str__(self) -> str:
        return f"camera '{self.camera}': {self.difference or self.agreed}"


@dataclass(frozen=True)
class _Rows:
    """The rows of one camera in frames.parquet; -1 in an id and 0 in a time: none."""

    camera: str
    frame_id: Int64
    camera_counter: Int64
    exposure_start_ns: Int64
    video_frame: Int64
    counter_reset: Bool
    clock_unfitted: Bool

    def __len__(self) -> int:
        return len(self.frame_id)

    def seconds(self) -> Times:
        """(n,) exposure times, NaN where they are not known."""
        known = (self.exposure_start_ns != 0) & ~self.clock_unfitted
        relative = self.exposure_start_ns - (self.exposure_start_ns[known][0] if known.any() else 0)
        return np.where(known, relative / 1e9, np.nan)

    def name(self, row: int) -> str:
        """A row in words."""
        if self.frame_id[row] >= 0:
            return f"frame id {self.frame_id[row]}"
        return f"the exposure that the camera counted as {self.camera_counter[row]}, which was lost"


@dataclass(frozen=True)
class _Difference:
    row: int
    text: str


def check_sync(
    session_dir: str | Path, *, ttl: str | Path | None = None, camera: str | None = None
) -> list[CameraSync]:
    """Compare what the files of a session say, camera by camera.

    Frame ids must be consecutive; the camera's counter must go on by one from row to row, so that every
    exposure has its row; the video must hold the recorded rows in their order and at their times; a TTL line
    must have one edge for each row, at its time.

    Parameters
    ----------
    session_dir : path
        Holds `frames.parquet`.
    ttl : path, optional
        Edges of the line that triggers the camera or tells of its exposures; see `read_edges`.
    camera : str, optional
        Only this one.

    Raises
    ------
    RecordError
        A file is missing or cannot be read.
    ConfigError
        There is no such camera.
    """
    session_dir = Path(session_dir)
    rows = _read(session_dir / "frames.parquet")
    if camera is not None and camera not in rows:
        raise ConfigError(f"--camera is {camera!r}; allowed: {', '.join(rows)}")
    edges = None if ttl is None else read_edges(ttl)
    wanted = rows.values() if camera is None else [rows[camera]]
    return [_check_camera(each, session_dir / f"video_{each.camera}.mkv", edges) for each in wanted]


def _read(path: Path) -> dict[str, _Rows]:
    if not path.is_file():
        raise RecordError(f"'{path}' is missing: make it with `fastpose recover {path.parent}`")
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise RecordError(f"cannot read '{path}': {error}") from error
    cameras = table["camera"].to_numpy()
    return {name: _rows(name, table.filter(pa.array(cameras == name))) for name in dict.fromkeys(cameras)}


def _rows(camera: str, table: pa.Table) -> _Rows:
    def numbers(name: str, missing: int) -> Int64:
        return np.asarray(table[name].fill_null(missing).to_numpy(), np.int64)

    def flags(name: str) -> Bool:
        known = name in table.column_names  # sessions of older versions lack some
        return np.asarray(table[name].to_numpy(), bool) if known else np.zeros(len(table), bool)

    values = {name: numbers(name, 0 if name.endswith("_ns") else -1) for name in _COLUMNS}
    return _Rows(
        camera, **values, counter_reset=flags("counter_reset"), clock_unfitted=flags("clock_unfitted")
    )


def _check_camera(rows: _Rows, video_path: Path, edges: Times | None) -> CameraSync:
    video = video_times(video_path) if video_path.exists() else None
    checks: list[Callable[[], _Difference | None]] = [
        lambda: _ids(rows),
        lambda: _counters(rows, resets_count=edges is None),
        lambda: _video(rows, video, video_path.name),
        lambda: None if edges is None else _ttl(rows, edges),
    ]
    differences = [found for check in checks if (found := check()) is not None]
    first = min(differences, key=lambda difference: difference.row, default=None)
    return CameraSync(rows.camera, first.text if first else None, _agreed(rows, video, edges))


def _agreed(rows: _Rows, video: VideoTimes | None, edges: Times | None) -> str:
    received = int((rows.frame_id >= 0).sum())
    parts = [f"{len(rows):,} exposures, {received:,} frames"]
    counted = int((rows.camera_counter >= 0).sum())
    parts.append(f"{counted:,} counted by the camera" if counted else "the camera does not count")
    parts.append("no video" if video is None else f"{video.frames:,} in the video")
    if edges is not None:
        parts.append(f"{len(edges):,} TTL edges")
    return ", ".join(parts) + ": all agree"


def _ids(rows: _Rows) -> _Difference | None:
    """Frame ids are 0, 1, 2, ... in the order of exposure."""
    at = np.flatnonzero(rows.frame_id >= 0)
    ids = rows.frame_id[at]
    wrong = np.flatnonzero(ids != np.arange(len(ids)))
    if len(wrong) == 0:
        return None
    first = int(wrong[0])
    before = f"frame id {ids[first - 1]} is followed by" if first else "the frame ids begin with"
    return _Difference(int(at[first]), f"{before} {ids[first]}, expected {first}")


def _counters(rows: _Rows, *, resets_count: bool) -> _Difference | None:
    """From row to row the camera's counter goes on by one."""
    at = np.flatnonzero(rows.camera_counter >= 0)
    counter = rows.camera_counter[at]
    gained = np.diff(counter) - np.diff(at)  # rows without a number lie between
    wrong = np.flatnonzero(gained != 0) + 1
    reset = np.flatnonzero(rows.counter_reset[at]) if resets_count else np.zeros(0, np.int64)
    first = int(min([*wrong[:1], *reset[:1]], default=-1))
    if first < 0:
        return None
    row = int(at[first])
    if first in reset[:1]:
        return _Difference(
            row,
            f"the camera began to count again with {rows.name(row)}: exposures before it may have no row "
            "(a TTL file tells)",
        )
    text = f"the camera's counter goes from {counter[first - 1]} to {counter[first]} at {rows.name(row)}"
    lost = int(gained[first - 1])
    return _Difference(row, f"{text}: {lost} exposure(s) have no row" if lost > 0 else text)


def _video(rows: _Rows, video: VideoTimes | None, name: str) -> _Difference | None:
    """The video holds the recorded rows, in their order, at their times."""
    at = np.flatnonzero(rows.video_frame >= 0)
    numbers = rows.video_frame[at]
    wrong = np.flatnonzero(numbers != np.arange(len(numbers)))
    if len(wrong):
        row = int(at[wrong[0]])
        return _Difference(
            row, f"{rows.name(row)} is frame {numbers[wrong[0]]} of {name}, expected {wrong[0]}"
        )
    if video is None:
        return _Difference(int(at[0]), f"{name} is missing, {len(at):,} rows lie in it") if len(at) else None
    return _shifted(rows, at, video, name) or _length(rows, at, video.frames, name)


def _length(rows: _Rows, at: Int64, frames: int, name: str) -> _Difference | None:
    if frames == len(at):
        return None
    text = f"{name} holds {frames:,} frames, the table tells of {len(at):,}"
    if frames > len(at):
        return _Difference(len(rows), f"{text}: frame {len(at)} of the video is the first without a row")
    row = int(at[frames])
    return _Difference(row, f"{text}: {rows.name(row)} is the first that is not in it")


def _shifted(rows: _Rows, at: Int64, video: VideoTimes, name: str) -> _Difference | None:
    """A frame that is shown at another time than it was exposed: a frame before it is too much or missing."""
    count = min(len(at), len(video.seconds))
    if count < 2:
        return None
    exposed, shown = rows.seconds()[at[:count]], video.seconds[:count]
    step = _first_step(exposed, shown)
    if step is None:
        return None
    _, number = step
    row = int(at[number])
    return _Difference(
        row,
        f"frame {number} of {name} is shown {shown[number]:.3f} s after the first, {rows.name(row)} was "
        f"exposed {exposed[number] - np.nanmin(exposed):.3f} s after it",
    )


def _ttl(rows: _Rows, edges: Times) -> _Difference | None:
    """One edge for each row, at its time."""
    count = min(len(rows), len(edges))
    exposed = rows.seconds()
    counts = f"{len(edges):,} TTL edges, {len(rows):,} exposures"
    step = _first_step(exposed[:count], edges[:count])
    if step is not None:
        before, row = step
        passed_ttl, passed = edges[row] - edges[before], exposed[row] - exposed[before]
        return _Difference(
            row,
            f"{counts}; the first difference: {rows.name(row)} was exposed {1e3 * passed:.1f} ms after "
            f"{rows.name(before)}, TTL edge {row} comes {1e3 * passed_ttl:.1f} ms after edge {before}: "
            + ("an edge has no row" if passed_ttl < passed else "a row has no edge"),
        )
    if len(edges) > len(rows):
        text = f"the first {count:,} agree, edge {count} at {edges[count]:.3f} s is the first without a row"
        return _Difference(len(rows), f"{counts}; {text}")
    if len(edges) < len(rows):
        return _Difference(count, f"{counts}; the first {count:,} agree, {rows.name(count)} has no edge")
    return None


def _first_step(one: Times, other: Times) -> tuple[int, int] | None:
    """Between which two places two clocks stop going on alike; NaN in `one`: not known.

    Interval by interval, so that the drift between the clocks does not add up.
    """
    known = np.flatnonzero(~np.isnan(one))
    if len(known) < 2:
        return None
    ours, theirs = np.diff(one[known]), np.diff(other[known])
    usual_s = float(np.median(ours / np.diff(known)))
    wrong = np.flatnonzero(np.abs(ours - theirs) > max(usual_s / 2, _SHORTEST_TOLERANCE_S))
    return (int(known[wrong[0]]), int(known[wrong[0] + 1])) if len(wrong) else None


def any_difference(cameras: Iterable[CameraSync]) -> bool:
    """Whether one of them differs."""
    return any(camera.difference is not None for camera in cameras)

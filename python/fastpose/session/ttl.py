"""Edges of a TTL line that another device recorded, one for each exposure, read from a file."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fastpose.errors import RecordError

__all__ = ["read_edges"]

_COLUMNS = {"time_ns": 1.0, "timestamp_ns": 1.0, "time_s": 1e9, "timestamp_s": 1e9}
_COLUMNS_OF_ANY_UNIT = ("time", "timestamp", "timestamps", "times", "t")
_LARGEST_INTERVAL_S = 1000.0  # a median interval above that is in ns: no camera exposes once in 17 minutes

Times = npt.NDArray[np.float64]


def read_edges(path: str | Path) -> Times:
    """Read the times of a TTL line's edges, one for each exposure.

    Parameters
    ----------
    path : path
        `.npy`: one dimension, or the first column of two. Anything else is text: a time a line, or columns
        separated by comma, semicolon, tab or space, with or without a line of names. Of named columns that
        called time_s, time_ns, timestamp_s, timestamp_ns, time or timestamp is taken, else the first.

    Returns
    -------
    ndarray
        (n,) float64 seconds from the first edge, ascending. Where no name says the unit, it is s, or ns if
        the median interval would be longer than 1,000 s.

    Raises
    ------
    RecordError
        The file cannot be read, holds no number where one belongs, or its times do not ascend.
    """
    path = Path(path)
    try:
        times, ns_per_unit = _numpy_times(path) if path.suffix == ".npy" else _text_times(path)
    except OSError as error:
        raise RecordError(f"cannot read '{path}': {error.strerror or error}") from error
    except ValueError as error:
        raise RecordError(f"TTL file '{path}': {error}; allowed: edge times in s or ns") from error
    if len(times) == 0:
        raise RecordError(f"TTL file '{path}' holds no edge")
    seconds = times - times[0]
    intervals = np.diff(seconds)
    if ns_per_unit is None:
        ns_per_unit = 1.0 if len(intervals) and np.median(intervals) > _LARGEST_INTERVAL_S else 1e9
    if (bad := np.flatnonzero(~(intervals > 0))).size:
        at = int(bad[0]) + 1
        raise RecordError(f"TTL file '{path}': edge {at} is not later than edge {at - 1}; they must ascend")
    return np.asarray(seconds * (ns_per_unit / 1e9), np.float64)


def _numpy_times(path: Path) -> tuple[npt.NDArray[np.generic], float | None]:
    array = np.load(path, allow_pickle=False)
    if array.ndim == 2:
        array = array[:, 0]
    if array.ndim != 1 or array.dtype.kind not in "iuf":
        raise ValueError(f"it holds {array.dtype} of shape {array.shape}")
    return _exact(array), None


def _text_times(path: Path) -> tuple[npt.NDArray[np.generic], float | None]:
    text = path.read_text("utf-8-sig")
    rows = [row for row in _split(text) if row and not row[0].startswith("#")]
    if not rows:
        return np.zeros(0), None
    column, unit, names = _column(rows[0])
    values = []
    for number, row in enumerate(rows[names:], start=names + 1):
        try:
            values.append(row[column])
            float(values[-1])
        except (IndexError, ValueError):
            raise ValueError(f"row {number} is {' '.join(row)!r}") from None
    whole = all(value.lstrip("+-").isdigit() for value in values)
    return _exact(np.array(values).astype(np.int64 if whole else np.float64)), unit


def _split(text: str) -> list[list[str]]:
    first = text.lstrip().splitlines()[:1]
    separator = next((mark for mark in ",;\t" if first and mark in first[0]), None)
    if separator is None:
        return [line.split() for line in text.splitlines()]
    return [[cell.strip() for cell in row] for row in csv.reader(text.splitlines(), delimiter=separator)]


def _column(first: list[str]) -> tuple[int, float | None, int]:
    """Which column holds the times, ns in its unit if that is said, and how many rows are names."""
    names = [cell.lower() for cell in first]
    for name in (*_COLUMNS, *_COLUMNS_OF_ANY_UNIT):
        if name in names:
            return names.index(name), _COLUMNS.get(name), 1
    try:
        float(first[0])
    except ValueError:
        return 0, None, 1
    return 0, None, 0


def _exact(times: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Relative to the first while they are whole: a Unix time in ns does not fit into a float."""
    if times.dtype.kind in "iu" and len(times):
        return np.asarray(times.astype(np.int64) - np.int64(times[0]), np.float64)
    return times

"""Session log files: a header that carries its own record layout, then records of fixed size."""

from __future__ import annotations

import json
import mmap
import os
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose.errors import RecordError

__all__ = [
    "EVENT_DTYPE",
    "FRAME_DTYPE",
    "VIDEO_DTYPE",
    "LogFile",
    "LogWriter",
    "log_header",
    "pose_dtype",
    "read_log",
]

Records = npt.NDArray[np.void]  # (n,) structured

MAGIC = b"FPLOG\x00\x01\x00"
_PREFIX_BYTES = len(MAGIC) + 8  # magic, uint32 header_bytes, uint32 record_bytes
_ALIGNMENT = 64
_MAX_HEADER_BYTES = 1 << 24

# The layouts this version writes (csrc/record/records.h). A reader takes the layout from the file instead.
FRAME_DTYPE = np.dtype(
    [
        *(
            (name, "<i8")
            for name in ("frame_id", "camera_counter", "camera_timestamp_ns", "exposure_start_ns")
        ),
        *((name, "<i8") for name in ("received_ns", "dequeued_ns", "preprocessed_ns", "inferred_ns")),
        *((name, "<i8") for name in ("decoded_ns", "filtered_ns", "decided_ns", "acted_ns")),
        *((name, "<i4") for name in ("roi_x", "roi_y", "roi_width", "roi_height", "drop_reason", "flags")),
        ("exposure_error_ns", "<i4"),
        ("crc32", "<u4"),
    ]
)
EVENT_DTYPE = np.dtype(
    [
        *((name, "<i8") for name in ("frame_id", "stamp_ns", "exposure_start_ns")),
        *((name, "<i4") for name in ("kind", "source", "value", "flags", "camera")),
        ("crc32", "<u4"),
    ]
)
VIDEO_DTYPE = np.dtype([("frame_id", "<i8"), ("reserved", "<u4"), ("crc32", "<u4")])


def pose_dtype(individuals: int, bodyparts: int) -> np.dtype[np.void]:
    """Layout of a pose record: raw and filtered keypoints, each (individuals, bodyparts, 3) float32."""
    shape = (individuals, bodyparts, 3)
    return np.dtype(
        [
            ("frame_id", "<i8"),
            ("raw", "<f4", shape),
            ("filtered", "<f4", shape),
            ("reserved", "<u4"),
            ("crc32", "<u4"),
        ]
    )


@dataclass(frozen=True)
class LogFile:
    """What one log file holds and what of it was lost.

    Attributes
    ----------
    path : Path
    header : dict
        The JSON of the header: kind, camera, dtype, bodyparts, individuals, unique_bodyparts, rules,
        outputs, cameras (that events refer to by index), states, scorer.
    records : ndarray
        (n,) structured: every record whose checksum fits, in the order of the file.
    torn_bytes : int
        Bytes of an incomplete last record.
    corrupt_records : int
        Records whose checksum does not fit; they are left out of `records`.
    unwritten_records : int
        Records at the end that are all zero: space that the file system gave but never filled.
    """

    path: Path
    header: dict[str, Any]
    records: Records
    torn_bytes: int = 0
    corrupt_records: int = 0
    unwritten_records: int = 0

    @property
    def complete(self) -> bool:
        """No byte of the file was lost."""
        return not (self.torn_bytes or self.corrupt_records or self.unwritten_records)

    def names(self, key: str) -> list[str]:
        """A list of names in the header, such as `bodyparts`; empty when absent."""
        return [str(name) for name in self.header.get(key) or []]

    def losses(self) -> list[str]:
        """One line for each kind of loss."""
        lines = []
        if self.torn_bytes:
            lines.append(f"{self.path.name}: the last record was cut after {self.torn_bytes} bytes, left out")
        if self.corrupt_records:
            lines.append(
                f"{self.path.name}: {self.corrupt_records} record(s) with a wrong checksum, left out"
            )
        if self.unwritten_records:
            lines.append(f"{self.path.name}: {self.unwritten_records} record(s) at the end were never filled")
        return lines


def read_log(path: Path) -> LogFile:
    """Read a log file whole; torn and corrupt records are left out and counted.

    A file that ends inside its header (the power went while it was made) is an empty log.

    Raises
    ------
    RecordError
        The file cannot be read, is no session log, or its header makes no sense.
    """
    content = _mapped(path)
    prefix = bytes(content[:_PREFIX_BYTES])
    if any(prefix) and not prefix.startswith(MAGIC[: len(prefix)]):
        raise RecordError(f"'{path}' is no session log: it starts with {prefix[:8]!r}, expected {MAGIC!r}")
    if not any(prefix) or len(prefix) < _PREFIX_BYTES or len(content) < _header_bytes(path, prefix):
        return LogFile(path, {}, np.zeros(0, VIDEO_DTYPE), torn_bytes=len(content))
    header_bytes = _header_bytes(path, prefix)
    header, dtype = _parse_header(path, bytes(content[:header_bytes]))
    return _checked(path, header, dtype, content[header_bytes:])


def _mapped(path: Path) -> memoryview:
    """The bytes of a file, which the system reads as they are needed."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                return memoryview(b"")
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as error:
        raise RecordError(f"cannot read '{path}': {error.strerror}") from error


def _header_bytes(path: Path, prefix: bytes) -> int:
    header_bytes = int.from_bytes(prefix[8:12], "little")
    if not _PREFIX_BYTES <= header_bytes <= _MAX_HEADER_BYTES:
        raise RecordError(f"'{path}' has a header of {header_bytes} bytes, expected {_PREFIX_BYTES} or more")
    return header_bytes


def _parse_header(path: Path, content: bytes) -> tuple[dict[str, Any], np.dtype[Any]]:
    record_bytes = int.from_bytes(content[12:16], "little")
    try:
        header = json.loads(content[_PREFIX_BYTES:])
        fields: list[Any] = [
            (name, form, *(tuple(shape) for shape in rest)) for name, form, *rest in header["dtype"]
        ]
        dtype = np.dtype(fields)
    except (ValueError, KeyError, TypeError) as error:
        raise RecordError(f"'{path}' has a header that cannot be read: {error}") from error
    if dtype.itemsize != record_bytes or dtype.names is None or dtype.names[-1] != "crc32":
        raise RecordError(f"'{path}' says {record_bytes} bytes a record but describes {dtype.itemsize}")
    return header, dtype


def _checked(path: Path, header: dict[str, Any], dtype: np.dtype[Any], body: memoryview) -> LogFile:
    count, torn_bytes = divmod(len(body), dtype.itemsize)
    records: Records = np.frombuffer(body, dtype, count)
    size, payload = dtype.itemsize, dtype.itemsize - 4
    starts = range(0, count * size, size)
    sums = np.fromiter((zlib.crc32(body[at : at + payload]) for at in starts), np.uint32, count)
    good = sums == records["crc32"]
    unwritten = _zero_tail(body, count, size) if count and not good[-1] else 0
    corrupt = int(count - good.sum()) - unwritten
    kept = records if good.all() else records[good]
    return LogFile(path, header, kept, torn_bytes, corrupt, unwritten)


def _zero_tail(body: memoryview, count: int, size: int) -> int:
    """How many records at the end are all zero."""
    rows = np.frombuffer(body, np.uint8, count * size).reshape(count, size)
    zero = 0
    while zero < count and not rows[count - 1 - zero].any():
        zero += 1
    return zero


def log_header(
    kind: str,
    dtype: np.dtype[Any],
    *,
    camera: str | None = None,
    bodyparts: Sequence[str] = (),
    individuals: Sequence[str] = (),
    unique_bodyparts: Sequence[str] = (),
    rules: Sequence[str] = (),
    outputs: Sequence[str] = (),
    cameras: Sequence[str] = (),
    states: Sequence[str] = (),
    trials: Sequence[str] = (),
    scorer: str | None = None,
) -> dict[str, Any]:
    """The JSON header of a log file whose records have `dtype`."""
    assert dtype.fields is not None and dtype.names is not None
    fields = [(name, dtype.fields[name][0]) for name in dtype.names]
    return {
        "kind": kind,
        "camera": camera,
        "dtype": [
            [name, form.base.str, *([list(form.shape)] if form.shape else [])] for name, form in fields
        ],
        "bodyparts": list(bodyparts),
        "individuals": list(individuals),
        "unique_bodyparts": list(unique_bodyparts),
        "rules": list(rules),
        "outputs": list(outputs),
        "cameras": list(cameras),
        "states": list(states),
        "trials": list(trials),
        "scorer": scorer,
        "created_unix_ns": time.time_ns(),
        "monotonic_ns": time.monotonic_ns(),
    }


class LogWriter:
    """Appends records to a new log file. Thread-bound; every record is given to the system at once.

    Parameters
    ----------
    path : Path
        Must not exist.
    header : mapping
        From `log_header`.
    sync_every_s : float
        The file is synced to the disk when a record comes this long after the last sync: what a power cut
        can take.

    Raises
    ------
    RecordError
        The file exists or cannot be written.
    """

    def __init__(self, path: Path, header: Mapping[str, Any], *, sync_every_s: float = 1.0) -> None:
        self._path = path
        self._dtype = np.dtype(
            [(name, form, *(tuple(s) for s in rest)) for name, form, *rest in header["dtype"]]
        )
        self._sync_every_s = sync_every_s
        try:
            self._file = path.open("xb", buffering=0)
        except OSError as error:
            raise RecordError(f"cannot create '{path}': {error.strerror}") from error
        text = json.dumps(dict(header)).encode()
        header_bytes = -(-(_PREFIX_BYTES + len(text)) // _ALIGNMENT) * _ALIGNMENT
        sizes = np.array([header_bytes, self._dtype.itemsize], "<u4").tobytes()
        self._write((MAGIC + sizes + text).ljust(header_bytes, b" "))
        self.sync()

    def append(self, **values: object) -> None:
        """Append one record; fields not named are 0."""
        record = np.zeros(1, self._dtype)
        for name, value in values.items():
            record[name] = value
        self.extend(record)

    def extend(self, records: Records) -> None:
        """Append records of the file's layout; their checksums are filled in."""
        out = np.array(records, self._dtype, ndmin=1)
        raw = memoryview(out.tobytes())
        size, payload = self._dtype.itemsize, self._dtype.itemsize - 4
        starts = range(0, len(raw), size)
        out["crc32"] = np.fromiter((zlib.crc32(raw[at : at + payload]) for at in starts), np.uint32, len(out))
        self._write(out.tobytes())
        if time.monotonic() - self._synced_s >= self._sync_every_s:
            self.sync()

    def sync(self) -> None:
        """Wait until the disk has every record."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise RecordError(f"cannot sync '{self._path}': {error.strerror}") from error
        self._synced_s = time.monotonic()

    def close(self) -> None:
        """Sync and close; harmless when closed."""
        if not self._file.closed:
            self.sync()
            self._file.close()

    def __enter__(self) -> LogWriter:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _write(self, content: bytes) -> None:
        view = memoryview(content)
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            raise RecordError(f"cannot write to '{self._path}': {error.strerror}") from error

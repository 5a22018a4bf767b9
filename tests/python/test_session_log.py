"""Log files: what is written is read, and what a kill or a bad disk took is left out and counted."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastpose.errors import RecordError
from fastpose.session.log import (
    EVENT_DTYPE,
    FRAME_DTYPE,
    VIDEO_DTYPE,
    LogWriter,
    log_header,
    pose_dtype,
    read_log,
)


def write(path: Path, count: int = 10) -> Path:
    with LogWriter(path, log_header("video", VIDEO_DTYPE, camera="top")) as writer:
        for number in range(count):
            writer.append(frame_id=number)
    return path


def test_layouts_have_the_sizes_of_the_engine() -> None:
    assert (FRAME_DTYPE.itemsize, EVENT_DTYPE.itemsize, VIDEO_DTYPE.itemsize) == (128, 48, 16)
    assert pose_dtype(2, 5).itemsize == 8 + 2 * (2 * 5 * 3 * 4) + 8


def test_bytes_on_disk_are_the_documented_format(tmp_path: Path) -> None:
    content = write(tmp_path / "a.fplog", 2).read_bytes()
    header_bytes, record_bytes = np.frombuffer(content[8:16], "<u4")
    assert content[:8] == b"FPLOG\x00\x01\x00"
    assert header_bytes % 64 == 0 and record_bytes == 16
    header = json.loads(content[16:header_bytes])
    assert header["kind"] == "video" and header["camera"] == "top"
    assert header["dtype"] == [["frame_id", "<i8"], ["reserved", "<u4"], ["crc32", "<u4"]]
    second = content[header_bytes + 16 :]
    assert len(second) == 16
    assert int.from_bytes(second[:8], "little") == 1
    assert int.from_bytes(second[12:], "little") == zlib.crc32(second[:12])


def test_records_come_back(tmp_path: Path) -> None:
    log = read_log(write(tmp_path / "a.fplog"))
    assert log.complete and log.losses() == []
    assert log.records["frame_id"].tolist() == list(range(10))


def test_shaped_fields_come_back(tmp_path: Path) -> None:
    dtype = pose_dtype(2, 3)
    records = np.zeros(4, dtype)
    records["raw"] = np.arange(4 * 18, dtype=np.float32).reshape(4, 2, 3, 3)
    with LogWriter(tmp_path / "p.fplog", log_header("poses", dtype)) as writer:
        writer.extend(records)
    np.testing.assert_array_equal(read_log(tmp_path / "p.fplog").records["raw"], records["raw"])


@given(cut=st.integers(0, 16 * 10))
@settings(max_examples=40)
def test_a_torn_tail_takes_only_the_record_it_cuts(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = write(tmp_path_factory.mktemp("torn") / "a.fplog")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) - cut])
    log = read_log(path)
    assert log.records["frame_id"].tolist() == list(range((160 - cut) // 16))
    assert log.torn_bytes == (160 - cut) % 16
    assert log.complete == (cut % 16 == 0)


def test_a_corrupt_record_is_left_out_and_those_behind_it_are_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "a.fplog")
    content = bytearray(path.read_bytes())
    content[-16 * 4] ^= 1  # frame 6
    path.write_bytes(content)
    log = read_log(path)
    assert log.records["frame_id"].tolist() == [0, 1, 2, 3, 4, 5, 7, 8, 9]
    assert log.corrupt_records == 1 and log.unwritten_records == 0
    assert "1 record(s) with a wrong checksum" in log.losses()[0]


def test_zeros_at_the_end_are_space_that_was_never_filled(tmp_path: Path) -> None:
    path = write(tmp_path / "a.fplog")
    path.write_bytes(path.read_bytes() + bytes(16 * 5 + 3))
    log = read_log(path)
    assert len(log.records) == 10
    assert (log.unwritten_records, log.corrupt_records, log.torn_bytes) == (5, 0, 3)


@pytest.mark.parametrize("length", [0, 5, 12, 40])
def test_a_file_that_ends_in_its_header_is_an_empty_log(tmp_path: Path, length: int) -> None:
    path = write(tmp_path / "a.fplog")
    path.write_bytes(path.read_bytes()[:length])
    log = read_log(path)
    assert len(log.records) == 0 and log.header == {} and log.torn_bytes == length


def test_another_file_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.fplog").write_bytes(b"RIFF" + bytes(100))
    with pytest.raises(RecordError, match=r"a\.fplog' is no session log"):
        read_log(tmp_path / "a.fplog")


def test_a_header_that_does_not_fit_its_records_is_refused(tmp_path: Path) -> None:
    content = bytearray(write(tmp_path / "a.fplog").read_bytes())
    content[12] = 24
    (tmp_path / "a.fplog").write_bytes(content)
    with pytest.raises(RecordError, match="24 bytes a record but describes 16"):
        read_log(tmp_path / "a.fplog")


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="cannot read"):
        read_log(tmp_path / "none.fplog")


def test_a_log_is_never_overwritten(tmp_path: Path) -> None:
    write(tmp_path / "a.fplog")
    with pytest.raises(RecordError, match="cannot create"):
        LogWriter(tmp_path / "a.fplog", log_header("video", VIDEO_DTYPE))


def test_every_record_is_with_the_system_before_the_next(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path / "a.fplog", log_header("video", VIDEO_DTYPE))
    for number in range(3):
        writer.append(frame_id=number)
        assert len(read_log(tmp_path / "a.fplog").records) == number + 1
    writer.close()
    writer.close()

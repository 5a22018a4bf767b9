"""finalise and recover: every file from the log, whatever ended the session, twice the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from fastpose.errors import RecordError
from fastpose.session import atomic, poses
from fastpose.session.finalise import finalise
from fastpose.session.recover import recover
from fastpose.session.video_file import VideoState, is_cut, repair_video, video_state
from synthetic_session import (
    Camera,
    Session,
    cut_off,
    make_frames,
    make_poses,
    make_video_log,
    simple_session,
    write_video,
)

FILES = {"session.json", "frames.parquet", "events.csv", "latency.json", "latency.html"}
POSES = {f"poses_top{suffix}.{kind}" for suffix in ("", "_filtered") for kind in ("h5", "csv")}


def killed(folder: Path, count: int = 200, *, encoded: int | None = None) -> Path:
    """A session that was killed while its video was open."""
    frames = make_frames(count)
    encoded = count if encoded is None else encoded
    Session([Camera("top", frames, make_poses(frames), make_video_log(range(encoded)))], ended=None).write(
        folder
    )
    write_video(folder / "video_top.mkv", encoded)
    cut_off(folder / "video_top.mkv", 0.8)
    return folder


def test_all_files_of_the_contract(tmp_path: Path) -> None:
    summary = finalise(simple_session().write(tmp_path / "s"))
    assert {path.name for path in (tmp_path / "s").iterdir()} == FILES | POSES | {"log"}
    assert set(summary.files) == FILES | POSES
    assert (summary.ended, summary.notes) == ("duration", [])
    camera = summary.cameras["top"]
    assert (camera.exposures, camera.received, camera.processed, camera.video_frames) == (300, 300, 300, None)


def test_session_json_tells_how_it_went(tmp_path: Path) -> None:
    ended = {
        "ended": "fault",
        "error": "camera 'top': gone",
        "counts": {"x": 1},
        "clocks": {"top": {"drift_ppm": 20}},
    }
    finalise(simple_session(ended=ended).write(tmp_path / "s"))
    found = json.loads((tmp_path / "s" / "session.json").read_text())
    assert (found["ended"], found["error"]) == ("fault", "camera 'top': gone")
    assert found["versions"]["fastpose"] == "0.1.0" and found["host"] == {"cpu": "a test", "cores": 2}
    assert found["clocks"] == {"top": {"drift_ppm": 20}}
    assert found["counts"]["cameras"]["top"]["processed"] == 300
    assert found["counts"]["engine"] == {"x": 1}
    happened = {kind: count for kind, count in found["counts"]["events"].items() if count}
    assert happened == {"rule": 30, "output": 30}
    assert found["log"]["frames_top.fplog"]["records"] == 300


def test_a_killed_session_gives_all_that_was_on_disk(tmp_path: Path) -> None:
    folder = killed(tmp_path / "s")
    for name in ("frames_top", "poses_top", "events"):
        with (folder / "log" / f"{name}.fplog").open("ab") as file:
            file.write(b"\x07" * 11)
    assert is_cut(folder / "video_top.mkv")
    summary = recover(folder)
    in_video = video_state(folder / "video_top.mkv").frames
    assert summary.ended == "killed"
    assert 100 < in_video < 200 and not is_cut(folder / "video_top.mkv")
    frames = pq.read_table(folder / "frames.parquet").to_pandas()
    assert len(frames) == 200 and frames["recorded"].sum() == in_video
    assert len(pd.read_hdf(folder / "poses_top.h5")) == in_video
    assert len(pd.read_hdf(folder / "poses_top_unrecorded.h5")) == 200 - in_video
    with av.open(str(folder / "video_top.mkv")) as container:
        assert container.metadata["FASTPOSE_PIXEL_FORMAT"] == "mono8"
        assert container.duration == pytest.approx(in_video * 10_000, abs=2_000)  # us, at 100 Hz
        assert sum(1 for _ in container.decode(video=0)) == in_video
    notes = "\n".join(summary.notes)
    assert f"holds {in_video} of 200 encoded frames" in notes and "got a new index" in notes
    assert notes.count("the last record was cut after 11 bytes") == 3


def test_recovering_twice_says_and_gives_the_same(tmp_path: Path) -> None:
    folder = killed(tmp_path / "s")
    first = recover(folder)
    before = {
        path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.suffix != ".h5"
    }
    second = recover(folder)
    after = {
        path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.suffix != ".h5"
    }
    assert first.notes == second.notes and first.lines() == second.lines()
    assert before == after


def test_a_corrupt_frame_record_is_one_row_without_stamps(tmp_path: Path) -> None:
    folder = simple_session(50).write(tmp_path / "s")
    path = folder / "log" / "frames_top.fplog"
    content = bytearray(path.read_bytes())
    content[-128 * 10 + 30] ^= 0xFF
    path.write_bytes(content)
    summary = recover(folder)
    assert summary.cameras["top"].exposures == 50 and summary.cameras["top"].processed == 49
    assert summary.cameras["top"].drops["recorder"] == 1
    assert any("wrong checksum" in note for note in summary.notes)
    assert pd.read_hdf(folder / "poses_top.h5").notna().all(axis=None)  # its pose has a record of its own


def test_without_meta_json_results_are_still_made(tmp_path: Path) -> None:
    folder = simple_session(20).write(tmp_path / "s")
    (folder / "log" / "meta.json").write_text('{"config": {')
    summary = recover(folder)
    assert any("meta.json" in note for note in summary.notes)
    assert (folder / "poses_top_filtered.h5").exists()
    assert pd.read_csv(folder / "events.csv")["time_s"].notna().all()


def test_a_log_of_one_camera_that_is_none_leaves_the_others(tmp_path: Path) -> None:
    frames = make_frames(10)
    cameras = [Camera(name, frames, make_poses(frames)) for name in ("top", "side")]
    folder = Session(cameras).write(tmp_path / "s")
    (folder / "log" / "frames_side.fplog").write_bytes(b"nonsense" * 30)
    summary = recover(folder)
    assert summary.cameras["top"].processed == 10 and summary.cameras["side"].processed == 0
    assert summary.cameras["side"].drops["recorder"] == 10  # known from their poses
    assert any("frames_side.fplog' is no session log" in note for note in summary.notes)


def test_a_missing_video_is_said(tmp_path: Path) -> None:
    frames = make_frames(10)
    folder = Session([Camera("top", frames, make_poses(frames), make_video_log(range(10)))]).write(
        tmp_path / "s"
    )
    summary = recover(folder)
    assert "video_top.mkv is missing: 10 frame(s) were encoded" in summary.notes
    assert len(pd.read_hdf(folder / "poses_top_unrecorded.h5")) == 10


@pytest.mark.parametrize("content", [b"", b"\x1a\x45\xdf\xa3" + bytes(60), os.urandom(500)])
def test_a_video_without_a_frame_is_left_alone(tmp_path: Path, content: bytes) -> None:
    frames = make_frames(10)
    folder = Session([Camera("top", frames, make_poses(frames), make_video_log(range(10)))]).write(
        tmp_path / "s"
    )
    (folder / "video_top.mkv").write_bytes(content)
    summary = recover(folder)
    assert "video_top.mkv holds 0 of 10 encoded frames: the last 10 are lost" in summary.notes
    assert (folder / "video_top.mkv").read_bytes() == content


CODECS = {
    "libx264": {"tune": "zerolatency"},
    "libx264 with frames out of order": {"bf": "3", "preset": "medium", "g": "12"},
    "ffv1": {},
}


@pytest.mark.parametrize("share", [0.5, 0.7, 0.9, 0.97])
@pytest.mark.parametrize("name", CODECS)
def test_a_cut_video_keeps_its_first_frames_each_in_its_place(
    tmp_path: Path, name: str, share: float
) -> None:
    (tmp_path / "log").mkdir()
    path = tmp_path / "v.mkv"
    write_video(path, 60, codec=name.split()[0], **CODECS[name])
    assert video_state(path) == VideoState(60, cut=False)
    cut_off(path, share)
    state = repair_video(path)
    assert not state.cut and 60 * share - 20 < state.frames < 60
    with av.open(str(path)) as container:
        decoded = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    assert [int((pixels[40] > 160).argmax()) for pixels in decoded] == list(range(state.frames))


def test_no_session_folder_is_an_error_that_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="is no session folder: it holds no folder 'log'"):
        recover(tmp_path)
    (tmp_path / "log").mkdir()
    with pytest.raises(RecordError, match="holds no session log"):
        recover(tmp_path)


def test_a_file_that_cannot_be_written_leaves_no_half_and_keeps_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = simple_session(20).write(tmp_path / "s")
    finalise(folder)
    before = (folder / "frames.parquet").read_bytes()
    monkeypatch.setattr(
        atomic.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    with pytest.raises(RecordError, match=r"cannot write .*events\.csv': No space left on device\n.*recover"):
        finalise(folder)
    assert (folder / "frames.parquet").read_bytes() == before
    assert not list(folder.glob(".*"))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_session_that_is_still_written_is_left_alone(tmp_path: Path) -> None:
    folder = simple_session(20).write(tmp_path / "s")
    code = "import sys; f = open(sys.argv[1], 'ab'); print('open', flush=True); sys.stdin.read()"
    writer = subprocess.Popen(
        [sys.executable, "-c", code, str(folder / "log" / "frames_top.fplog")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with writer:
        assert writer.stdout is not None and writer.stdout.readline() == b"open\n"
        with pytest.raises(RecordError, match=f"still in use by process {writer.pid}"):
            recover(folder, wait_s=0.0)
        writer.communicate()
    assert recover(folder, wait_s=0.0).cameras["top"].processed == 20


def test_summary_in_words(tmp_path: Path) -> None:
    lines = finalise(simple_session().write(tmp_path / "s")).lines()
    assert lines[0] == f"session: {tmp_path / 's'}"
    assert lines[2] == "top: 300 frames, 300 processed; drops: none"
    assert "exposure_start to acted: p50" in lines[3] and "(n = 15)" in lines[3]


def test_tables_of_several_chunks_are_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poses, "_ROWS_AT_ONCE", 32)
    session = simple_session(100)
    finalise(session.write(tmp_path / "s"))
    h5, text = pd.read_hdf(tmp_path / "s" / "poses_top.h5"), (tmp_path / "s" / "poses_top.csv").read_text()
    np.testing.assert_array_equal(h5.to_numpy(), session.cameras[0].poses["raw"].reshape(100, -1))
    assert h5.index.tolist() == list(range(100)) and text.count("\n") == 103

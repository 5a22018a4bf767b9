"""What all exports share: which cameras, which keypoints, which clock, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from export_session import expected, individuals_camera, single_camera, times_s, write_session
from fastpose.errors import ConfigError, RecordError
from fastpose.session.export import FORMATS, export
from fastpose.session.export.content import read_content
from synthetic_session import BODYPARTS, START_UNIX_NS, Camera, Session, make_frames, make_poses


def test_rows_are_the_videos_frames_on_the_sessions_clock(tmp_path: Path) -> None:
    camera = individuals_camera()
    content = read_content(write_session(tmp_path / "s", [camera]))
    (found,) = content.cameras
    np.testing.assert_array_equal(found.row_ids, camera.video["frame_id"])
    np.testing.assert_allclose(
        found.times_s(found.row_ids), times_s(camera, found.row_ids), rtol=0, atol=1e-9
    )
    assert content.start == datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(
        microseconds=START_UNIX_NS / 1e3
    )
    assert found.unrecorded == 1
    assert found.rate_hz == pytest.approx(100)
    for animal in found.animals:
        np.testing.assert_array_equal(
            found.keypoints(found.records(found.row_ids), animal),
            expected(camera, found.row_ids)[:, animal.place],
        )


def test_a_frame_whose_record_was_lost_has_no_time(tmp_path: Path) -> None:
    frames = make_frames(10)
    Session([Camera("top", frames[:7], make_poses(frames))]).write(tmp_path / "s")
    (camera,) = read_content(tmp_path / "s").cameras
    assert np.isnan(camera.times_s(camera.row_ids)).tolist() == [False] * 7 + [True] * 3


def test_unique_bodyparts_belong_to_the_last_individual(tmp_path: Path) -> None:
    frames = make_frames(5)
    names = ["anna", "bert", "single"]
    camera = Camera(
        "top",
        frames,
        make_poses(frames, individuals=3),
        individuals=names,
        unique_bodyparts=BODYPARTS[-1:],
    )
    Session([camera]).write(tmp_path / "s")
    (found,) = read_content(tmp_path / "s").cameras
    assert [animal.bodyparts for animal in found.animals] == [BODYPARTS[:3], BODYPARTS[:3], BODYPARTS[3:]]
    assert found.edges_of(found.animals[0]) == [(0, 1), (0, 2)]
    assert found.edges_of(found.animals[2]) == []
    keypoints = found.keypoints(found.records(found.row_ids), found.animals[2])
    np.testing.assert_array_equal(keypoints, camera.poses["raw"][:, 2, 3:])


def test_the_start_is_known_without_its_meta_data(tmp_path: Path) -> None:
    folder = write_session(tmp_path / "s", [single_camera()])
    (folder / "log" / "meta.json").unlink()
    content = read_content(folder)
    now = datetime.now(timezone.utc)
    assert abs((content.start - now).total_seconds()) < 3600  # the logs were made just now
    assert content.cameras[0].edges == []


@pytest.mark.parametrize("to", FORMATS)
def test_filtered_keypoints_need_a_filter(tmp_path: Path, to: str) -> None:
    folder = write_session(tmp_path / "s", [single_camera()], filter_type="none")
    with pytest.raises(RecordError, match="no filter ran; leave out --filtered"):
        export(folder, to, filtered=True)


@pytest.mark.parametrize("to", FORMATS)
def test_a_camera_that_is_not_there(tmp_path: Path, to: str) -> None:
    folder = write_session(tmp_path / "s", [single_camera("a"), single_camera("b")])
    with pytest.raises(RecordError, match="has no camera 'c'; allowed: a, b"):
        export(folder, to, camera="c")


def test_an_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--to is 'bids'; allowed: nwb, slp, alf, dlc"):
        export(tmp_path, "bids")


@pytest.mark.parametrize("to", FORMATS)
def test_no_session(tmp_path: Path, to: str) -> None:
    with pytest.raises(RecordError, match="is no session folder"):
        export(tmp_path, to)


@pytest.mark.parametrize("to", ["slp", "dlc"])
def test_a_session_without_poses(tmp_path: Path, to: str) -> None:
    frames = make_frames(5)
    poses: Any = None
    Session([Camera("top", frames, poses)]).write(tmp_path / "s")
    with pytest.raises(RecordError, match=r"has no poses of camera top.*allowed: a session with a model"):
        export(tmp_path / "s", to)


@pytest.mark.parametrize("to", FORMATS)
def test_a_session_that_still_runs(tmp_path: Path, to: str) -> None:
    folder = write_session(tmp_path / "s", [single_camera()])
    hold = "import sys; f = open(sys.argv[1], 'ab'); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(folder / "log" / "frames_side.fplog")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == b"open\n"
        with pytest.raises(
            RecordError, match=f"still in use by process {writer.pid}: export it after its end"
        ):
            export(folder, to)


@pytest.mark.parametrize(("to", "module"), [("nwb", "pynwb"), ("slp", "sleap_io")])
def test_a_library_that_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str, module: str
) -> None:
    folder = write_session(tmp_path / "s", [single_camera()])
    for name in [name for name in sys.modules if name.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(RecordError, match=rf"needs {module} .*pip install \"fastpose-rig\[export\]\""):
        export(folder, to)
    assert not list(folder.glob(f"*.{to}"))


@pytest.mark.parametrize("to", FORMATS)
def test_a_target_that_cannot_be_written(tmp_path: Path, to: str) -> None:
    folder = write_session(tmp_path / "s", [single_camera()])
    (tmp_path / "file").touch()
    with pytest.raises(RecordError, match=f"cannot write '{tmp_path}/file/x"):
        export(folder, to, tmp_path / "file" / "x")


@pytest.mark.parametrize("to", FORMATS)
def test_doing_it_again_replaces(tmp_path: Path, to: str) -> None:
    folder = write_session(tmp_path / "s", [single_camera()])
    path, notes = export(folder, to)
    before = {file.relative_to(folder) for file in folder.rglob("*")}
    assert export(folder, to) == (path, notes)
    assert {file.relative_to(folder) for file in folder.rglob("*")} == before

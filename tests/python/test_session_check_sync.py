"""check-sync on sessions whose every file is known: all agree, or the first difference has its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from fastpose.cli import app
from fastpose.errors import ConfigError, RecordError
from fastpose.session.check_sync import check_sync
from fastpose.session.finalise import finalise
from synthetic_session import Camera, Session, drop, make_frames, make_poses, make_video_log, write_video

COUNT = 100
COUNTER_RESET = 64


def camera(name: str = "top", count: int = COUNT, *, video: bool = True) -> Camera:
    """A camera that lost an exposure to itself, and the loop two frames; all that arrived is in the video."""
    frames = drop(make_frames(count), [10], 1)
    frames = drop(frames, [20, 21], 2)
    ids = frames["frame_id"][frames["frame_id"] >= 0]
    return Camera(name, frames, make_poses(frames), make_video_log(ids) if video else None)


def written(folder: Path, *cameras: Camera) -> Path:
    """The finished session of some cameras, its videos with one frame for each recorded row."""
    Session(list(cameras)).write(folder)
    for each in cameras:
        if each.video is not None:
            write_video_of(folder / f"video_{each.name}.mkv", each.frames)
    finalise(folder)
    return folder


def write_video_of(path: Path, frames: np.ndarray, leave_out: int | None = None) -> None:
    """A video that shows each received frame when it was exposed."""
    exposed = frames["exposure_start_ns"][frames["frame_id"] >= 0]
    times = np.round((exposed - exposed[0]) / 1e6).astype(int).tolist()
    if leave_out is not None:
        del times[leave_out]
    write_video(path, len(times), pts_ms=times)


def edges_of(frames: np.ndarray) -> np.ndarray:
    """When the camera exposed, by a clock that began elsewhere and runs 50 ppm fast, s."""
    counter = frames["camera_counter"]
    return 17.0 + (counter - counter[0]) * 0.01 * (1 + 50e-6)


def save(path: Path, edges: np.ndarray) -> Path:
    np.savetxt(path, edges, fmt="%.6f")
    return path


def change(folder: Path, do: Callable[[dict[str, list[object]]], None]) -> None:
    """Edit frames.parquet as a mistake of ours would."""
    path = folder / "frames.parquet"
    table = pq.read_table(path)
    columns = table.to_pydict()
    do(columns)
    pq.write_table(pa.table(columns, schema=table.schema), path)


def difference(folder: Path, ttl: Path | None = None) -> str:
    (found,) = check_sync(folder, ttl=ttl)
    assert found.difference is not None
    return found.difference


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("sync") / "s", camera())


def test_a_session_that_agrees(good: Path, tmp_path: Path) -> None:
    ttl = save(tmp_path / "ttl.csv", edges_of(make_frames(COUNT)))
    (found,) = check_sync(good, ttl=ttl)
    assert found.difference is None
    assert str(found) == (
        "camera 'top': 100 exposures, 99 frames, 100 counted by the camera, 99 in the video, "
        "100 TTL edges: all agree"
    )


def test_the_command(good: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["check-sync", str(good)])
    assert done.exit_code == 0
    assert "all agree" in done.stdout
    ttl = save(tmp_path / "ttl.csv", edges_of(make_frames(COUNT))[:-1])
    done = CliRunner().invoke(app, ["check-sync", str(good), "--ttl", str(ttl)])
    assert done.exit_code == 2
    assert "all agree" not in done.output
    assert done.output.count("\n") == 1
    assert "fastpose: camera 'top': 99 TTL edges, 100 exposures; the first 99 agree" in done.output


def test_a_frame_without_a_row(tmp_path: Path) -> None:
    folder = written(tmp_path / "s", camera())

    def lose_a_row(columns: dict[str, list[object]]) -> None:
        for values in columns.values():
            del values[40]

    change(folder, lose_a_row)
    assert difference(folder) == "frame id 38 is followed by 40, expected 39"


def test_rows_that_do_not_begin_with_the_first_frame(tmp_path: Path) -> None:
    folder = written(tmp_path / "s", camera(video=False))

    def lose_the_first(columns: dict[str, list[object]]) -> None:
        for values in columns.values():
            del values[0]

    change(folder, lose_the_first)
    assert difference(folder) == "the frame ids begin with 1, expected 0"


def test_an_exposure_without_a_row(tmp_path: Path) -> None:
    folder = written(tmp_path / "s", camera())

    def lose_the_row(columns: dict[str, list[object]]) -> None:
        for values in columns.values():
            del values[10]  # the frame that the camera dropped

    change(folder, lose_the_row)
    assert difference(folder) == (
        "the camera's counter goes from 1009 to 1011 at frame id 10: 1 exposure(s) have no row"
    )


def test_rows_without_a_counter_lie_between(tmp_path: Path) -> None:
    folder = written(tmp_path / "s", camera())

    def forget(columns: dict[str, list[object]]) -> None:
        columns["camera_counter"][30:33] = [None] * 3

    change(folder, forget)
    assert check_sync(folder)[0].difference is None
    change(folder, lambda columns: columns["camera_counter"].__setitem__(slice(None), [None] * COUNT))
    (found,) = check_sync(folder)
    assert found.difference is None
    assert "the camera does not count" in found.agreed


def test_a_counter_that_began_again(tmp_path: Path) -> None:
    top = camera()
    top.frames["flags"][50] |= COUNTER_RESET
    folder = written(tmp_path / "s", top)
    assert difference(folder).startswith("the camera began to count again with frame id 49: ")
    # A line of edges tells how many there were.
    assert (
        check_sync(folder, ttl=save(tmp_path / "ttl.txt", edges_of(make_frames(COUNT))))[0].difference is None
    )


@pytest.mark.parametrize("frames", [98, 100])
def test_a_video_of_another_length(tmp_path: Path, frames: int) -> None:
    folder = written(tmp_path / "s", camera())
    (folder / "video_top.mkv").unlink()
    write_video(folder / "video_top.mkv", frames, pts_ms=[10 * (i + (i >= 10)) for i in range(frames)])
    said = difference(folder)
    assert said.startswith(f"video_top.mkv holds {frames} frames, the table tells of 99: ")
    expected = "frame id 98 is the first that is not in it" if frames == 98 else "frame 99 of the video"
    assert expected in said


def test_a_video_that_lacks_a_frame_in_the_middle(tmp_path: Path) -> None:
    folder = written(tmp_path / "s", camera())
    (folder / "video_top.mkv").unlink()
    write_video_of(folder / "video_top.mkv", camera().frames, leave_out=60)
    assert difference(folder) == (
        "frame 60 of video_top.mkv is shown 0.620 s after the first, frame id 60 was exposed 0.610 s after it"
    )


def test_a_video_that_is_gone(tmp_path: Path) -> None:
    folder = written(tmp_path / "s", camera())
    (folder / "video_top.mkv").unlink()
    assert difference(folder) == "video_top.mkv is missing, 99 rows lie in it"


def test_a_video_in_another_order(tmp_path: Path) -> None:
    folder = written(tmp_path / "s", camera())

    def swap(columns: dict[str, list[object]]) -> None:
        numbers = columns["video_frame"]
        numbers[70], numbers[71] = numbers[71], numbers[70]

    change(folder, swap)
    assert difference(folder) == "frame id 69 is frame 70 of video_top.mkv, expected 69"


def test_an_edge_without_an_exposure(good: Path, tmp_path: Path) -> None:
    edges = np.insert(edges_of(make_frames(COUNT)), 43, 17.425)
    said = difference(good, save(tmp_path / "ttl.csv", edges))
    assert said == (
        "101 TTL edges, 100 exposures; the first difference: frame id 42 was exposed 10.0 ms after "
        "frame id 41, TTL edge 43 comes 5.0 ms after edge 42: an edge has no row"
    )


def test_an_exposure_without_an_edge(good: Path, tmp_path: Path) -> None:
    edges = np.delete(edges_of(make_frames(COUNT)), 60)
    said = difference(good, save(tmp_path / "ttl.csv", edges))
    assert "TTL edge 60 comes 20.0 ms after edge 59: a row has no edge" in said


def test_edges_after_the_last_exposure(good: Path, tmp_path: Path) -> None:
    edges = edges_of(make_frames(COUNT + 3))
    said = difference(good, save(tmp_path / "ttl.csv", edges))
    assert said == (
        "103 TTL edges, 100 exposures; the first 100 agree, edge 100 at 1.000 s is the first without a row"
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=12)
@given(
    missing=st.integers(1, COUNT - 1), rate_hz=st.sampled_from([20, 100, 450]), drift_ppm=st.floats(-200, 200)
)
def test_a_missing_edge_is_found_where_it_is(
    tmp_path: Path, missing: int, rate_hz: int, drift_ppm: float
) -> None:
    folder = tmp_path / f"{missing}_{rate_hz}_{drift_ppm}"
    frames = make_frames(COUNT, rate_hz=rate_hz)
    if not folder.exists():
        written(folder, Camera("top", frames, make_poses(frames)))
    edges = np.arange(COUNT) / rate_hz * (1 + 1e-6 * drift_ppm)
    said = difference(folder, save(folder / "ttl.csv", np.delete(edges, missing)))
    assert said.startswith(f"{COUNT - 1} TTL edges, {COUNT} exposures; ")
    assert f"frame id {missing} " in said


def test_the_first_of_several_differences_is_named(tmp_path: Path) -> None:
    folder = written(tmp_path / "s", camera())
    (folder / "video_top.mkv").unlink()
    write_video_of(folder / "video_top.mkv", camera().frames, leave_out=60)
    ttl = save(tmp_path / "ttl.csv", np.delete(edges_of(make_frames(COUNT)), 30))
    assert "TTL" in difference(folder, ttl)
    ttl = save(tmp_path / "ttl.csv", np.delete(edges_of(make_frames(COUNT)), 80))
    assert "video_top.mkv" in difference(folder, ttl)


def test_each_camera_is_checked(tmp_path: Path) -> None:
    folder = written(tmp_path / "s", camera("top"), camera("side", 60))
    (folder / "video_side.mkv").unlink()
    top, side = check_sync(folder)
    assert (top.camera, top.difference) == ("top", None)
    assert side.camera == "side" and side.difference is not None
    assert [found.camera for found in check_sync(folder, camera="top")] == ["top"]
    with pytest.raises(ConfigError, match="--camera is 'left'; allowed: top, side"):
        check_sync(folder, camera="left")


def test_a_session_that_has_no_table(tmp_path: Path) -> None:
    Session([camera()]).write(tmp_path / "s")
    with pytest.raises(RecordError, match=r"frames.parquet' is missing: make it with `fastpose recover"):
        check_sync(tmp_path / "s")
    (tmp_path / "s" / "frames.parquet").write_bytes(b"no parquet")
    with pytest.raises(RecordError, match="cannot read"):
        check_sync(tmp_path / "s")

"""Whole sessions with what goes wrong with cameras: each exposure has its row, check-sync tells the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from fastpose.cli import app
from fastpose.session.check_sync import check_sync
from rigs import BASE, Session, recover, run_here, video_frames, write_rig
from rigs import Process as RigProcess

PERIOD_NS = 5_000_000
SIM_QUEUE = 60  # frames that may wait in driver and ring when the machine is busy
FATES = {"seed": 3, "faults": {"drop": 0.05, "failed": 0.05, "torn": 0.05, "late": 0.02, "late_ms": 15}}


def run_camera(folder: Path, **camera: Any) -> Session:
    """The finished session of a simulated camera at 200 Hz."""
    return run_here(folder, {f"cameras.top.{name}": value for name, value in camera.items()})


def save_edges(path: Path, counters: np.ndarray) -> Path:
    """A line that was high at each of these exposures, by a device that counts in ns from somewhere else."""
    np.save(path, 4_000_000_000_000 + counters.astype(np.int64) * PERIOD_NS)
    return path


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return run_camera(tmp_path_factory.mktemp("faulty"), frames_total=300, **FATES)


def test_each_exposure_has_its_row_and_its_fate(faulty: Session) -> None:
    frames = faulty.frames
    counters = frames["camera_counter"].to_numpy(np.int64)
    assert counters.tolist() == list(range(counters[0], counters[-1] + 1))
    assert counters[0] <= 3 and counters[-1] >= 296
    reasons = frames["drop_reason"].value_counts().to_dict()
    assert reasons.keys() == {"", "camera", "transport"}
    arrived = frames["drop_reason"] == ""
    assert frames.loc[arrived, "processed"].all() and frames.loc[arrived, "recorded"].all()
    never_sent = frames.loc[frames["drop_reason"] == "camera", ["frame_id", "video_frame", "received_ns"]]
    assert never_sent.isna().all(axis=None)
    assert not frames.loc[~arrived, "recorded"].any()
    counted = faulty.json["counts"]["cameras"]["top"]
    assert counted["drops"]["transport"] == reasons["transport"]
    assert counted["exposures"] == len(frames) == sum(reasons.values())


def test_a_frame_that_arrived_in_part_was_exposed_when_it_was(faulty: Session) -> None:
    frames = faulty.frames
    failed = frames[frames["drop_reason"] == "transport"]
    assert failed["frame_id"].isna().all()
    start_ns = frames["exposure_start_ns"].dropna().iloc[0]
    first = frames["camera_counter"].iloc[0]
    expected = (failed["camera_counter"] - first) * PERIOD_NS
    assert (failed["exposure_start_ns"] - start_ns).to_numpy(float) == pytest.approx(
        expected.to_numpy(float), abs=50_000
    )


def test_all_agree_with_the_line_of_the_camera(faulty: Session, tmp_path: Path) -> None:
    counters = faulty.frames["camera_counter"].to_numpy(np.int64)
    (found,) = check_sync(faulty.folder, ttl=save_edges(tmp_path / "ttl.npy", counters))
    assert found.difference is None, found
    assert f"{len(counters):,} TTL edges: all agree" in found.agreed
    assert f"{video_frames(faulty.folder / 'video_top.mkv')} in the video" in found.agreed


def test_an_edge_that_is_missing_is_named(faulty: Session, tmp_path: Path) -> None:
    counters = faulty.frames["camera_counter"].to_numpy(np.int64)
    ttl = save_edges(tmp_path / "ttl.npy", np.delete(counters, 200))
    done = CliRunner().invoke(app, ["check-sync", str(faulty.folder), "--ttl", str(ttl)])
    assert done.exit_code == 2
    assert "a row has no edge" in done.output


def test_exposure_times_carry_their_error(faulty: Session) -> None:
    frames = faulty.frames
    received = frames[frames["frame_id"].notna()]
    errors = received["exposure_error_ns"].to_numpy(float)
    assert (errors > 0).all()
    off = (received["camera_counter"] - received["camera_counter"].iloc[0]) * PERIOD_NS
    off_ns = received["exposure_start_ns"] - received["exposure_start_ns"].iloc[0] - off
    assert (np.abs(off_ns.to_numpy(float)) <= errors + errors[0]).mean() > 0.98


def test_the_clock_is_in_session_json_and_in_the_summary(faulty: Session) -> None:
    clock = faulty.json["clocks"]["top"]
    assert (clock["source"], clock["restarts"], clock["ptp"]) == ("latched", 0, "")
    assert clock["readings"] >= 8
    done = recover(faulty.folder)
    assert "top: clock read" in done.stdout


def test_a_clock_that_jumps(tmp_path: Path) -> None:
    """What was exposed before the jump and arrived after it is a guess; then the fit has begun anew."""
    faults = {"clock_jump_after_s": 0.7, "clock_jump_s": -0.4}
    session = run_camera(tmp_path, frames_total=300, faults=faults)
    frames = session.frames
    jump = np.flatnonzero(np.diff(frames["camera_timestamp_ns"].to_numpy(np.int64)) < 0)
    assert len(jump) == 1
    clock = session.json["clocks"]["top"]
    assert (clock["source"], clock["restarts"]) == ("latched", 1)
    fitted = ~frames["clock_unfitted"].to_numpy(bool)
    assert fitted[jump[0] + 2 :].all()
    assert fitted[: jump[0] - SIM_QUEUE].all()
    assert (frames["exposure_error_ns"].notna() == fitted).all()
    expected = frames["exposure_start_ns"].iloc[0] + frames["camera_counter"].to_numpy(np.int64) * PERIOD_NS
    off_ns = (frames["exposure_start_ns"].to_numpy(np.int64) - expected)[fitted]
    assert np.abs(off_ns).max() < 200_000
    assert "1 restarts" in recover(session.folder).stdout
    assert check_sync(session.folder)[0].difference is None


def test_a_camera_that_comes_back_counts_on(tmp_path: Path) -> None:
    session = run_here(
        tmp_path,
        {
            "cameras.top.frames_total": None,
            "cameras.top.reconnect": True,
            "cameras.top.faults": {"disconnect_after_s": 0.5, "reconnect_after_s": 0.2},
            "session.duration_s": 2.4,
        },
    )
    frames = session.frames
    counters = frames["camera_counter"].to_numpy(np.int64)
    assert np.diff(counters).min() == 1
    resets = np.flatnonzero(frames["counter_reset"])
    assert len(resets) >= 1
    (found,) = check_sync(session.folder)
    assert found.difference is not None
    first = frames["frame_id"].iloc[resets[0]]
    assert found.difference.startswith(f"the camera began to count again with frame id {first}")


def test_a_session_that_was_killed_agrees_after_its_recovery(tmp_path: Path) -> None:
    with RigProcess(write_rig(tmp_path, {"cameras.top.frames_total": None})) as process:
        folder = process.wait_for_frames(200)
        process.kill()
    assert recover(folder).returncode == 0
    (found,) = check_sync(folder)
    assert found.difference is None, found


def test_the_base_is_what_this_file_takes_it_for() -> None:
    assert BASE["cameras"]["top"]["rate_hz"] == 1e9 / PERIOD_NS

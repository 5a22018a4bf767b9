"""Whole sessions on the simulated camera: every file of the contract, and they agree with each other."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fastpose.config import load_config
from fastpose.sim import Simulation
from rigs import HEIGHT, WIDTH, Session, run_here, run_process, video_frames, write_rig

FILES = {
    "config.yaml",
    "session.json",
    "frames.parquet",
    "events.csv",
    "latency.json",
    "latency.html",
    "poses_top.h5",
    "poses_top.csv",
    "video_top.mkv",
    "log.txt",
    "log",
}
STAMPS = [
    "exposure_start",
    "received",
    "dequeued",
    "preprocessed",
    "inferred",
    "decoded",
    "filtered",
    "decided",
]


DRIFT_PPM = 200
WHOLE = {"cameras.top.clock": {"offset_s": 100.0, "drift_ppm": DRIFT_PPM}}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return run_here(tmp_path_factory.mktemp("whole"), WHOLE)


def test_every_file_of_the_contract_is_there(whole: Session) -> None:
    assert {path.name for path in whole.folder.iterdir()} == FILES
    named = set(whole.json["files"]) | {"config.yaml", "log.txt", "log"}
    assert named == FILES


def test_config_yaml_loads_again_equal(whole: Session) -> None:
    again = load_config(whole.folder / "config.yaml")
    assert again == load_config(whole.folder.parents[1] / "config.yaml")


def test_rows_agree_between_the_files(whole: Session) -> None:
    frames = whole.frames
    assert len(frames) == 120
    assert frames["frame_id"].tolist() == frames["camera_counter"].tolist() == list(range(120))
    assert frames["processed"].all() and frames["recorded"].all()
    assert (frames["drop_reason"] == "").all()
    assert frames["video_frame"].tolist() == list(range(120))
    assert len(whole.poses()) == video_frames(whole.folder / "video_top.mkv") == 120
    assert whole.json["counts"]["cameras"]["top"] == {
        "exposures": 120,
        "received": 120,
        "processed": 120,
        "drops": {"camera": 0, "ring": 0, "recorder": 0, "transport": 0},
        "video_frames": 120,
        "recording": {
            "codec": "ffv1",
            "stored_as": "gray",
            "compared_frames": 4,
            "exact": True,
            "psnr_db": None,
            "largest_difference": 0,
            "most_frames_waiting": 0,
        },
    }


def test_stamps_come_in_the_order_of_the_data_path(whole: Session) -> None:
    stamps = whole.frames[[f"{name}_ns" for name in STAMPS]].to_numpy(dtype=np.int64)
    assert (np.diff(stamps, axis=1) >= 0).all()
    assert (np.diff(stamps[:, 0]) > 0).all()
    acted = whole.frames[["decided_ns", "acted_ns"]].dropna().to_numpy(dtype=np.int64)
    assert len(acted) > 0
    assert (acted[:, 1] >= acted[:, 0]).all()


def test_exposures_lie_on_the_camera_clock(whole: Session) -> None:
    frames = whole.frames
    camera_ns = frames["camera_timestamp_ns"].to_numpy(dtype=np.int64)
    host_ns = frames["exposure_start_ns"].to_numpy(dtype=np.int64)
    assert camera_ns[0] > 100e9
    assert np.diff(camera_ns) == pytest.approx(5e6 * (1 + 1e-6 * DRIFT_PPM), abs=2)
    truth_ns = host_ns[0] + (camera_ns - camera_ns[0]) / (1 + 1e-6 * DRIFT_PPM)
    assert host_ns == pytest.approx(truth_ns, abs=0.5e6)
    assert not whole.frames["clock_unfitted"].any()
    clock = whole.json["clocks"]["top"]
    assert (clock["source"], clock["outliers"], clock["restarts"]) == ("latched", 0, 0)
    assert clock["drift_ppm"] == pytest.approx(DRIFT_PPM, abs=max(1, clock["drift_error_ppm"]))
    truth_off_ns = np.abs(host_ns - truth_ns)
    assert (truth_off_ns <= 2 * whole.frames["exposure_error_ns"].to_numpy(float) + 2).mean() > 0.95


def test_edges_alternate(whole: Session) -> None:
    events = whole.events
    for kind in ("rule", "output"):
        values = events.loc[events["event"] == kind, "value"].to_numpy()
        assert len(values) > 4
        assert (values == np.arange(len(values)) % 2 ^ 1).all(), kind
    assert events["stamp_ns"].is_monotonic_increasing
    assert whole.output_levels()[-1] == 0


def test_each_pulse_comes_of_a_rule_edge_of_its_frame(whole: Session) -> None:
    events = whole.events
    rises = events[(events["event"] == "rule") & (events["value"] == 1)]
    pulses = events[(events["event"] == "output") & (events["value"] == 1)]
    assert pulses["frame_id"].tolist() == rises["frame_id"].tolist()
    assert set(pulses["cause"]) == {"protocol"}
    acted = whole.frames.set_index("frame_id").loc[pulses["frame_id"].astype(int), "acted_ns"]
    assert acted.tolist() == pulses["stamp_ns"].tolist()


def test_latency_json_counts_what_the_rows_hold(whole: Session) -> None:
    latency = json.loads((whole.folder / "latency.json").read_text())["cameras"]["top"]
    frames = whole.frames
    assert latency["n"] == latency["end_to_end"]["exposure_start->decided"]["n"] == 120
    assert latency["end_to_end"]["exposure_start->acted"]["n"] == frames["acted_ns"].notna().sum()
    taken_ms = (frames["decided_ns"] - frames["exposure_start_ns"]).to_numpy(dtype=np.int64) / 1e6
    assert latency["end_to_end"]["exposure_start->decided"]["p99"] == pytest.approx(
        np.percentile(taken_ms, 99), abs=1e-5
    )
    assert whole.summary is not None
    assert whole.summary.latency_ms["n"] == 120


def test_session_json_tells_of_the_run(whole: Session) -> None:
    told = whole.json
    assert (told["ended"], told["error"], told["notes"], told["warnings"]) == ("finished", None, [], [])
    assert told["model"]["name"] == "simulated_mouse"
    assert told["counts"]["engine"]["lost_records"] == 0
    assert all(log["corrupt_records"] == log["torn_bytes"] == 0 for log in told["log"].values())
    assert "started" in whole.log_text and "ended: finished" in whole.log_text


def test_poses_are_those_of_the_stored_outputs(whole: Session) -> None:
    poses = whole.poses()
    snout_x = poses[("snout", "x")].to_numpy()
    expected = [(index % 16 + 0.5) * 8 for index in range(120)]  # the middle of the map's cell
    assert snout_x == pytest.approx(expected)
    assert poses.columns.get_level_values("bodyparts").unique().tolist() == [
        "snout",
        "leftear",
        "rightear",
        "center",
        "tailbase",
    ]


def test_the_recording_is_what_the_camera_saw(whole: Session) -> None:
    import av

    simulation = Simulation(size=(WIDTH, HEIGHT), rate_hz=200, exposure_us=1000)
    with av.open(str(whole.folder / "video_top.mkv")) as container:
        for index, frame in enumerate(container.decode(video=0)):
            assert np.array_equal(frame.to_ndarray(format="gray"), simulation.render(index)[0]), index


FAULTS = {"drop": 0.1, "late": 0.1, "late_ms": 12.0, "torn": 0.1}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Session:
    changes = {"cameras.top.faults": FAULTS, "cameras.top.seed": 5, "cameras.top.frames_total": 200}
    return run_here(tmp_path_factory.mktemp("faulty"), changes)


@pytest.fixture(scope="module")
def fates() -> pd.DataFrame:
    """What the simulation says became of each exposure."""
    simulation = Simulation(size=(WIDTH, HEIGHT), rate_hz=200, exposure_us=1000, seed=5, faults=FAULTS)
    fates = [simulation.fate(index) for index in range(200)]
    return pd.DataFrame(
        {name: [getattr(fate, name) for fate in fates] for name in ("dropped", "late", "torn")}
    )


def seen(fates: pd.DataFrame) -> slice:
    """Exposures between the first and the last frame that arrived: no counter tells of others."""
    arrived = np.flatnonzero(~fates["dropped"])
    return slice(int(arrived[0]), int(arrived[-1]))


def test_dropped_exposures_are_rows_with_their_reason(faulty: Session, fates: pd.DataFrame) -> None:
    frames, truth = faulty.frames, fates.loc[seen(fates)]
    assert 0 < truth["dropped"].sum() < len(truth)
    assert frames["camera_counter"].tolist() == truth.index.tolist()
    assert (frames["drop_reason"] == "camera").tolist() == truth["dropped"].tolist()
    assert frames["frame_id"].isna().tolist() == truth["dropped"].tolist()
    assert frames["processed"].tolist() == (~truth["dropped"]).tolist()
    assert frames["frame_id"].dropna().tolist() == list(range((~truth["dropped"]).sum()))


def test_torn_and_late_frames_carry_their_flags(faulty: Session, fates: pd.DataFrame) -> None:
    arrived = faulty.frames[faulty.frames["drop_reason"] == ""]
    truth = fates.loc[arrived["camera_counter"]]
    assert truth["torn"].any() and truth["late"].any()
    assert arrived["torn"].tolist() == truth["torn"].tolist()
    assert arrived.loc[truth["late"].to_numpy(), "late"].all()
    delay_ns = (arrived["received_ns"] - arrived["exposure_start_ns"]).to_numpy(dtype=np.int64)
    assert (delay_ns[truth["late"]] > 12e6).all()


def test_counts_of_faults_agree(faulty: Session, fates: pd.DataFrame) -> None:
    dropped = int(fates.loc[seen(fates), "dropped"].sum())
    counts = faulty.json["counts"]
    assert counts["cameras"]["top"]["drops"] == {"camera": dropped, "ring": 0, "recorder": 0, "transport": 0}
    assert counts["engine"]["dropped_camera"] == dropped
    assert faulty.summary is not None
    assert faulty.summary.drops["camera"] == dropped
    received = len(faulty.frames) - dropped
    assert len(faulty.poses()) == video_frames(faulty.folder / "video_top.mkv") == received


TOO_FAST = {  # a real network on one thread at 1,000 Hz: the loop cannot keep up
    "cameras.top": {
        "driver": "sim",
        "size": [320, 240],
        "rate_hz": 1000,
        "exposure_us": 500,
        "frames_total": 600,
        "prerender_frames": 20,
    },
    "model": {"path": "builtin:simulated_mouse", "threads": 1},
}


def test_only_what_the_loop_took_is_recorded_when_asked(tmp_path: Path) -> None:
    record = {"video": {"codec": "libx264"}, "every_frame": False}
    session = run_here(tmp_path, {**TOO_FAST, "record": record})
    frames = session.frames
    assert (frames["drop_reason"] == "ring").sum() > 0
    assert frames["recorded"].sum() > 0
    not_recorded = frames["processed"] & ~frames["recorded"]
    assert (frames.loc[not_recorded, "drop_reason"] == "recorder").all()
    assert not (frames["recorded"] & ~frames["processed"]).any()
    assert video_frames(session.folder / "video_top.mkv") == frames["recorded"].sum() == len(session.poses())


def test_a_slow_loop_takes_the_newest_frame_and_counts_the_rest(tmp_path: Path) -> None:
    session = run_here(tmp_path, {**TOO_FAST, "record": {"video": None}})
    frames = session.frames
    drops = session.json["counts"]["cameras"]["top"]["drops"]
    assert drops["ring"] > 0
    assert frames["processed"].sum() + drops["ring"] + drops["camera"] == len(frames)
    assert (frames["drop_reason"] == "ring").sum() == drops["ring"]
    assert frames.loc[frames["processed"], "frame_id"].is_monotonic_increasing
    poses = session.poses()
    received = frames[frames["frame_id"].notna()]
    assert len(poses) == len(received)
    missing = poses[("snout", "x")].isna().to_numpy()
    assert (missing[(~received["processed"]).to_numpy()]).all()


def test_duration_ends_a_session(tmp_path: Path) -> None:
    session = run_here(tmp_path, {"cameras.top.frames_total": None, "session.duration_s": 0.5})
    assert session.json["ended"] == "duration"
    frames = session.frames
    passed_ns = frames["exposure_start_ns"].iloc[-1] - frames["exposure_start_ns"].iloc[0]
    assert passed_ns > 0.3e9
    assert frames["processed"].all()


def test_two_cameras_one_with_a_network(tmp_path: Path) -> None:
    side = {"driver": "sim", "size": [96, 64], "rate_hz": 50, "frames_total": 25, "frames": "every"}
    changes = {"cameras.side": side, "model.camera": "top"}
    session = run_here(tmp_path, changes)
    rows = session.frames.groupby("camera").size()
    assert rows.to_dict() == {"side": 25, "top": 120}
    assert video_frames(session.folder / "video_side.mkv") == 25
    assert not (session.folder / "poses_side.h5").exists()
    assert session.json["counts"]["cameras"]["side"]["drops"] == {
        "camera": 0,
        "ring": 0,
        "recorder": 0,
        "transport": 0,
    }


def test_recording_without_a_network(tmp_path: Path) -> None:
    changes = {"model": None, "rules": {}, "zones": {}, "outputs": {}, "protocol": {"type": "none"}}
    session = run_here(tmp_path, changes)
    assert len(session.frames) == video_frames(session.folder / "video_top.mkv") == 120
    assert not session.frames["processed"].any()
    assert list(session.folder.glob("poses*")) == []


def test_filtered_poses_lie_beside_the_raw_ones(tmp_path: Path) -> None:
    session = run_here(tmp_path, {"filter": {"type": "one_euro"}, "cameras.top.frames_total": 40})
    raw, filtered = session.poses(), session.poses("_filtered")
    assert raw.shape == filtered.shape == (40, 15)
    assert not np.allclose(raw, filtered)
    assert raw.xs("likelihood", axis=1, level="coords").equals(
        filtered.xs("likelihood", axis=1, level="coords")
    )


def test_the_command_prints_where_the_session_is(tmp_path: Path) -> None:
    ended = run_process(write_rig(tmp_path, {"engine": {"realtime": True}, "cameras.top.frames_total": 40}))
    assert ended.code == 0
    (folder,) = (tmp_path / "sessions").iterdir()
    lines = dict(line.split(maxsplit=1) for line in ended.stdout.splitlines())
    assert Path(lines["session"].strip()) == folder
    assert lines["ended"].strip() == "finished"
    assert "n 40" in lines["latency"]
    assert ended.stderr[0] == f"fastpose: running: session {folder}"
    assert Session(folder).json["ended"] == "finished"

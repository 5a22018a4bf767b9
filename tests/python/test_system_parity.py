"""One truth: session, `estimate` and the NumPy oracles say the same of the same frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from fastpose import load_model
from fastpose.sim import Simulation
from oracle.filter import filter_poses, one_euro_track
from oracle.rule import in_zone, rectangle_signed_distance, rule_values, speed
from rigs import Session, run_here, video_camera

NETWORK = {"path": "builtin:simulated_mouse", "precision": "fp32", "threads": 1}
ZONE = {"x": 100, "y": 0, "width": 130, "height": 240}  # the animal walks through it
BODY_LENGTH_PX = 100.0
FILTER = {"type": "one_euro", "min_cutoff_hz": 2.0, "beta": 0.02}
CHANGES: dict[str, Any] = {
    "cameras.top.size": [320, 240],
    "cameras.top.rate_hz": 60,
    "cameras.top.exposure_us": 2000,
    "cameras.top.frames_total": 150,
    "cameras.top.seed": 7,
    "cameras.top.body_length_px": BODY_LENGTH_PX,
    "model": NETWORK,
    "filter": FILTER,
    "zones.middle": {"rectangle": ZONE},
    "rules.in_middle": {
        "type": "in_zone",
        "zone": "middle",
        "bodyparts": ["snout", "center"],
        "which": "all",
        "hysteresis_px": 3,
        "min_duration_ms": 30,
    },
    "rules.running": {"type": "speed", "bodypart": "center", "above_px_s": 60, "hysteresis_px_s": 10},
}


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return run_here(tmp_path_factory.mktemp("parity"), CHANGES)


def keypoints(session: Session, suffix: str = "") -> np.ndarray[Any, np.dtype[np.float32]]:
    """(n, bodyparts, 3) as the files hold them."""
    return session.poses(suffix).to_numpy(np.float32).reshape(-1, 5, 3)


def recorded(session: Session) -> list[np.ndarray[Any, np.dtype[np.uint8]]]:
    with av.open(str(session.folder / "video_top.mkv")) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]


def test_estimate_gives_the_sessions_keypoints_bit_for_bit(session: Session) -> None:
    model = load_model("builtin:simulated_mouse", precision="fp32", threads=1)
    frames, poses = recorded(session), keypoints(session)
    assert len(frames) == len(poses) == 150
    for index in range(0, 150, 7):
        assert np.array_equal(np.asarray(model.estimate(frames[index])), poses[index], equal_nan=True), index


def test_a_recording_played_again_gives_the_same_poses(session: Session, tmp_path: Path) -> None:
    changes = {
        "cameras.top": video_camera(session.folder / "video_top.mkv"),
        "model": NETWORK,
        "record.video": None,
    }
    again = run_here(tmp_path, changes)
    assert np.array_equal(keypoints(again), keypoints(session), equal_nan=True)


def test_the_keypoints_sit_on_the_animal(session: Session) -> None:
    simulation = Simulation(
        size=(320, 240), rate_hz=60, exposure_us=2000, seed=7, body_length_px=BODY_LENGTH_PX
    )
    truth = np.stack([simulation.truth(index)[0] for index in range(150)])
    distance_px = np.linalg.norm(keypoints(session)[..., :2] - truth[..., :2], axis=-1)
    assert np.nanmedian(distance_px) < 2.0


def times_ns(session: Session) -> np.ndarray[Any, np.dtype[np.int64]]:
    return session.frames["exposure_start_ns"].to_numpy(np.int64)


def test_the_filter_is_its_oracle(session: Session) -> None:
    stamps = times_ns(session)
    expected = filter_poses(
        keypoints(session)[:, None], (stamps - stamps[0]) / 1e9, one_euro_track, min_cutoff_hz=2.0, beta=0.02
    )
    assert keypoints(session, "_filtered") == pytest.approx(expected[:, 0], abs=1e-2, nan_ok=True)


@pytest.mark.parametrize("name", ["in_middle", "running"])
def test_rule_edges_are_those_of_the_oracle(session: Session, name: str) -> None:
    poses, stamps = keypoints(session, "_filtered")[:, None], times_ns(session)
    if name == "in_middle":

        def distance_px(place: Any) -> float:
            return rectangle_signed_distance(**ZONE, place=place)

        condition = in_zone(distance_px, [0, 3], "all", hysteresis_px=3)
        values = rule_values(condition, poses, stamps, min_duration_ms=30)
    else:
        values = rule_values(speed(3, above=60, hysteresis=10), poses, stamps)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.array(values, int)])))
    events = session.events
    found = events[(events["event"] == "rule") & (events["name"] == name)]
    assert len(edges) > 1
    assert found["frame_id"].tolist() == edges.tolist()
    assert found["value"].tolist() == [int(values[edge]) for edge in edges]

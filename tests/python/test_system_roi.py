"""A roi that follows the animal: what the session records of it, and that the poses are the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fastpose import load_model
from fastpose.errors import ConfigError
from fastpose.model import TrackRoi
from fastpose.sim import Simulation
from rigs import run_here

SIZE, FRAMES = (320, 240), 60
SIM: dict[str, Any] = {
    "cameras.top.size": list(SIZE),
    "cameras.top.rate_hz": 30,
    "cameras.top.frames_total": FRAMES,
    "model.device": "cpu",
    "model.precision": "fp32",
    "model.threads": 1,
    "record": {"video": None},
}
ROI = ["roi_x", "roi_y", "roi_width", "roi_height"]


def truth() -> np.ndarray:
    simulation = Simulation(size=SIZE, rate_hz=30, exposure_us=1000)
    return np.stack([simulation.truth(index)[0, :, :2] for index in range(FRAMES)])


def followed(folder: Path, roi: dict[str, Any] | None, **changes: Any) -> tuple[pd.DataFrame, np.ndarray]:
    """frames.parquet, and the poses (frames, bodyparts, 3)."""
    session = run_here(folder, {**SIM, "model.roi": roi, **changes})
    return session.frames, session.poses().to_numpy().reshape(len(session.frames), -1, 3)


def test_the_roi_follows_the_animal(tmp_path: Path) -> None:
    frames, poses = followed(tmp_path, {"track": True, "size": [160, 160], "margin_px": 4, "step_px": 1})
    assert frames[ROI].iloc[0].tolist() == [0, 0, *SIZE]
    small = frames["roi_width"] == 160
    assert small.mean() > 0.8
    assert set(frames.loc[small, "roi_height"]) == {160}
    inside = frames.loc[small, "roi_x"].between(0, 160) & frames.loc[small, "roi_y"].between(0, 80)
    assert inside.all()
    assert len(frames.loc[small, ROI].drop_duplicates()) > 3
    _, whole = followed(tmp_path, None)
    errors, of_whole = (np.linalg.norm(found[..., :2] - truth(), axis=2) for found in (poses, whole))
    assert np.nanmedian(errors[small]) < np.nanmedian(of_whole)  # this small animal is hard in both


def test_the_roi_is_centred_on_the_last_filtered_pose(tmp_path: Path) -> None:
    frames, poses = followed(
        tmp_path, {"track": True, "size": [128, 128], "margin_px": 0, "step_px": 1}, filter={"type": "none"}
    )
    moved = 0
    for index in np.flatnonzero(frames["roi_width"] == 128):
        likely = poses[index - 1][poses[index - 1, :, 2] >= 0.5]
        low, high = likely[:, :2].min(0), likely[:, :2].max(0)
        expected = np.clip(np.rint((low + high + 1 - 128) / 2), 0, np.array(SIZE) - 128)
        assert np.abs(frames[["roi_x", "roi_y"]].iloc[index] - expected).max() <= 1
        moved += 1
    assert moved > FRAMES / 2


def test_a_lost_animal_is_searched_in_the_whole_frame(tmp_path: Path) -> None:
    frames, _ = followed(tmp_path, {"track": True, "size": [160, 160], "min_likelihood": 1.0})
    assert (frames[ROI] == [0, 0, *SIZE]).all(axis=None)


def test_it_searches_inside_a_static_crop_alone(tmp_path: Path) -> None:
    within = {"x": 40, "y": 20, "width": 200, "height": 180}
    frames, _ = followed(tmp_path, {"track": True, "size": [160, 160], "margin_px": 4, "within": within})
    assert frames[ROI].iloc[0].tolist() == [40, 20, 200, 180]
    small = frames[frames["roi_width"] == 160]
    assert len(small) > 5
    assert small["roi_x"].between(40, 80).all()
    assert small["roi_y"].between(20, 40).all()


def test_a_model_takes_no_roi_larger_than_the_frame(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"model.roi.size: 400x100 px"):
        followed(tmp_path, {"track": True, "size": [400, 100]})


def test_it_moves_in_steps_of_the_stride_unless_told_otherwise(tmp_path: Path) -> None:
    frames, _ = followed(tmp_path, {"track": True, "size": [160, 160], "margin_px": 4})
    small = frames[frames["roi_width"] == 160]
    assert len(small) > FRAMES / 2
    assert (small["roi_x"] % 16 == 0).all() and (small["roi_y"] % 16 == 0).all()


def test_in_steps_of_the_stride_the_poses_are_those_of_the_whole_frame() -> None:
    simulation = Simulation(size=SIZE, rate_hz=30)
    whole = load_model("builtin:simulated_mouse", precision="fp32", threads=1)
    apart = {1: [], 16: []}
    for step_px, found in apart.items():
        track = TrackRoi((192, 192), margin_px=4, step_px=step_px)
        tracking = load_model("builtin:simulated_mouse", precision="fp32", threads=1, track=track)
        for index in range(12):
            frame, _ = simulation.render(index)
            near = np.asarray(tracking.estimate(frame))[:, :2] - np.asarray(whole.estimate(frame))[:, :2]
            found.append(np.linalg.norm(near, axis=1))
    assert np.median(apart[16]) < 0.5 * np.median(apart[1])


def test_load_model_follows_from_frame_to_frame() -> None:
    simulation = Simulation(size=SIZE, rate_hz=30)
    whole = load_model("builtin:simulated_mouse", precision="fp32", threads=1)
    tracking = load_model(
        "builtin:simulated_mouse", precision="fp32", threads=1, track=TrackRoi((160, 160), margin_px=4)
    )
    for index in range(10):
        frame, _ = simulation.render(index)
        near = np.asarray(tracking.estimate(frame))[:, :2] - np.asarray(whole.estimate(frame))[:, :2]
        assert np.median(np.linalg.norm(near, axis=1)) < 2.5

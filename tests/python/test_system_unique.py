"""Two animals and body parts that exist once, through the whole system: decoder, identity, rules, files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import blob_animals as blobs
import fastpose as fp
from fastpose.analyze import analyze_video
from fastpose.errors import ConfigError, ModelError
from rigs import Session, rig_config, run_here, video_camera

NEAR_PX = 88
PARTS = ("snout", "center", "tailbase")
HOME = {"type": "in_zone", "zone": "left", "missing": "false", "min_likelihood": 0.2}
NEAR = {"type": "distance", "bodyparts": ["snout", "corner"], "below_px": NEAR_PX, "missing": "false"}
RULES: dict[str, dict[str, Any]] = {
    "everyone": {**HOME, "bodyparts": ["snout"], "individual": "all"},
    "anyone_near": {**NEAR, "min_likelihood": 0.2, "individual": "any"},
    "second_near": {**NEAR, "min_likelihood": 0.2, "individual": "mouse2"},
    "brightest_home": {**HOME, "bodyparts": ["brightest"], "individual": "single"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("unique")
    blobs.make_video(made / "two.mkv")
    blobs.write_unique_package(made / "blobs")
    return made


def changes(folder: Path, **more: Any) -> dict[str, Any]:
    return {
        "cameras.top": video_camera(folder / "two.mkv", pace="realtime", pixel_format="rgb8"),
        "model": {"path": str(folder / "blobs"), "device": "cpu", "precision": "fp32"},
        "rules": RULES,
        "protocol": {"type": "conditional", "when": "everyone", "do": {"laser": "follow"}},
        "record.video": None,
        **more,
    }


@pytest.fixture(scope="module")
def session(folder: Path) -> Session:
    (folder / "live").mkdir()
    return run_here(folder / "live", changes(folder))


@pytest.fixture(scope="module")
def poses(session: Session) -> np.ndarray:
    """(frames, 8, 3): the columns of the file, animal by animal, then what exists once."""
    return session.poses().to_numpy().reshape(blobs.FRAMES, 8, 3)


def test_columns_are_those_that_can_exist(session: Session) -> None:
    expected = [(name, part) for name in blobs.NAMES for part in PARTS]
    expected += [("single", part) for part in blobs.UNIQUE]
    h5: Any = pd.read_hdf(session.folder / "poses_top.h5", key="df_with_missing")
    text = pd.read_csv(session.folder / "poses_top.csv", header=[0, 1, 2, 3], index_col=0)
    for table in (h5, text):
        assert list(table.columns.names) == ["scorer", "individuals", "bodyparts", "coords"]
        assert [column[1:3] for column in table.columns[::3]] == expected
    np.testing.assert_allclose(h5.to_numpy(), text.to_numpy(), rtol=1e-6)


def test_each_keeps_its_place(poses: np.ndarray) -> None:
    for frame, pose in enumerate(poses):
        for animal, place in enumerate(blobs.places(frame)):
            found = pose[3 * animal : 3 * animal + 3, :2]
            assert (
                np.isnan(found).all() if place is None else np.abs(found - blobs.BODY_PX - place).max() <= 5
            )
        assert tuple(pose[6, :2]) == blobs.CORNER_PX
    seen = [frame for frame in range(blobs.FRAMES) if frame not in blobs.EMPTY]
    off_px = np.abs(poses[:, 7, None, :2] - poses[:, [0, 3], :2]).max(-1)
    assert np.nanmin(off_px[seen], axis=1).max() == 0  # the brightest snout is one of the two
    assert len(set(np.nanargmin(off_px[seen], axis=1))) == 2


def expected_rules(poses: np.ndarray) -> dict[str, np.ndarray]:
    """(frames,) of each rule; comparisons with NaN are false."""
    snouts = poses[:, [0, 3], :2]
    near = np.linalg.norm(snouts - poses[:, 6, None, :2], axis=-1) < NEAR_PX
    return {
        "everyone": (snouts[..., 0] <= 80).all(1),
        "anyone_near": near.any(1),
        "second_near": near[:, 1],
        "brightest_home": (poses[:, 7, 0] <= 80) & (poses[:, 7, 2] >= 0.2),
    }


@pytest.mark.parametrize("rule", RULES)
def test_rules(session: Session, poses: np.ndarray, rule: str) -> None:
    events = session.events
    mine = events[(events["event"] == "rule") & (events["name"] == rule)]
    first_id = int(session.frames["frame_id"].min())
    values = expected_rules(poses)[rule]
    steps = np.flatnonzero(np.diff(np.r_[0, values.astype(int)]))
    assert len(steps) > 0
    found = [(int(f) - first_id, int(v)) for f, v in zip(mine["frame_id"], mine["value"], strict=True)]
    assert found == [(int(frame), int(values[frame])) for frame in steps]


def test_offline_is_bit_for_bit_the_loop(folder: Path, session: Session, tmp_path: Path) -> None:
    found = analyze_video(folder / "two.mkv", fp.load_model(folder / "blobs", precision="fp32"), tmp_path)
    assert found.poses.keypoints.shape == (blobs.FRAMES, 3, 5, 3)
    offline: Any = pd.read_hdf(found.files[0])
    assert [column[1:] for column in offline.columns] == list(session.poses().columns)
    assert np.array_equal(offline.to_numpy(), session.poses().to_numpy(), equal_nan=True)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (
            {"outputs": ["heatmap", "limbs"]},
            "2 outputs; decoder paf needs 3: heatmap, limbs, heatmap of unique body parts",
        ),
        (
            {"outputs": ["heatmap", "limbs", "limbs"]},
            "output limbs has 4 channels, 5 bodyparts (2 of them unique) need 2; ",
        ),
    ],
)
def test_networks_that_do_not_fit(tmp_path: Path, fields: dict[str, Any], text: str) -> None:
    model = fp.load_model(blobs.write_unique_package(tmp_path / "blobs", **fields))
    with pytest.raises(ModelError) as info:
        model.estimate(np.zeros((blobs.HEIGHT, blobs.WIDTH, 3), np.uint8))
    assert text in str(info.value)


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        (
            "rules",
            {**RULES, "home": {**HOME, "bodyparts": ["snout"], "individual": "single"}},
            "rules.home.individual is 'single', which has no 'snout'; allowed body parts: corner, brightest",
        ),
        (
            "rules",
            {**RULES, "fast": {"type": "speed", "bodypart": "center", "above_px_s": 9, "individual": 2}},
            "rules.fast.individual is 'single', which has no 'center'",
        ),
        (
            "model.roi",
            {"track": True, "size": [96, 96]},
            "roi.track is true; model package 'blobs' has unique body parts (corner, brightest), which",
        ),
    ],
)
def test_what_does_not_arm(folder: Path, tmp_path: Path, path: str, value: Any, text: str) -> None:
    config = rig_config(tmp_path, {**changes(folder), path: value})
    with pytest.raises(ConfigError) as info, fp.Rig(config) as rig:
        rig.run()
    assert text in str(info.value)

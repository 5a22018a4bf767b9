"""Two animals through the whole system: decoder paf, identity, filter, rules, files, offline analysis."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import blob_animals as blobs
import fastpose as fp
from fastpose.analyze import analyze_video
from fastpose.check import check
from fastpose.config import NoIdentity, load_config
from fastpose.errors import ConfigError
from rigs import Session, rig_config, run_here, video_camera, write_rig

MIDDLE = 80  # px: the zone is left of it
RULES = {
    "anyone": {"individual": "any"},
    "everyone": {"individual": "all"},
    "first": {"individual": "mouse1"},
    "second": {"individual": 1},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("animals")
    blobs.make_video(made / "two.mkv")
    blobs.write_package(made / "blobs")
    return made


def changes(folder: Path, **more: Any) -> dict[str, Any]:
    rule = {
        "type": "in_zone",
        "zone": "left",
        "bodyparts": ["snout"],
        "min_likelihood": 0.2,
        "missing": "false",
    }
    return {
        "cameras.top": video_camera(folder / "two.mkv", pace="realtime", pixel_format="rgb8"),
        "model": {"path": str(folder / "blobs"), "device": "cpu", "precision": "fp32"},
        "rules": {name: {**rule, **values} for name, values in RULES.items()},
        "protocol": {"type": "conditional", "when": "everyone", "do": {"laser": "follow"}},
        "record.video": None,
        **more,
    }


@pytest.fixture(scope="module")
def session(folder: Path) -> Session:
    (folder / "live").mkdir()
    return run_here(folder / "live", changes(folder, filter={"type": "one_euro"}))


def truth(frame: int, animal: int) -> np.ndarray:
    """(K, 2) px of an animal; NaN where it is not there."""
    place = blobs.places(frame)[animal]
    return np.full((3, 2), np.nan) if place is None else blobs.BODY_PX + place


def poses_of(table: pd.DataFrame) -> np.ndarray:
    return table.to_numpy().reshape(len(table), 2, 3, 3)


def assert_true(poses: np.ndarray) -> None:
    for frame, pose in enumerate(poses):
        for animal in (0, 1):
            expected = truth(frame, animal)
            assert np.array_equal(np.isnan(pose[animal, :, :2]), np.isnan(expected)), (frame, animal)
            off_px = np.nanmax(np.abs(pose[animal, :, :2] - expected), initial=0)
            assert off_px <= 5, (frame, animal)  # a cell has 8 px


# --- files ---


def test_files_have_deeplabcuts_four_levels(session: Session) -> None:
    h5: Any = pd.read_hdf(session.folder / "poses_top.h5", key="df_with_missing")
    text = pd.read_csv(session.folder / "poses_top.csv", header=[0, 1, 2, 3], index_col=0)
    for table in (h5, text):
        assert list(table.columns.names) == ["scorer", "individuals", "bodyparts", "coords"]
        assert len(table) == blobs.FRAMES
    assert list(h5.columns) == list(text.columns)
    assert list(dict.fromkeys(h5.columns.get_level_values("individuals"))) == list(blobs.NAMES)
    np.testing.assert_allclose(h5.to_numpy(), text.to_numpy(), rtol=1e-6)
    snout = h5.xs(("mouse2", "snout"), axis=1, level=("individuals", "bodyparts"))
    assert snout.shape == (blobs.FRAMES, 3)


# --- poses ---


def test_each_animal_keeps_its_row_and_none_is_nan(session: Session) -> None:
    assert_true(poses_of(session.poses()))


def test_without_identity_rows_swap(folder: Path, tmp_path: Path) -> None:
    more = changes(folder)
    more["model"]["identity"] = {"type": "none"}
    poses = poses_of(run_here(tmp_path, more).poses())
    upper = np.nanmean(poses[:30, 0, :, 1], axis=1) < 60  # row 0 is the first animal
    assert 5 < np.count_nonzero(upper) < 25


def test_the_filter_smooths_each_animal_by_itself(session: Session) -> None:
    raw, filtered = poses_of(session.poses()), poses_of(session.poses("_filtered"))
    assert not np.array_equal(raw, filtered, equal_nan=True)
    for animal, y in ((0, 35.4), (1, 83.6)):
        seen = filtered[np.isfinite(filtered[:, animal, 0, 0]), animal, :, 1]
        assert len(seen) > 40 and np.abs(seen - y).max() <= 5


# --- rules ---


def expected_rules(poses: np.ndarray) -> dict[str, np.ndarray]:
    """(frames,) of each rule; comparisons with NaN are false."""
    left = (poses[:, :, 0, 0] <= MIDDLE) & (poses[:, :, 0, 1] <= blobs.HEIGHT)
    return {
        "anyone": left.any(axis=1),
        "everyone": left.all(axis=1),
        "first": left[:, 0],
        "second": left[:, 1],
    }


def edges_of(values: np.ndarray) -> list[tuple[int, int]]:
    """Frame and new value of each change, before the first frame 0."""
    steps = np.flatnonzero(np.diff(np.r_[0, values.astype(int)]))
    return [(int(frame), int(values[frame])) for frame in steps]


@pytest.mark.parametrize("rule", RULES)
def test_rules_for_any_all_name_and_index(session: Session, rule: str) -> None:
    expected = expected_rules(poses_of(session.poses("_filtered")))
    events = session.events
    mine = events[(events["event"] == "rule") & (events["name"] == rule)]
    first_id = int(session.frames["frame_id"].min())
    found = [(int(f) - first_id, int(v)) for f, v in zip(mine["frame_id"], mine["value"], strict=True)]
    assert found == edges_of(expected[rule])
    assert len({tuple(edges_of(values)) for values in expected.values()}) == 4  # each rule has its own story


def test_the_output_follows_the_rule_for_all(session: Session) -> None:
    everyone = expected_rules(poses_of(session.poses("_filtered")))["everyone"]
    assert session.output_levels()[: len(edges_of(everyone))] == [value for _, value in edges_of(everyone)]


def test_a_name_that_the_network_lacks_does_not_arm(folder: Path, tmp_path: Path) -> None:
    more = changes(folder)
    more["rules"]["first"]["individual"] = "mouse3"
    config = rig_config(tmp_path, more)
    with (
        pytest.raises(ConfigError, match=r"rules\.first\.individual: no individual 'mouse3' .*did you mean"),
        fp.Rig(config) as rig,
    ):
        rig.run()


# --- other ways in ---


def test_the_rig_hands_out_both_animals(folder: Path, tmp_path: Path) -> None:
    with fp.Rig(rig_config(tmp_path, changes(folder))) as rig:
        poses = [np.asarray(pose) for pose in rig.poses()]
    assert poses and all(pose.shape == (2, 3, 3) for pose in poses)


def test_the_command_line(folder: Path, tmp_path: Path) -> None:
    config = write_rig(tmp_path, changes(folder))
    done = subprocess.run(
        [sys.executable, "-m", "fastpose.run", str(config)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    (found,) = (tmp_path / "sessions").iterdir()
    assert_true(poses_of(Session(found).poses()))


def test_offline_is_bit_for_bit_the_loop(folder: Path, session: Session, tmp_path: Path) -> None:
    model = fp.load_model(folder / "blobs", precision="fp32")
    found = analyze_video(folder / "two.mkv", model, tmp_path)
    offline: Any = pd.read_hdf(found.files[0])
    assert list(offline.columns.names) == ["scorer", "individuals", "bodyparts", "coords"]
    assert np.array_equal(offline.to_numpy(), session.poses().to_numpy(), equal_nan=True)
    loose = analyze_video(folder / "two.mkv", model, tmp_path / "loose", identity=NoIdentity(type="none"))
    assert not np.array_equal(loose.poses.keypoints, found.poses.keypoints, equal_nan=True)


# --- the how-to ---


def test_the_how_to_passes_the_check(folder: Path, tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "how-to" / "several-animals.md"
    text = page.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    shutil.copytree(folder / "blobs", tmp_path / "models" / "mice")
    shutil.copy(folder / "two.mkv", tmp_path / "two_mice.mkv")
    findings = check(load_config(tmp_path / "config.yaml"))
    assert [str(finding) for finding in findings if finding.level == "problem"] == []

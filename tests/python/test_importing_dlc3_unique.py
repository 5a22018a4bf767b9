"""Unique body parts beside part affinity fields (DeepLabCut 3), imported and run by the engine."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tools.oracles.dlc_cases import BODYPARTS, INDIVIDUALS

from dlc_golden import Golden, golden, network_of

pytest.importorskip("torch", reason='needs torch: pip install "fastpose-rig[import]"')
pytest.importorskip("onnx", reason='needs onnx: pip install "fastpose-rig[import]"')

import torch

import dlc3_files as dlc3
from fastpose import load_model
from fastpose.errors import ModelError
from fastpose.importing import Options, import_model
from fastpose.model_package import ModelPackage, read_model_package
from fastpose.verify import compare, verify

MAX_PX, MAX_LIKELIHOOD = 0.02, 1e-4
UNIQUE = ("corner", "lever")
pytestmark = pytest.mark.filterwarnings("ignore")  # torch speaks of what it will drop


@pytest.fixture(scope="module")
def told() -> Golden:
    """What DeepLabCut said: three mice of five body parts, and two body parts that exist once."""
    return golden("resnet_50_unique")


@pytest.fixture(scope="module")
def package(told: Golden, tmp_path_factory: pytest.TempPathFactory) -> ModelPackage:
    folder = tmp_path_factory.mktemp("unique")
    torch.save({"config": told.config, "pose": network_of(told).state_dict()}, folder / "mice.pt")
    images = dlc3.write_images(folder / "frames", told.frames)
    import_model(folder / "mice.pt", folder / "package", Options(frames=images))
    return read_model_package(folder / "package")


def expected_poses(told: Golden) -> np.ndarray:
    """DeepLabCut's poses and unique poses as fastpose lays them out: (n, 4, 7, 3)."""
    poses = np.full((len(told.frames), 4, 7, 3), np.nan, np.float32)
    poses[:, :3, :5] = told.poses
    poses[:, 3:, 5:] = told.arrays["unique_poses"]
    return poses


def test_the_description(package: ModelPackage) -> None:
    assert package.bodyparts == (*BODYPARTS, *UNIQUE)
    assert package.individuals == (*INDIVIDUALS, "single")
    assert package.outputs == ("heatmap", "locref", "limbs", "unique_heatmap", "unique_locref")
    assert package.unique is not None and package.unique_bodyparts == UNIQUE
    assert (package.activation, package.unique.activation) == ("sigmoid", "clip")


def test_the_engine_gives_the_poses_of_deeplabcut(told: Golden, package: ModelPackage) -> None:
    model = load_model(package.folder, precision="fp32")
    found = np.stack([np.asarray(model.estimate(frame)) for frame in told.frames])
    assert np.isnan(found[:, :3, 5:, :2]).all() and np.isnan(found[:, 3, :5, :2]).all()
    unique = told.arrays["unique_poses"][:, 0]
    np.testing.assert_allclose(found[:, 3, 5:, :2], unique[..., :2], atol=MAX_PX)
    np.testing.assert_allclose(found[:, 3, 5:, 2], unique[..., 2], atol=MAX_LIKELIHOOD)
    with np.load(package.folder / "reference.npz") as reference:
        cell = compare(found, expected_poses(told), reference["ties"])
    assert cell["keypoints"] >= 2 * (2 + 5) and cell["missed"] == 0
    assert cell["max_px"] <= MAX_PX
    assert cell["max_likelihood"] <= MAX_LIKELIHOOD


def test_the_reference_is_what_deeplabcut_said(told: Golden, package: ModelPackage) -> None:
    with np.load(package.folder / "reference.npz") as reference:
        poses, clear = reference["poses"], ~reference["ties"]
    expected = expected_poses(told)
    assert poses.shape == expected.shape
    np.testing.assert_allclose(poses[clear][:, :2], expected[clear][:, :2], atol=MAX_PX)
    assert clear[:, 3].all()


def test_verify(package: ModelPackage) -> None:
    cell = verify(package.folder, precisions=["fp32"]).cells["cpu", "fp32"]
    assert cell["keypoints"] >= 2 * (2 + 5) and cell["missed"] == 0
    assert cell["max_px"] <= MAX_PX
    assert cell["max_likelihood"] <= MAX_LIKELIHOOD


def heads_of_two_kinds(config: dict[str, Any]) -> None:
    config["model"]["heads"]["bodypart"] = dlc3.head(2048, 5)
    config["model"]["heads"]["bodypart"]["predictor"]["apply_sigmoid"] = True


def fields_for_what_exists_once(config: dict[str, Any]) -> None:
    config["model"]["heads"]["unique_bodypart"] = copy.deepcopy(config["model"]["heads"]["bodypart"])


def a_name_too_many(config: dict[str, Any]) -> None:
    config["metadata"]["unique_bodyparts"].append("lamp")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (heads_of_two_kinds, "(unique body parts beside a head of another kind); supported: "),
        (fields_for_what_exists_once, "(unique body parts beside a head of another kind); supported: "),
        (a_name_too_many, "head unique_bodypart has 2 channels, metadata names 3"),
    ],
)
def test_what_is_refused(
    told: Golden, tmp_path: Path, change: Callable[[dict[str, Any]], None], text: str
) -> None:
    config = copy.deepcopy(told.config)
    change(config)
    torch.save({"config": config, "pose": {}}, tmp_path / "mice.pt")
    with pytest.raises(ModelError) as info:
        import_model(tmp_path / "mice.pt", tmp_path / "package")
    assert text in str(info.value) and len(info.value.lines) == 1

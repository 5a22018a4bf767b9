"""DeepLabCut 2 exports: against TensorFlow's own answers (golden/dlc2, by tools/oracles/dlc2.py)."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from tools.oracles.frames import oracle_frames

from fastpose.errors import ModelError
from fastpose.importing.detect import detect
from fastpose.importing.imported import Imported, Options
from fastpose.importing.reference import decode_heatmap
from fastpose.importing.run_network import run_network
from fastpose.importing.tf_graph import operations
from fastpose.importing.write import write_package
from fastpose.model_package import read_model_package
from import_sources import GOLDEN, PARTS, save_frames

SIZE = (160, 120)


def read(source: Path, frames: Path | None = None) -> Imported:
    found = detect(source)
    assert found.kind == "dlc2_export"
    return found.read(source, Options(frames=frames))


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOLDEN / "dlc2" / "maps", tmp_path / "export"))


def change(export: Path, old: str, new: str) -> None:
    path = export / "pose_cfg.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


@pytest.mark.parametrize("kind", ["maps", "pose"])
def test_gives_what_tensorflow_gives(kind: str, tmp_path: Path) -> None:
    imported = read(GOLDEN / "dlc2" / kind, save_frames(tmp_path / "frames", SIZE, 3))
    tool = np.load(GOLDEN / "dlc2" / kind / "tool.npz")["keypoints"]
    np.testing.assert_allclose(imported.reference.poses[:, 0, :, :2], tool[..., :2], atol=0.02)
    np.testing.assert_allclose(imported.reference.poses[:, 0, :, 2], tool[..., 2], atol=1e-4)


def test_the_written_network_gives_the_same(export: Path, tmp_path: Path) -> None:
    write_package(tmp_path / "package", read(export))
    package = read_model_package(tmp_path / "package")
    assert (package.network.name, set(package.sha256)) == ("model.xml", {"model.xml", "model.bin"})
    assert package.bodyparts == tuple(PARTS)
    tensor = oracle_frames(SIZE, 3)[0].transpose(2, 0, 1)[None].astype(np.float32)
    maps = run_network(package.network, tensor)
    poses, _ = decode_heatmap(
        maps["heatmap"],
        maps["locref"],
        stride=package.stride,
        locref_stdev=package.locref_stdev,
        activation=package.activation,
    )
    tool = np.load(export / "tool.npz")["keypoints"][0]
    np.testing.assert_allclose(poses[0, 0], tool, atol=0.02)


def test_without_locref_there_is_one_map(export: Path) -> None:
    change(export, "location_refinement: true", "location_refinement: false")
    imported = read(export)
    assert imported.description["outputs"] == ["heatmap"]
    assert imported.description["locref_stdev"] == 0
    assert (imported.reference.poses[..., :2] % 8 == 4).all()  # cells' centres


def test_lists_the_operations_of_a_graph(export: Path) -> None:
    found = operations(export / "snapshot-1.pb")
    assert (found[0].name, found[0].kind) == ("Placeholder", "Placeholder")
    assert found[-1].kind == "Sigmoid"
    assert found[-1].inputs == ("pose/part_pred/block4/BiasAdd",)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("num_joints: 4", "num_joints: 5", "names 4 joints, num_joints is 5"),
        ("all_joints_names", "names", "is damaged"),
        ("stride: 8.0", "stride: wide", "is damaged"),
        ("dataset_type: imgaug", "dataset_type: multi-animal-imgaug", "several animals"),
        ("[snout, ", "[", "num_joints is 4"),
    ],
)
def test_refuses_a_config(export: Path, old: str, new: str, message: str) -> None:
    change(export, old, new)
    with pytest.raises(ModelError, match=message):
        read(export)


def test_refuses_another_count_of_body_parts(export: Path) -> None:
    change(export, "[snout, ", "[")
    change(export, "num_joints: 4", "num_joints: 3")
    with pytest.raises(ModelError, match="4 channels, 3 joints need 3"):
        read(export)


@pytest.mark.parametrize("size", [0, 1000, 20000])
def test_refuses_a_cut_off_graph(export: Path, size: int) -> None:
    path = export / "snapshot-1.pb"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ModelError, match="no frozen TensorFlow graph"):
        read(export)


def test_refuses_what_is_no_graph(export: Path) -> None:
    (export / "snapshot-1.pb").write_bytes(np.random.default_rng(0).bytes(5000))
    with pytest.raises(ModelError, match="no frozen TensorFlow graph"):
        read(export)


def test_refuses_a_missing_graph_or_two(export: Path) -> None:
    graph = export / "snapshot-1.pb"
    shutil.copy(graph, export / "snapshot-2.pb")
    with pytest.raises(ModelError, match=r"holds 2 frozen graphs.*snapshot-1, snapshot-2"):
        read(export)
    graph.unlink()
    (export / "snapshot-2.pb").unlink()
    with pytest.raises(ModelError, match="holds 0 frozen graphs"):
        read(export)

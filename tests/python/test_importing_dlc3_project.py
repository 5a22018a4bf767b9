"""DeepLabCut 3 projects: which shuffle, which snapshot."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

torch = pytest.importorskip("torch", reason="importing needs torch: pip install 'fastpose-rig[import]'")
pytest.importorskip("onnx", reason="importing needs onnx: pip install 'fastpose-rig[import]'")

import dlc3_files as dlc3  # noqa: E402
from fastpose.errors import ModelError  # noqa: E402
from fastpose.importing import Options, import_model  # noqa: E402
from fastpose.importing.dlc3_project import _snapshot, _train_folder  # noqa: E402


@pytest.fixture
def project(tmp_path: Path) -> Path:
    dlc3.write_project(tmp_path / "project", dlc3.config("resnet_50"))
    return tmp_path / "project"


def touch(train: Path, *names: str) -> None:
    for name in names:
        (train / name).touch()


def test_a_project_end_to_end(tmp_path: Path, project: Path) -> None:
    config = dlc3.config("resnet_50")
    (train,) = project.glob("dlc-models-pytorch/*/*/train")
    dlc3.write_snapshot(train / "snapshot-best-190.pt", config, epoch=190)
    touch(train, "snapshot-200.pt")
    dlc3.write_frames(project / "labeled-data" / "m4s1", 2)
    found, imported = import_model(project, tmp_path / "package")
    content = yaml.safe_load((tmp_path / "package" / "model.yaml").read_text())
    assert found.kind == "dlc3_project"
    assert content["name"] == "openfield"
    assert content["skeleton"] == [["snout", "leftear"]]
    assert content["source"]["file"] == "snapshot-best-190.pt"
    assert content["source"]["epochs"] == 190
    assert content["source"]["shuffle"] == "openfieldOct30-trainset95shuffle1"
    assert imported.reference.frames.shape == (2, 128, 160, 3)
    assert imported.notes == ()


def test_the_best_snapshot_else_that_of_most_epochs(project: Path) -> None:
    train = _train_folder(project, None)
    touch(train, "snapshot-050.pt", "snapshot-200.pt", "snapshot-detector-best-300.pt")
    assert _snapshot(train, None).name == "snapshot-200.pt"
    touch(train, "snapshot-best-120.pt")
    assert _snapshot(train, None).name == "snapshot-best-120.pt"


@pytest.mark.parametrize("name", ["snapshot-050.pt", "snapshot-050", "050"])
def test_a_named_snapshot(project: Path, name: str) -> None:
    train = _train_folder(project, None)
    touch(train, "snapshot-050.pt", "snapshot-best-120.pt")
    assert _snapshot(train, name).name == "snapshot-050.pt"


def test_snapshots_that_are_not_there(project: Path) -> None:
    train = _train_folder(project, None)
    with pytest.raises(ModelError, match=r"has no snapshot\*\.pt; train the network first"):
        _snapshot(train, None)
    touch(train, "snapshot-050.pt")
    with pytest.raises(ModelError, match="has no snapshot '60'; allowed: snapshot-050"):
        _snapshot(train, "60")


def test_shuffles(project: Path) -> None:
    second = dlc3.write_project(project, dlc3.config("resnet_50"), shuffle=2)
    with pytest.raises(ModelError, match="2 trained networks; shuffles there: 1, 2; choose with --shuffle N"):
        _train_folder(project, None)
    with pytest.raises(ModelError, match="no shuffle with --shuffle 3; shuffles there: 1, 2"):
        _train_folder(project, 3)
    assert _train_folder(project, 2) == second
    assert _train_folder(second, None) == second


def test_the_last_iteration_counts(project: Path) -> None:
    later = dlc3.write_project(project, dlc3.config("resnet_50"), iteration=1)
    assert _train_folder(project, None) == later


def test_a_snapshot_that_is_none(project: Path, tmp_path: Path) -> None:
    train = _train_folder(project, None)
    torch.save({"weights": {}}, train / "snapshot-050.pt")
    with pytest.raises(ModelError, match="model missing; it holds weights; allowed: a snapshot of"):
        import_model(project, tmp_path / "package", Options())

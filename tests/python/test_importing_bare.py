"""A bare ONNX beside a hand-written model.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from tools.oracles.frames import oracle_frames

from fastpose.errors import ModelError
from fastpose.importing.detect import detect
from fastpose.importing.imported import Imported, Options
from fastpose.importing.soft_decode import window_mean
from fastpose.importing.write import write_package
from fastpose.model_package import read_model_package
from import_sources import PARTS, conv, conv_onnx, save_frames
from oracle.decode import decode

onnx = pytest.importorskip("onnx")

SIZE = (64, 48)
YAML = {
    "bodyparts": PARTS,
    "colour": "rgb",
    "normalisation": {"scale": [0.02, 0.02, 0.02], "offset": [-2.0, -2.0, -2.0]},
    "stride": 4,
    "decoder": "heatmap",
    "activation": "sigmoid",
    "outputs": ["heatmaps"],
}


def write_source(folder: Path, network: dict[str, Any] | None = None, **changes: Any) -> np.ndarray:
    folder.mkdir()
    content = {key: value for key, value in {**YAML, **changes}.items() if value is not None}
    (folder / "model.yaml").write_text(yaml.safe_dump(content))
    return conv_onnx(folder / "net.onnx", **(network or {}))


def read(source: Path, frames: Path | None = None) -> Imported:
    found = detect(source)
    assert found.kind == "bare"
    return found.read(source, Options(frames=frames))


def tensors() -> np.ndarray:
    return (oracle_frames(SIZE, 3) * 0.02 - 2).transpose(0, 3, 1, 2)


@pytest.mark.parametrize("name", ["", "net.onnx"])
def test_runs_and_decodes(name: str, tmp_path: Path) -> None:
    weights = write_source(tmp_path / "net")
    imported = read(tmp_path / "net" / name, save_frames(tmp_path / "frames", SIZE, 3))
    expected = [decode(conv(tensor, weights)[None], None, stride=4) for tensor in tensors()]
    np.testing.assert_allclose(imported.reference.poses[:, 0], np.stack(expected), atol=1e-4)


def test_decodes_within_the_cell(tmp_path: Path) -> None:
    soft = {"method": "window", "size": 3, "min_score": 0.0}
    weights = write_source(tmp_path / "net", decoder="soft_heatmap", activation="none", soft=soft)
    imported = read(tmp_path / "net", save_frames(tmp_path / "frames", SIZE, 3))
    expected = [window_mean(conv(tensor, weights), 4, 3, 0.0) for tensor in tensors()]
    np.testing.assert_allclose(imported.reference.poses[:, 0], np.stack(expected), rtol=1e-3)


def test_writes_a_package_with_its_hash(tmp_path: Path) -> None:
    write_source(tmp_path / "net")
    write_package(tmp_path / "package", read(tmp_path / "net"))
    package = read_model_package(tmp_path / "package")
    assert (package.name, package.decoder, package.bodyparts) == ("net", "heatmap", tuple(PARTS))
    assert set(package.sha256) == {"model.onnx"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bodyparts": PARTS[:3]}, r"3 bodyparts in model.yaml need \(1, 3, h, w\)"),
        ({"outputs": ["maps"]}, "no output 'maps'; it has: heatmaps"),
        ({"colour": "grey", "normalisation": {"scale": [1], "offset": [0]}}, "takes 3 channels, colour grey"),
        ({"normalisation": {"scale": [1], "offset": [0]}}, "normalisation needs 3 scale and offset"),
        ({"stride": None}, "stride"),
        ({"strid": 4}, "strid"),
        ({"decoder": "paf", "paf": {"limbs": [[0, 1]]}}, "paf is not supported; allowed"),
        ({"individuals": ["a", "b"]}, "several individuals is not supported"),
        ({"decoder": "points"}, r"allowed: \(1, 4, 3\)"),
    ],
)
def test_refuses(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    write_source(tmp_path / "net", **changes)
    with pytest.raises(ModelError, match=message):
        read(tmp_path / "net")


def test_refuses_a_wrong_rank(tmp_path: Path) -> None:
    write_source(tmp_path / "net", {"shape": [3, "height", "width"]})
    with pytest.raises(ModelError, match=r"takes 3 dimensions|no readable ONNX"):
        read(tmp_path / "net")


def test_refuses_an_open_rank(tmp_path: Path) -> None:
    write_source(tmp_path / "net")
    path = tmp_path / "net" / "net.onnx"
    model = onnx.load(str(path))
    model.graph.input[0].type.tensor_type.ClearField("shape")
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="'images' has no fixed rank"):
        read(tmp_path / "net")


def test_refuses_a_second_input(tmp_path: Path) -> None:
    write_source(tmp_path / "net")
    path = tmp_path / "net" / "net.onnx"
    model = onnx.load(str(path))
    model.graph.input.add().CopyFrom(model.graph.input[0])
    model.graph.input[1].name = "more"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="has 2 inputs"):
        read(tmp_path / "net")


def test_refuses_frames_that_the_network_does_not_take(tmp_path: Path) -> None:
    write_source(tmp_path / "net", {"shape": ["batch", 3, 32, 32]})
    with pytest.raises(ModelError, match="64 x 48 px, the network takes 32 x 32"):
        read(tmp_path / "net", save_frames(tmp_path / "frames", SIZE, 3))


@pytest.mark.parametrize("content", ["", "3", "{", "\x00"])
def test_refuses_a_damaged_description(tmp_path: Path, content: str) -> None:
    write_source(tmp_path / "net")
    (tmp_path / "net" / "model.yaml").write_text(content)
    with pytest.raises(ModelError, match=r"model.yaml"):
        read(tmp_path / "net")


def test_an_onnx_alone_needs_a_description(tmp_path: Path) -> None:
    conv_onnx(tmp_path / "net.onnx")
    with pytest.raises(ModelError, match="a bare ONNX needs it"):
        read(tmp_path / "net.onnx")

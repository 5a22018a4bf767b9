"""sleap-nn exports: against sleap-nn's own answers (golden/sleap, made by tools/oracles/sleap.py)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fastpose.errors import ModelError
from fastpose.importing.detect import detect
from fastpose.importing.imported import Imported, Options
from fastpose.importing.write import write_package
from fastpose.model_package import read_model_package
from import_sources import GOLDEN, PARTS, save_frames

pytest.importorskip("onnx")

SIZE = (160, 128)


def read(source: Path, frames: Path | None = None) -> Imported:
    found = detect(source)
    assert found.kind == "sleap"
    return found.read(source, Options(frames=frames))


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOLDEN / "sleap" / "single", tmp_path / "export"))


def change(export: Path, **values: Any) -> None:
    path = export / "export_metadata.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.parametrize(("kind", "channels"), [("single", 1), ("single_rgb", 3)])
def test_gives_what_sleap_nn_gives(kind: str, channels: int, tmp_path: Path) -> None:
    imported = read(GOLDEN / "sleap" / kind, save_frames(tmp_path / "frames", SIZE, channels))
    tool = np.load(GOLDEN / "sleap" / kind / "tool.npz")["checkpoint"]
    np.testing.assert_allclose(imported.reference.poses[..., :2], tool[..., :2], atol=0.02)
    np.testing.assert_allclose(imported.reference.poses[..., 2], tool[..., 2], atol=1e-4)


def test_its_places_are_finer_than_the_exports_own_cells(tmp_path: Path) -> None:
    imported = read(GOLDEN / "sleap" / "single", save_frames(tmp_path / "frames", SIZE, 1))
    cells = np.load(GOLDEN / "sleap" / "single" / "tool.npz")["export"]
    distance = np.abs(imported.reference.poses[..., :2] - cells[..., :2])
    assert 0.1 < np.median(distance) <= 4  # about the two cells of 2 px to either side


def test_writes_a_package(export: Path, tmp_path: Path) -> None:
    change(export, edge_inds=[[0, 1]])
    write_package(tmp_path / "package", read(export))
    package = read_model_package(tmp_path / "package")
    assert package.bodyparts == tuple(PARTS)
    assert package.skeleton == (("snout", "ear_left"),)
    assert (package.decoder, package.stride, package.colour) == ("soft_heatmap", 2, "grey")
    assert (package.padding.multiple, package.padding.mode) == (8, "zero")
    assert package.soft == {"method": "window", "size": 5, "min_score": 0.2}


def test_reads_the_network_file_too(export: Path) -> None:
    assert read(export / "model.onnx").description["bodyparts"] == PARTS


def test_below_the_threshold_a_keypoint_is_missing(export: Path) -> None:
    change(export, peak_threshold=5.0)
    poses = read(export).reference.poses
    assert np.isnan(poses[..., :2]).all()
    assert (poses[..., 2] == 0).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"model_type": "centroid"},
            "model_type 'centroid' is not supported; allowed: single_instance, topdown",
        ),
        ({"input_channels": 3}, "3 channels; they do not belong together"),
        ({"input_channels": 2}, "input_channels 2"),
        ({"normalization": "per_crop_standardize"}, "normalization 'per_crop_standardize'"),
        ({"node_names": PARTS[:3], "edge_inds": []}, "gives 4 maps, export_metadata.json names 3 nodes"),
        ({"edge_inds": [[0, 9]]}, "4 nodes and edges"),
        ({"node_names": 3}, "is damaged"),
        ({"input_scale": 0}, "input_scale 0"),
        ({"input_scale": 0.75}, "input_scale 0.75 is not supported; allowed: 1, 1/2"),
    ],
)
def test_refuses(export: Path, values: dict[str, Any], message: str) -> None:
    change(export, **values)
    with pytest.raises(ModelError, match=message):
        read(export)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("export_metadata.json", b"{", "is damaged"),
        ("export_metadata.json", b"{}", "is damaged"),
        ("model.onnx", b"\x08\x09junk", "no readable ONNX file|has 0 inputs"),
        ("training_config.yaml", b"model_config: 3", "max_stride"),
    ],
)
def test_refuses_damaged_files(export: Path, file: str, content: bytes, message: str) -> None:
    (export / file).write_bytes(content)
    with pytest.raises(ModelError, match=message):
        read(export)


@pytest.mark.parametrize("file", ["model.onnx", "training_config.yaml"])
def test_refuses_missing_files(export: Path, file: str) -> None:
    (export / file).unlink()
    with pytest.raises(ModelError):
        read(export)


def test_refuses_a_cut_off_network(export: Path) -> None:
    content = (export / "model.onnx").read_bytes()
    (export / "model.onnx").write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError, match=r"no readable ONNX file|has 0 inputs"):
        read(export)


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
def test_shrinks_as_pil_does(factor: int) -> None:
    """PIL's antialiased bilinear resize of whole grey levels, which torch's follows."""
    import onnx

    from fastpose.importing.onnx_shrink import make_from_pixels
    from fastpose.importing.run_network import run_network

    value, float32 = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    inputs, outputs = [value("pixels", float32, [1, 1, 24, 36])], [value("small", float32, None)]
    model = onnx.helper.make_model(
        onnx.helper.make_graph([], "g", inputs, outputs),
        opset_imports=[onnx.helper.make_opsetid("", 17)],
        ir_version=9,
    )
    make_from_pixels(model, "pixels", "small", channels=1, factor=factor)
    pixels = np.random.default_rng(0).integers(0, 256, (24, 36)).astype(np.uint8)
    ours = run_network(model.SerializeToString(), pixels[None, None].astype(np.float32))["small"][0, 0]
    small = Image.fromarray(pixels).resize((36 // factor, 24 // factor), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(np.rint(ours * 255), np.asarray(small))

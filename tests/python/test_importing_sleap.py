"""sleap-nn exports: against sleap-nn's own answers (golden/sleap, made by tools/oracles/sleap.py)."""

from __future__ import annotations

import json
import re
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
from fastpose.model import load_model
from fastpose.model_package import read_model_package
from fastpose.verify import compare
from import_sources import GOLDEN, PARTS, save_frames

pytest.importorskip("onnx")

SIZE = (160, 128)


KINDS = [("single", 1), ("single_rgb", 3), ("topdown", 1), ("topdown_half", 1), ("bottomup", 1)]


def read(source: Path, frames: Path | None = None, individuals: int | None = None) -> Imported:
    found = detect(source)
    assert found.kind == "sleap"
    return found.read(source, Options(frames=frames, individuals=individuals))


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOLDEN / "sleap" / "single", tmp_path / "export"))


def change(export: Path, **values: Any) -> None:
    path = export / "export_metadata.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def copy(kind: str, tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOLDEN / "sleap" / kind, tmp_path / "export"))


def worst(ours: np.ndarray, tool: np.ndarray) -> tuple[float, float]:
    """Largest distance, px, and difference of the likelihood; every keypoint is found by both or by none."""
    found = compare(ours.astype(np.float32), tool, np.zeros(tool.shape[:3], bool))
    assert found["keypoints"] >= 15
    assert found["missed"] == 0
    return found["max_px"], found["max_likelihood"]


@pytest.mark.parametrize(("kind", "channels"), KINDS)
def test_gives_what_sleap_nn_gives(kind: str, channels: int, tmp_path: Path) -> None:
    """As reference and through the engine; 4 animals, the strongest where there are more."""
    imported = read(GOLDEN / "sleap" / kind, save_frames(tmp_path / "frames", SIZE, channels), 4)
    tool = np.load(GOLDEN / "sleap" / kind / "tool.npz")["checkpoint"]
    assert worst(imported.reference.poses, tool) <= (0.02, 1e-4)
    write_package(tmp_path / "package", imported)
    model = load_model(tmp_path / "package", device="cpu", precision="fp32")
    ours = [model.estimate(frame).keypoints for frame in imported.reference.frames]
    px, likelihood = worst(np.stack(ours), tool)
    assert px <= 0.02
    assert likelihood <= 1e-4


@pytest.mark.parametrize("kind", ["topdown", "bottomup"])
def test_frames_of_other_sizes_are_padded(kind: str, tmp_path: Path) -> None:
    """At the right and bottom, with zeros."""
    imported = read(GOLDEN / "sleap" / kind, save_frames(tmp_path / "frames", SIZE, 1), 4)
    write_package(tmp_path / "package", imported)
    small, padded = (load_model(tmp_path / "package", device="cpu", precision="fp32") for _ in range(2))
    frames = imported.reference.frames[:, 3:124, 10:]
    ours = np.stack([small.estimate(frame).keypoints for frame in frames])
    expected = [padded.estimate(np.pad(frame, ((0, 7), (0, 2)))).keypoints for frame in frames]
    assert np.isfinite(ours[..., :2]).any()
    np.testing.assert_allclose(ours, np.stack(expected), atol=1e-4)


def test_a_top_down_package(tmp_path: Path) -> None:
    imported = read(GOLDEN / "sleap" / "topdown_half")
    write_package(tmp_path / "package", imported)
    package = read_model_package(tmp_path / "package")
    assert package.individuals == ("animal1", "animal2", "animal3", "animal4")
    assert package.detector is not None
    assert (package.detector.kind, package.detector.crop) == ("centroids", "centred")
    assert (package.detector.crop_size, package.detector.stride, package.stride) == ((64, 64), 4, 4)
    assert ("ear_left", "tailbase") in package.skeleton
    assert ("crops", "64 x 64 px") in imported.found


def test_a_bottom_up_package_walks_its_limbs_from_the_root(tmp_path: Path) -> None:
    write_package(tmp_path / "package", read(GOLDEN / "sleap" / "bottomup"))
    package = read_model_package(tmp_path / "package")
    assert package.decoder == "paf_tree"
    assert package.paf_tree is not None
    assert package.paf_tree.limbs == ((1, 3), (0, 1), (0, 2))
    assert package.paf_tree.order == (1, 2, 0)
    assert (package.paf_tree.limb_stride, package.stride, len(package.individuals)) == (4, 2, 10)


def test_the_number_of_animals_is_the_users() -> None:
    many = read(GOLDEN / "sleap" / "bottomup")
    assert any("--individuals" in note for note in many.notes)
    few = read(GOLDEN / "sleap" / "bottomup", individuals=2)
    assert len(few.description["individuals"]) == few.reference.poses.shape[1] == 2
    assert few.notes == ()


def test_says_on_which_size_it_was_trained(export: Path) -> None:
    path = export / "training_config.yaml"
    path.write_text(re.sub("max_(height|width): null", r"max_\1: 480", path.read_text()))
    imported = read(export)
    assert imported.description["training_size"] == (480, 480)
    assert any("480 x 480 px" in note for note in imported.notes)


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        ("topdown", {"crop_size": None}, "says no crop_size"),
        ("topdown", {"node_names": PARTS[:3], "edge_inds": []}, "gives 4 maps"),
        ("topdown", {"model_type": "bottomup"}, "says no edges"),
        ("topdown", {"model_type": "bottomup", "edge_inds": [[0, 1]]}, "training_config.yaml"),
        ("bottomup", {"edge_inds": [[0, 1], [1, 0]]}, "lead in a circle"),
        ("bottomup", {"node_names": PARTS[:3], "edge_inds": [[0, 1]]}, "gives 4 maps"),
        ("bottomup", {"model_type": "topdown"}, "training_config_centroid.yaml"),
    ],
)
def test_refuses_what_does_not_belong_together(
    tmp_path: Path, kind: str, values: dict[str, Any], message: str
) -> None:
    export = copy(kind, tmp_path)
    change(export, **values)
    with pytest.raises(ModelError, match=message):
        read(export)


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

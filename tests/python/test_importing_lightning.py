"""Lightning Pose exports: decode against its own answers (golden/lp, by tools/oracles/lp.py), reader."""

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
from fastpose.importing.lightning import DEVIATION, MEAN
from fastpose.importing.soft_decode import softmax_mean
from fastpose.importing.write import write_package
from fastpose.model_package import read_model_package
from import_sources import GOLDEN, PARTS, conv, conv_onnx, save_frames

pytest.importorskip("onnx")

SIZE = (64, 48)


def write_model(
    folder: Path, *, half: bool = False, shape: list[Any] | None = None, **changes: Any
) -> np.ndarray:
    """What `litpose export` leaves behind, but with a network of one convolution; returns its weights."""
    (folder / "exports_onnx").mkdir(parents=True)
    config = {
        "data": {
            "image_resize_dims": {"width": SIZE[0], "height": SIZE[1]},
            "keypoint_names": PARTS,
            "downsample_factor": 2,
        },
        "model": {"model_type": "heatmap", "backbone": "resnet18"},
    }
    for key, value in changes.items():
        section = "model" if key == "model_type" else "data"
        config[section][key] = value
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    name = f"best_{'fp16' if half else 'fp32'}.onnx"
    shape = ["batch", 3, *SIZE[::-1]] if shape is None else shape
    return conv_onnx(folder / "exports_onnx" / name, shape=shape, half=half)


def read(folder: Path, frames: Path | None = None, snapshot: str | None = None) -> Imported:
    found = detect(folder)
    assert found.kind == "lightning"
    return found.read(folder, Options(frames=frames, snapshot=snapshot))


@pytest.mark.parametrize(("kind", "downsampling", "shift"), [("heatmap", 2, 1.5), ("heatmap_3", 3, 2.5)])
def test_decodes_as_lightning_pose(kind: str, downsampling: int, shift: float) -> None:
    golden = np.load(GOLDEN / "lp" / f"{kind}.npz")
    ours = np.stack(
        [
            softmax_mean(maps, 2.0**downsampling, upsampling=downsampling, shift=shift)
            for maps in golden["heatmaps"]
        ]
    )
    np.testing.assert_allclose(ours[..., :2], golden["keypoints"][..., :2], atol=0.02)
    np.testing.assert_allclose(ours[..., 2], golden["keypoints"][..., 2], atol=1e-4)


def test_normalises_runs_and_decodes(tmp_path: Path) -> None:
    weights = write_model(tmp_path / "model")
    imported = read(tmp_path / "model", save_frames(tmp_path / "frames", SIZE, 3))
    tensors = ((oracle_frames(SIZE, 3) / 255 - MEAN) / DEVIATION).transpose(0, 3, 1, 2)
    expected = np.stack([softmax_mean(conv(tensor, weights), 4.0) for tensor in tensors])
    np.testing.assert_allclose(imported.reference.poses[:, 0], expected, atol=0.02)


def test_reads_half_precision_as_single(tmp_path: Path) -> None:
    weights = write_model(tmp_path / "model", half=True)
    imported = read(tmp_path / "model", save_frames(tmp_path / "frames", SIZE, 3))
    tensors = ((oracle_frames(SIZE, 3) / 255 - MEAN) / DEVIATION).transpose(0, 3, 1, 2)
    expected = np.stack([softmax_mean(conv(tensor, weights), 4.0) for tensor in tensors])
    np.testing.assert_allclose(imported.reference.poses[:, 0], expected, atol=0.02)


def test_writes_a_package(tmp_path: Path) -> None:
    write_model(tmp_path / "model")
    write_package(tmp_path / "package", read(tmp_path / "model"))
    package = read_model_package(tmp_path / "package")
    assert package.bodyparts == tuple(PARTS)
    assert (package.decoder, package.stride, package.colour) == ("soft_heatmap", 4, "rgb")
    assert (package.input_size, package.resized_origin) == (SIZE, "corner")
    assert package.soft == {
        "method": "softmax",
        "upsampling": 2,
        "temperature": 1000,
        "radius": 2,
        "shift": 1.5,
    }


def test_the_snapshot_names_one_of_several_exports(tmp_path: Path) -> None:
    write_model(tmp_path / "model")
    exports = tmp_path / "model" / "exports_onnx"
    (exports / "last_fp32.onnx").write_bytes((exports / "best_fp32.onnx").read_bytes())
    with pytest.raises(ModelError, match=r"which export.*best_fp32, last_fp32"):
        read(tmp_path / "model")
    assert read(tmp_path / "model", snapshot="last_fp32").description["source"]["file"] == "last_fp32.onnx"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "heatmap_mhcrnn"}, "'heatmap_mhcrnn' is not supported.*two frames after"),
        ({"model_type": "regression"}, "'regression' is not supported; allowed: heatmap"),
        ({"view_names": ["left", "right"]}, "several views"),
        ({"downsample_factor": 4}, "downsample_factor 4; allowed: 1, 2, 3"),
        ({"keypoint_names": PARTS[:3]}, "gives 4 maps, config.yaml names 3"),
        ({"keypoint_names": []}, "names no keypoints"),
        ({"image_resize_dims": {"width": 32, "height": 32}}, "do not belong together"),
        ({"image_resize_dims": 3}, "is damaged"),
        ({"shape": ["batch", 1, 48, 64]}, "no readable ONNX|do not belong together"),
        ({"shape": ["batch", 5, 3, 48, 64]}, "no readable ONNX|do not belong together"),
    ],
)
def test_refuses(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    write_model(tmp_path / "model", **changes)
    with pytest.raises(ModelError, match=message):
        read(tmp_path / "model")


def test_says_how_to_export(tmp_path: Path) -> None:
    write_model(tmp_path / "model")
    (tmp_path / "model" / "exports_onnx" / "best_fp32.onnx").unlink()
    with pytest.raises(ModelError, match="litpose export"):
        read(tmp_path / "model")


def test_refuses_a_cut_off_network(tmp_path: Path) -> None:
    write_model(tmp_path / "model")
    path = tmp_path / "model" / "exports_onnx" / "best_fp32.onnx"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ModelError, match=r"no readable ONNX file|has 0 inputs"):
        read(tmp_path / "model")

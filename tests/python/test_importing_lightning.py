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


def expected(weights: np.ndarray) -> np.ndarray:
    """Poses (n, K, 3) of the oracle's frames by a network of one convolution."""
    tensors = ((oracle_frames(SIZE, 3) / 255 - MEAN) / DEVIATION).transpose(0, 3, 1, 2)
    return np.stack([softmax_mean(conv(tensor, weights), 4.0) for tensor in tensors])


@pytest.mark.parametrize(
    ("kind", "downsampling", "shift"), [("heatmap", 2, 1.5), ("heatmap_3", 3, 2.5), ("context", 2, 1.5)]
)
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
    np.testing.assert_allclose(imported.reference.poses[:, 0], expected(weights), atol=0.02)


def test_reads_half_precision_as_single(tmp_path: Path) -> None:
    weights = write_model(tmp_path / "model", half=True)
    imported = read(tmp_path / "model", save_frames(tmp_path / "frames", SIZE, 3))
    np.testing.assert_allclose(imported.reference.poses[:, 0], expected(weights), atol=0.02)


def write_context_model(folder: Path, *, chosen: int = 2, reshaped: bool = True) -> np.ndarray:
    """A context model as `litpose export` writes it, its heads reduced to a gather and a mean."""
    import onnx
    from onnx import TensorProto, helper

    weights = write_model(folder, model_type="heatmap_mhcrnn")
    path = folder / "exports_onnx" / "best_fp32.onnx"
    network = onnx.load(str(path)).graph
    width, height = SIZE
    maps = (len(PARTS), height // 4, width // 4)
    constants = {
        "flat": np.array([5, 3, height, width]),
        "clip": np.array([1, 5, *maps]),
        "chosen": np.array(chosen),
    }
    first = ("Reshape", ["images", "flat"]) if reshaped else ("Squeeze", ["images"])
    nodes = [
        helper.make_node(*first, ["frames"]),
        helper.make_node("Conv", ["frames", "weights"], ["features"], strides=[4, 4]),
        helper.make_node("Reshape", ["features", "clip"], ["clips"]),
        helper.make_node("Transpose", ["clips"], ["in_time"], perm=[1, 0, 2, 3, 4]),
        helper.make_node("Gather", ["in_time", "chosen"], ["third"], axis=0),
        helper.make_node("Identity", ["third"], ["heatmaps"]),
        helper.make_node("ReduceMean", ["in_time"], ["of_all"], axes=[0], keepdims=0),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "network",
        [value("images", TensorProto.FLOAT, ["batch", 5, 3, height, width])],
        [value(name, TensorProto.FLOAT, [1, *maps]) for name in ("heatmaps", "of_all")],
        [*network.initializer, *(onnx.numpy_helper.from_array(each, key) for key, each in constants.items())],
    )
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), str(path))
    return weights


def test_of_a_context_model_the_head_that_sees_one_frame(tmp_path: Path) -> None:
    weights = write_context_model(tmp_path / "model")
    imported = read(tmp_path / "model", save_frames(tmp_path / "frames", SIZE, 3))
    np.testing.assert_allclose(imported.reference.poses[:, 0], expected(weights), atol=0.02)
    assert "two frames after it" in imported.notes[0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"chosen": 4}, "first maps are not those of the third frame"),
        ({"reshaped": False}, "do not go into one Reshape"),
    ],
)
def test_context_models_that_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    write_context_model(tmp_path / "model", **changes)
    with pytest.raises(ModelError, match=f"{message}.*train model_type: heatmap"):
        read(tmp_path / "model")


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
        ({"model_type": "heatmap_mhcrnn"}, r"says \(batch, 5, 3, 48, 64\); they do not belong together"),
        ({"model_type": "regression"}, "'regression' is not supported; allowed: heatmap, heatmap_mhcrnn"),
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

"""ONNX graphs in torch, on the CPU: the same outputs as OpenVINO, whatever the network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fastpose.cuda.onnx_torch import OnnxModule, read_network
from fastpose.errors import ModelError
from fastpose.importing.detect import detect
from fastpose.importing.imported import Options
from fastpose.importing.write import write_package
from fastpose.model_package import read_model_package
from import_sources import GOLDEN
from small_group_norm import group_norm_network
from tiny_package import run_onnx, save, save_heatmap, save_points, save_simcc

torch = pytest.importorskip("torch", reason='needs torch: pip install "fastpose-rig[torch]"')

SHIPPED = read_model_package(Path(__file__).parents[2] / "python/fastpose/models/simulated_mouse")


def in_torch(
    file: Path, tensor: np.ndarray, outputs: tuple[str, ...], dtype: str = "float32"
) -> list[np.ndarray]:
    kind = getattr(torch, dtype)
    module = OnnxModule(read_network(file), outputs, torch.device("cpu"), kind)
    with torch.no_grad():
        return [made.float().numpy() for made in module(torch.from_numpy(tensor).to(kind))]


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(2).standard_normal(shape).astype(np.float32)


def assert_alike(file: Path, tensor: np.ndarray, outputs: tuple[str, ...]) -> None:
    for ours, theirs in zip(in_torch(file, tensor, outputs), run_onnx(file, tensor, outputs), strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4 * np.abs(theirs).max())


def test_one_layer_each(tmp_path: Path) -> None:
    save_heatmap(tmp_path / "maps.onnx", 3)
    assert_alike(tmp_path / "maps.onnx", noise(1, 3, 48, 64), ("heatmap", "locref"))
    save_simcc(tmp_path / "simcc.onnx", 1, (64, 48))
    assert_alike(tmp_path / "simcc.onnx", noise(1, 1, 48, 64), ("x", "y"))
    save_points(tmp_path / "points.onnx", 1, 2)
    assert_alike(tmp_path / "points.onnx", noise(1, 1, 48, 64), ("points",))


def test_the_shipped_network() -> None:
    assert_alike(SHIPPED.network, noise(1, 1, 64, 96), SHIPPED.outputs)


def test_group_normalisation_in_both_of_its_forms(tmp_path: Path) -> None:
    """As torch exports it before opset 21, against OpenVINO; and as one operation, against that."""
    made, tensor, outputs = [], noise(1, 3, 40, 48), ("heatmap", "locref")
    for kind in ("instance norm", "operation"):
        (tmp_path / f"{kind}.onnx").write_bytes(group_norm_network(kind))
        made.append(in_torch(tmp_path / f"{kind}.onnx", tensor, outputs))
    assert_alike(tmp_path / "instance norm.onnx", tensor, outputs)
    for spelled, whole in zip(*made, strict=True):
        np.testing.assert_allclose(spelled, whole, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["single", "bottomup"])
def test_networks_that_sleap_exported(tmp_path: Path, kind: str) -> None:
    write_package(
        tmp_path / "package", detect(GOLDEN / "sleap" / kind).read(GOLDEN / "sleap" / kind, Options())
    )
    package = read_model_package(tmp_path / "package")
    assert_alike(package.network, noise(1, package.channels, 64, 96), package.outputs)


def test_half_precision_is_near() -> None:
    tensor = noise(1, 1, 64, 96)
    for half, single in zip(
        in_torch(SHIPPED.network, tensor, SHIPPED.outputs, "bfloat16"),
        in_torch(SHIPPED.network, tensor, SHIPPED.outputs),
        strict=True,
    ):
        assert np.abs(half - single).mean() < 0.05 * np.abs(single).max()
        assert not np.array_equal(half, single)


def test_what_torch_cannot_run_is_named(tmp_path: Path) -> None:
    from onnx import helper

    save(tmp_path / "odd.onnx", [helper.make_node("NonZero", ["input"], ["y"])], {}, 1, {"y": [4, "n"]})
    with pytest.raises(ModelError, match=r"torch cannot run odd.onnx: it has NonZero; use runtime tensorrt"):
        read_network(tmp_path / "odd.onnx")


def test_an_output_that_is_not_there_is_named() -> None:
    with pytest.raises(ModelError, match=r"no output 'nose'; it has: heatmap"):
        in_torch(SHIPPED.network, noise(1, 1, 64, 96), ("nose",))

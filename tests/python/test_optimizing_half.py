"""The bf16 form: layers that cost pixels stay in float32, and run so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
from openvino import opset13
from PIL import Image
from typer.testing import CliRunner

from fastpose import _core
from fastpose.assembly.network import NetworkOptions
from fastpose.cli import app
from fastpose.config.model import package_folder
from fastpose.errors import ModelError
from fastpose.model import Model
from fastpose.model_package import read_model_package
from fastpose.optimizing import Options, optimize
from fastpose.optimizing.candidate import Cost
from fastpose.optimizing.half import _steps, half_form
from fastpose.optimizing.mixed import costs_of, groups_of, outputs_of, write_kept
from fastpose.verify import verify

ops: Any = opset13
SHIPPED = "builtin:simulated_mouse"


def rounds_to_bf16() -> bool:
    """Whether OpenVINO computes in bf16 here, or rounds in its stead."""
    core = openvino.Core()
    network = core.read_model(package_folder(SHIPPED) / "model.onnx")
    network.reshape([1, 1, 64, 64])
    compiled = core.compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "bf16"})
    return bool(compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name() == "bf16")


needs_bf16 = pytest.mark.skipif(not rounds_to_bf16(), reason="OpenVINO has no bf16 on this CPU")


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """The shipped network as OpenVINO IR."""
    model = openvino.Core().read_model(package_folder(SHIPPED) / "model.onnx")
    openvino.save_model(model, str(tmp_path / "model.xml"), compress_to_fp16=False)
    return tmp_path / "model.xml"


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 12 simulated frames."""
    folder = tmp_path_factory.mktemp("frames")
    camera = _core.Simulation(size=(320, 256), seed=5)
    for index in range(12):
        Image.fromarray(camera.render(index * 20)[0]).save(folder / f"{index:03}.png")
    return folder


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return Path(shutil.copytree(package_folder(SHIPPED), tmp_path / "package"))


def tensors() -> list[np.ndarray]:
    random = np.random.default_rng(2)
    return [random.standard_normal((1, 1, 64, 96)).astype(np.float32)]


def precisions(graph: Path, weights_of: Path) -> dict[str, str]:
    """What each convolution runs in, where all are asked for bf16."""
    core = openvino.Core()
    model = core.read_model(str(graph), str(weights_of.with_suffix(".bin")))
    model.reshape([1, 1, 64, 96])
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "bf16"})
    told: dict[str, str] = {}
    for node in compiled.get_runtime_model().get_ordered_ops():
        details: dict[str, Any] = {key: value.astype(str) for key, value in node.get_rt_info().items()}
        if "Conv" in details["layerType"] and details["layerType"] != "Convert":
            for name in details["originalLayersNames"].split(","):
                told[name] = details["runtimePrecision"]
    return told


@needs_bf16
def test_layers_that_are_kept_run_in_float32(network: Path, tmp_path: Path) -> None:
    groups = groups_of(network, 3)
    write_kept(network, tmp_path / "kept.xml", groups[1])
    found = precisions(tmp_path / "kept.xml", network)
    assert {found[name] for name in groups[1]} == {"f32"}
    assert "bf16" in {found[name] for name in groups[0]}


@needs_bf16
def test_with_all_layers_kept_it_is_nearly_the_network_in_float32(network: Path, tmp_path: Path) -> None:
    names = {name for group in groups_of(network, 3) for name in group}
    write_kept(network, tmp_path / "kept.xml", names)
    exact = outputs_of(network, network, tensors(), "f32")
    half = outputs_of(network, network, tensors(), "bf16")
    kept = outputs_of(tmp_path / "kept.xml", network, tensors(), "bf16")
    for exactly, rounded, found in zip(exact, half, kept, strict=True):
        error = np.abs(rounded - exactly).mean()
        assert error > 0 and np.abs(found - exactly).mean() < 0.15 * error


@needs_bf16
def test_groups_cost_about_as_much_alone_as_together(network: Path, tmp_path: Path) -> None:
    groups = groups_of(network, 4)
    costs = costs_of(network, groups, tensors(), tmp_path)
    whole = costs_of(network, (tuple(name for group in groups for name in group),), tensors(), tmp_path)
    assert min(costs) >= 0 and 0.2 < sum(costs) / whole[0] < 5


def test_groups_are_neighbours_and_hold_every_layer_once(network: Path) -> None:
    alone = groups_of(network, 1000)
    assert all(len(group) == 1 for group in alone)
    together = groups_of(network, 4)
    assert len(together) == 4
    assert [name for group in together for name in group] == [group[0] for group in alone]


def test_the_costliest_groups_are_kept_step_by_step() -> None:
    groups = (("a", "b"), ("c",), ("d",), ("e",))
    steps = list(_steps(groups, [50.0, 4.0, 45.0, 1.0]))
    assert steps == [("a", "b"), ("a", "b", "d"), ("a", "b", "c", "d")]
    assert list(_steps((("a",),), [1.0])) == []


def cost(mean_px: float, keypoints: int = 9, ties: int = 0) -> Cost:
    return Cost(mean_px, mean_px, mean_px, 0.01, keypoints, 0, 3, ties)


@needs_bf16
def test_where_most_keypoints_are_ties_there_is_no_form(network: Path) -> None:
    found, tried = half_form(network, tensors(), 0.2, lambda path: cost(0, 3, 7), lambda line: None)
    assert found is None and len(tried) > 1


def test_the_first_form_within_the_budget_is_taken(network: Path) -> None:
    found, tried = half_form(network, tensors(), 0.2, lambda path: cost(0.1), lambda line: None)
    assert found is tried[-1] and found.kept == () and found.path == network


@needs_bf16
def test_within_the_budget_all_layers_are_bf16(package: Path, frames: Path) -> None:
    report = optimize(package, Options("bf16", frames, 0.2))
    assert 0 < report.forms["bf16"].mean_px <= 0.2 and report.kept == ()
    form = json.loads((package / "optimized.json").read_text())["forms"]["bf16"]
    assert form["layers_in_fp32"] == [] and form["ties"] == report.forms["bf16"].ties


@needs_bf16
def test_the_command_asks_for_the_promise_of_bf16(package: Path, frames: Path) -> None:
    words = ["optimize", str(package), "--precision", "bf16", "--frames", str(frames)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    form = json.loads((package / "optimized.json").read_text())["forms"]["bf16"]
    assert form["budget_px"] == 0.2 and form["mean_px"] <= 0.2


@needs_bf16
def test_over_the_budget_layers_stay_in_float32_until_it_is_kept(package: Path, frames: Path) -> None:
    lines: list[str] = []
    plain = optimize(package, Options("bf16", frames, 0.2)).forms["bf16"].mean_px
    report = optimize(package, Options("bf16", frames, 0.4 * plain, say=lines.append))
    assert report.kept and report.forms["bf16"].mean_px <= 0.4 * plain
    assert "layers in float32" in lines[-1]
    assert verify(package, precisions=["bf16"]).cells["cpu", "bf16"]["mean_px"] < plain
    model = Model(read_model_package(package), NetworkOptions("cpu", "bf16", emulated=True))
    assert model.estimate(np.zeros((64, 96), np.uint8)).keypoints.shape == (1, 5, 3)


@needs_bf16
def test_a_budget_that_no_layer_in_bf16_keeps_is_refused(package: Path, frames: Path) -> None:
    before = sorted(path.name for path in package.iterdir())
    with pytest.raises(ModelError, match=r"bf16 form .* 1e-09 px mean: .*layers in float32.*nothing was"):
        optimize(package, Options("bf16", frames, 1e-9))
    assert sorted(path.name for path in package.iterdir()) == before


@needs_bf16
def test_sums_of_convolutions_compile_whichever_of_them_is_kept(tmp_path: Path) -> None:
    data = ops.parameter([1, 16, 24, 24], np.float32, name="data")
    data.output(0).set_names({"data"})
    first = ops.relu(convolution(data, 1, "first"))
    branch = convolution(ops.relu(convolution(first, 3, "second")), 1, "third")
    total = ops.relu(ops.add(branch, convolution(first, 1, "shortcut")))
    model = openvino.Model([convolution(total, 1, "last")], [data])
    openvino.save_model(model, str(tmp_path / "sum.xml"), compress_to_fp16=False)
    names = [group[0] for group in groups_of(tmp_path / "sum.xml", 9)]
    assert len(names) == 5
    tensor = np.random.default_rng(1).standard_normal((1, 16, 24, 24)).astype(np.float32)
    for chosen in range(1, 2 ** len(names)):
        kept = [name for place, name in enumerate(names) if chosen >> place & 1]
        write_kept(tmp_path / "sum.xml", tmp_path / "kept.xml", kept)
        (found,) = outputs_of(tmp_path / "kept.xml", tmp_path / "sum.xml", [tensor], "bf16")
        assert np.isfinite(found).all()


def convolution(data: Any, side: int, name: str) -> Any:
    """16 channels to 16."""
    weights = np.random.default_rng(side).standard_normal((16, 16, side, side)).astype(np.float32)
    pads = [side // 2] * 2
    node = ops.convolution(data, weights / 8, [1, 1], pads, pads, [1, 1])
    node.set_friendly_name(name)
    return ops.add(node, np.full((1, 16, 1, 1), 0.1, np.float32))

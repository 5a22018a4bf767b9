"""Faster forms of a network: on the shipped network and simulated frames, and on a small residual network."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import openvino
import pytest
from openvino import opset13 as ops
from PIL import Image
from typer.testing import CliRunner

from fastpose import _core, _openvino
from fastpose.cli import app
from fastpose.config.model import package_folder
from fastpose.dlclive import DLCLive
from fastpose.errors import ModelError
from fastpose.model_package import read_model_package
from fastpose.optimizing import Options, optimize
from fastpose.optimizing import optimize as optimize_module
from fastpose.optimizing.byte_input import with_byte_input
from fastpose.optimizing.frames import frames_of
from fastpose.optimizing.fuse import fuse_group_norms
from fastpose.optimizing.group_norm import group_norms
from fastpose.optimizing.heads import join_heads
from fastpose.optimizing.mark import mark_as_quantised
from fastpose.optimizing.profile import by_kind, layer_times
from fastpose.optimizing.quantise import quantised
from fastpose.optimizing.sensitivity import costly_layers
from small_group_norm import group_norm_network

nncf = pytest.importorskip("nncf", reason='needs nncf: pip install "fastpose-rig[optimize]"')

SHIPPED = "builtin:simulated_mouse"
SIZE = (320, 256)


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 24 simulated frames."""
    folder = tmp_path_factory.mktemp("frames")
    camera = _core.Simulation(size=SIZE, seed=5)
    for index in range(24):
        Image.fromarray(camera.render(index * 20)[0]).save(folder / f"{index:03}.png")
    return folder


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the shipped package that may be written to."""
    return Path(shutil.copytree(package_folder(SHIPPED), tmp_path / "package"))


def small_graph(kind: str) -> openvino.Model:
    """The residual network with group normalisation, for 48 x 40 px."""
    model = openvino.Core().read_model(group_norm_network(kind))
    model.reshape([1, 3, 40, 48])
    return model


def tensors(count: int = 6) -> list[np.ndarray]:
    random = np.random.default_rng(3)
    return [random.standard_normal((1, 3, 40, 48)).astype(np.float32) for _ in range(count)]


def outputs(model: openvino.Model, tensor: np.ndarray, folder: Path) -> list[np.ndarray]:
    """Of a graph with operations of ours, written and read again as the engine does."""
    openvino.save_model(model, str(folder / "graph.xml"), compress_to_fp16=False)
    core = openvino.Core()
    core.add_extension(_openvino.__file__)
    compiled = core.compile_model(str(folder / "graph.xml"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    result = compiled(tensor)
    return [np.array(result[port]) for port in range(len(compiled.outputs))]


def test_int8_is_within_its_budget_and_written_with_its_cost(package: Path, frames: Path) -> None:
    lines: list[str] = []
    report = optimize(package, Options(frames=frames, say=lines.append))
    cost = report.forms["int8"]
    assert 0 < cost.mean_px < 0.5 and cost.frames == 8 and cost.missed == 0
    form = json.loads((package / "optimized.json").read_text())["forms"]["int8"]
    assert form["mean_px"] == cost.mean_px and form["budget_px"] == 0.5
    assert form["source_sha256"] == read_model_package(package).sha256["model.onnx"]
    for name, digest in form["sha256"].items():
        assert hashlib.sha256((package / name).read_bytes()).hexdigest() == digest
    assert (package / "model_int8.bin").stat().st_size < (package / "model.onnx").stat().st_size / 2
    assert any("held back" in line for line in lines)


def test_the_int8_form_takes_bytes_and_says_what_they_mean(package: Path, frames: Path) -> None:
    optimize(package, Options(frames=frames))
    backend = _openvino.load(
        str(package / "model_int8.xml"), input_shape=(1, 1, 64, 96), outputs=["heatmap", "locref"]
    )
    assert backend.input_format == ("u8", "nhwc") and backend.input_shape == [1, 1, 64, 96]
    step, zero = backend.input_counts
    normalisation = read_model_package(package).normalisation
    lowest, highest = (grey * normalisation.scale[0] + normalisation.offset[0] for grey in (0, 255))
    assert zero == round(zero) and 0 <= zero <= 255
    assert step * 255 == pytest.approx(highest - lowest, rel=1e-6)
    assert -zero * step == pytest.approx(
        lowest
    )  # a count is a grey level, of frames that were never seen, too


@pytest.mark.parametrize("dynamic", [(False, 0.5, 10), (True, 0.5, 40)], ids=["fixed", "dynamic"])
def test_the_drop_in_runs_the_form(package: Path, frames: Path, dynamic: tuple[bool, float, int]) -> None:
    optimize(package, Options(frames=frames))
    grey = [np.asarray(Image.open(file)) for file in sorted(frames.iterdir())[:3]]
    apart = []
    lives = [DLCLive(package, precision=name, dynamic=dynamic) for name in ("FP32", "INT8")]
    for frame in grey:
        single, whole = (live.get_pose(frame)[:, :2] for live in lives)
        apart.append(np.linalg.norm(single - whole, axis=1))
    assert 0 < np.median(apart) < 0.5


def convolution_kernels(model: openvino.Model, folder: Path) -> list[str]:
    openvino.save_model(model, str(folder / "graph.xml"), compress_to_fp16=False)
    core = openvino.Core()
    core.add_extension(_openvino.__file__)
    compiled = core.compile_model(str(folder / "graph.xml"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    infos = [node.get_rt_info() for node in compiled.get_runtime_model().get_ordered_ops()]
    kinds = [info["layerType"].astype(str) for info in infos]
    return [
        info["primitiveType"].astype(str)
        for info, kind in zip(infos, kinds, strict=True)
        if kind in ("Convolution", "FullyConnected", "MatMul")
    ]


def test_without_any_rounding_left_in_the_graph_its_convolutions_stay_integer(tmp_path: Path) -> None:
    whole = quantised(small_graph("instance_norm"), tensors())
    fuse_group_norms(whole)
    whole = with_byte_input(whole)
    mark_as_quantised(whole)
    kernels = convolution_kernels(whole, tmp_path)
    assert len(kernels) == 7 and all(kernel.endswith("I8") for kernel in kernels), kernels


def test_a_first_layer_in_float32_spoils_nothing(tmp_path: Path) -> None:
    model = small_graph("instance_norm")
    expected = outputs(model, tensors()[0], tmp_path)
    first = next(node for node in model.get_ordered_ops() if node.get_type_name() == "Convolution")
    rounded = quantised(model, tensors(), but=[first.get_friendly_name()])
    plain = outputs(rounded, tensors()[0], tmp_path)
    fuse_group_norms(rounded)
    mark_as_quantised(rounded)
    found = outputs(rounded, tensors()[0], tmp_path)
    for fused, unfused, wanted in zip(found, plain, expected, strict=True):
        assert np.abs(fused - wanted).mean() < 1.5 * np.abs(unfused - wanted).mean() + 1e-6


def test_a_range_for_each_channel_stays_in_the_graph() -> None:
    data = ops.parameter([1, 2, 8, 8], openvino.Type.f32)
    limits = [np.array([low, 2 * low], np.float32).reshape(1, 2, 1, 1) for low in (-1, 1, -1, 1)]
    model = openvino.Model([ops.relu(ops.fake_quantize(data, *limits, 256)).output(0)], [data])
    assert with_byte_input(model) is model


def test_over_the_budget_the_numbers_are_said_and_nothing_is_written(
    package: Path, frames: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[optimize_module.__module__], "_ATTEMPTS", (1,))
    before = sorted(path.name for path in package.iterdir())
    with pytest.raises(
        ModelError,
        match=r"budget of 1e-06 px mean: .* px max with typical ranges and 0 layers .* whole .* and 1 ",
    ):
        optimize(package, Options(frames=frames, budget_px=1e-6))
    assert sorted(path.name for path in package.iterdir()) == before


def test_layers_that_cost_pixels_stay_in_float32(
    package: Path, frames: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = optimize(package, Options(frames=frames)).forms["int8"].mean_px
    monkeypatch.setattr(sys.modules[optimize_module.__module__], "_ATTEMPTS", (6,))
    report = optimize(package, Options(frames=frames, budget_px=plain * 0.95))
    assert len(report.kept) == 6 and report.forms["int8"].mean_px < plain
    form = json.loads((package / "optimized.json").read_text())["forms"]["int8"]
    assert form["layers_in_fp32"] == list(report.kept)


def test_too_few_frames_are_refused_with_the_way_out(package: Path, frames: Path) -> None:
    with pytest.raises(ModelError, match=r"1 frames in '000.png'; needed are 8 .*--frames"):
        optimize(package, Options(frames=frames / "000.png"))


def test_every_third_frame_is_held_back(package: Path, frames: Path) -> None:
    split = frames_of(read_model_package(package), frames)
    assert len(split.calibration) == 16 and len(split.held) == 8
    assert not any((held == seen).all() for held in split.held for seen in split.calibration)


def test_without_nncf_the_extra_is_named(
    package: Path, frames: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(ModelError, match=r"fastpose-rig\[optimize\]"):
        optimize(package, Options(frames=frames))


@pytest.mark.parametrize("kind", ["instance_norm", "operation"])
def test_group_norms_are_found_as_exporters_write_them(kind: str) -> None:
    sites = group_norms(small_graph(kind))
    assert [(site.groups, site.gamma.size) for site in sites] == [(4, 16), (4, 16), (8, 32), (8, 32), (8, 32)]
    assert all(site.eps == pytest.approx(1e-5) for site in sites)


@pytest.mark.parametrize("kind", ["instance_norm", "operation"])
def test_fused_in_float32_the_numbers_stay(kind: str, tmp_path: Path) -> None:
    model, tensor = small_graph(kind), tensors()[0]
    expected = outputs(small_graph("instance_norm"), tensor, tmp_path)
    assert fuse_group_norms(model) == 5
    assert not group_norms(model)
    for found, wanted in zip(outputs(model, tensor, tmp_path), expected, strict=True):
        np.testing.assert_allclose(found, wanted, atol=2e-5 * np.abs(wanted).max())


def test_the_engine_loads_the_operation_that_openvino_cannot_compile(tmp_path: Path) -> None:
    tensor, found = tensors()[0], {}
    for kind in ("instance_norm", "operation"):
        (tmp_path / f"{kind}.onnx").write_bytes(group_norm_network(kind))
        backend = _openvino.load(
            str(tmp_path / f"{kind}.onnx"),
            input_shape=tensor.shape,
            outputs=["heatmap", "locref"],
            precision="fp32",
        )
        found[kind] = backend.run(tensor)
    for one, other in zip(*found.values(), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5 * np.abs(one).max())


def test_fused_behind_int8_convolutions_bytes_go_from_layer_to_layer(tmp_path: Path) -> None:
    model = small_graph("instance_norm")
    expected = outputs(model, tensors()[0], tmp_path)
    rounded = quantised(model, tensors())
    plain = outputs(rounded, tensors()[0], tmp_path)
    assert fuse_group_norms(rounded) == 5
    nodes = [node for node in rounded.get_ordered_ops() if node.get_type_name() == "GroupNorm"]
    kinds = [node.get_output_element_type(0).get_type_name() for node in nodes]
    assert sorted(kinds) == ["f32", "u8", "u8", "u8", "u8"]  # f32: beside the addition
    found = outputs(rounded, tensors()[0], tmp_path)
    for fused, unfused, wanted in zip(found, plain, expected, strict=True):
        error = np.abs(unfused - wanted).mean()
        assert np.abs(fused - wanted).mean() < 1.5 * error + 1e-6


def test_the_engine_runs_a_fused_batch_one_animal_after_the_other(tmp_path: Path) -> None:
    model = small_graph("instance_norm")
    model.reshape([2, 3, 40, 48])
    pair = np.concatenate(tensors(2))
    expected = [outputs(small_graph("instance_norm"), tensor[None], tmp_path) for tensor in pair]
    fuse_group_norms(model)
    for port, found in enumerate(outputs(model, pair, tmp_path)):
        for row, wanted in zip(found, expected, strict=True):
            np.testing.assert_allclose(row, wanted[port][0], atol=2e-5 * np.abs(wanted[port]).max())


@pytest.mark.parametrize("frames", [1, 2])  # of two the engine cannot read the parts where they lie
def test_joined_heads_give_the_same_maps(tmp_path: Path, frames: int) -> None:
    pair = np.concatenate(tensors(frames))
    found = []
    for joined in (0, 1):
        model = small_graph("instance_norm")
        model.reshape(list(pair.shape))
        assert not joined or join_heads(model) == 1
        assert sum(node.get_type_name() == "VariadicSplit" for node in model.get_ordered_ops()) == joined
        openvino.save_model(model, str(tmp_path / "graph.xml"), compress_to_fp16=False)
        backend = _openvino.load(
            str(tmp_path / "graph.xml"), input_shape=pair.shape, outputs=["locref", "heatmap"]
        )
        found.append(backend.run(pair))
    assert [maps.shape[1] for maps in found[1]] == [8, 4]
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5 * np.abs(one).max())


def test_costly_layers_are_ranked_by_what_they_spoil() -> None:
    model = small_graph("instance_norm")
    ranked = costly_layers(model, quantised(model, tensors()), tensors(2))
    weighted = [n.get_friendly_name() for n in model.get_ordered_ops() if "Convolution" in n.get_type_name()]
    assert sorted(ranked) == sorted(weighted)


def test_the_profile_names_each_layer_once(package: Path) -> None:
    layers = layer_times(package / "model.onnx", (1, 1, 64, 64), runs=3)
    assert len({layer.name for layer in layers}) == len(layers)
    assert sum(layer.kind.startswith("Convolution") for layer in layers) >= 10
    assert sum(ms for _, _, ms in by_kind(layers)) == pytest.approx(sum(layer.ms for layer in layers))


def test_the_command_says_forms_costs_and_layers(package: Path, frames: Path) -> None:
    result = CliRunner().invoke(app, ["optimize", str(package), "--frames", str(frames), "--profile"])
    assert result.exit_code == 0, result.output
    assert "int8" in result.output and "mean px" in result.output and "Convolution" in result.output


def test_the_command_refuses_an_unknown_precision(package: Path) -> None:
    result = CliRunner().invoke(app, ["optimize", str(package), "--precision", "int4"])
    assert result.exit_code == 2 and "allowed: bf16, int8" in result.output

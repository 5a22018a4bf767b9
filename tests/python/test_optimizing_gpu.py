"""Forms for GPUs: types as asked for, input and outputs as before, a cost in pixels and its budget."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from fastpose import _core
from fastpose.config.model import package_folder
from fastpose.cuda.forms import FORMS, gpu_form_of
from fastpose.cuda.onnx_quantise import quantisable, quantised_in_half, with_quantised_convolutions
from fastpose.cuda.onnx_types import Half, with_half_types
from fastpose.errors import ModelError
from fastpose.importing.run_network import run_network
from fastpose.model_package import read_model_package
from fastpose.optimizing.gpu import GpuOptions, optimize_for_gpu
from fastpose.optimizing.onnx_ranges import measured_ranges
from small_group_norm import group_norm_network

TENSOR = np.random.default_rng(3).standard_normal((1, 3, 40, 48)).astype(np.float32)
OUTPUTS = ("heatmap", "locref")


def network() -> onnx.ModelProto:
    return onnx.load_from_string(group_norm_network("instance norm"))


def outputs(model: onnx.ModelProto) -> list[np.ndarray]:
    made = run_network(model.SerializeToString(), TENSOR)
    return [made[name] for name in OUTPUTS]


def weight_types(model: onnx.ModelProto) -> set[int]:
    """Of weights that are multiplied with features."""
    wide = {weight.name: weight.data_type for weight in model.graph.initializer if len(weight.dims) == 4}
    kernels = {node.input[1] for node in model.graph.node if node.op_type == "Conv"}
    return {kind for name, kind in wide.items() if name in kernels}


@pytest.mark.parametrize(("half", "kind"), [("fp16", TensorProto.FLOAT16), ("bf16", TensorProto.BFLOAT16)])
def test_weights_change_their_type_and_the_outside_does_not(half: Half, kind: int) -> None:
    model = with_half_types(network(), half)
    assert weight_types(model) == {kind}
    ends = [value.type.tensor_type.elem_type for value in (*model.graph.input, *model.graph.output)]
    assert set(ends) == {TensorProto.FLOAT}
    assert len(model.SerializeToString()) < 0.7 * len(network().SerializeToString())
    for changed, before in zip(outputs(model), outputs(network()), strict=True):
        assert 0 < np.abs(changed - before).mean() < 0.02 * np.abs(before).mean() + 0.01


def test_bf16_is_rounded_to_the_nearest() -> None:
    model = with_half_types(network(), "bf16")
    before = {w.name: numpy_helper.to_array(w) for w in network().graph.initializer}
    for weight in model.graph.initializer:
        if weight.data_type == TensorProto.BFLOAT16:
            values = np.frombuffer(weight.raw_data, np.uint16).astype(np.uint32) << 16
            original = before[weight.name.rpartition("_as_")[0]].ravel()
            error = np.abs(values.view(np.float32) - original)
            assert (error <= np.abs(original) * 2.0**-8).all()


def test_named_tensors_stay_in_float32() -> None:
    convolutions = [node for node in network().graph.node if node.op_type == "Conv"]
    model = with_half_types(network(), "fp16", but=[convolutions[0].output[0]])
    assert weight_types(model) == {TensorProto.FLOAT, TensorProto.FLOAT16}


def test_constants_among_the_nodes_and_sizes_of_resize() -> None:
    """Scales of Resize are float32 by definition; a constant beside features becomes one of theirs."""
    scales = numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales")
    gain = numpy_helper.from_array(np.array(0.5, np.float32))
    nodes = [
        helper.make_node("Constant", [], ["gain"], value=gain),
        helper.make_node("Mul", ["x", "gain"], ["scaled"]),
        helper.make_node("Resize", ["scaled", "", "scales"], ["y"], mode="linear"),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "resize",
        [value("x", TensorProto.FLOAT, [1, 1, 4, 4])],
        [value("y", TensorProto.FLOAT, None)],
        [scales],
    )
    model = with_half_types(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), "fp16"
    )
    kept = {weight.name: weight.data_type for weight in model.graph.initializer}
    assert kept["scales"] == TensorProto.FLOAT and TensorProto.FLOAT16 in kept.values()
    made = run_network(model.SerializeToString(), np.ones((1, 1, 4, 4), np.float32))
    np.testing.assert_allclose(made["y"], 0.5)


def ranges_of(model: onnx.ModelProto) -> dict[str, float]:
    names = {node.input[0] for node in quantisable(model)}
    return {name: float(v.max()) for name, v in measured_ranges(model, [TENSOR], names).items()}


def test_int8_is_symmetric_and_near() -> None:
    model = with_quantised_convolutions(network(), ranges_of(network()))
    zeros = [w for w in model.graph.initializer if w.name.endswith("_zero")]
    assert zeros and all(
        not numpy_helper.to_array(w).any() and w.data_type == TensorProto.INT8 for w in zeros
    )
    kernels = [w for w in model.graph.initializer if w.data_type == TensorProto.INT8 and len(w.dims) == 4]
    assert len(kernels) == len(quantisable(network()))
    assert all(np.abs(numpy_helper.to_array(w)).max() == 127 for w in kernels)
    for changed, before in zip(outputs(model), outputs(network()), strict=True):
        assert 0 < np.abs(changed - before).mean() < 0.1 * np.abs(before).mean()


def test_int8_has_fp16_around_it_and_leaves_out_what_it_is_told() -> None:
    last = quantisable(network())[-1].output[0]
    model = quantised_in_half(network(), ranges_of(network()), but=[last])
    assert weight_types(model) == {TensorProto.FLOAT16}  # the one that was left out
    steps = [w.data_type for w in model.graph.initializer if "_step" in w.name]
    assert set(steps) == {TensorProto.FLOAT16}
    for changed, before in zip(outputs(model), outputs(network()), strict=True):
        assert np.abs(changed - before).mean() < 0.1 * np.abs(before).mean()


def test_ranges_are_the_largest_magnitudes() -> None:
    relu = next(node.output[0] for node in network().graph.node if node.op_type == "Relu")
    found = measured_ranges(network(), [TENSOR, 2 * TENSOR], ["frame", relu])
    np.testing.assert_allclose(found["frame"], np.abs(TENSOR).max() * np.array([1, 2]), rtol=1e-6)
    assert found[relu].shape == (2,) and (found[relu] > 0).all()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return Path(shutil.copytree(package_folder("builtin:simulated_mouse"), tmp_path / "package"))


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("frames")
    camera = _core.Simulation(size=(160, 128), seed=5)
    for index in range(9):
        Image.fromarray(camera.render(index * 20)[0]).save(folder / f"{index:03}.png")
    return folder


@pytest.mark.parametrize("precision", ["fp16", "bf16", "int8"])
def test_the_shipped_package_gets_each_form(package: Path, frames: Path, precision: str) -> None:
    told: list[str] = []
    options = GpuOptions(precision, frames, 2.0, say=told.append)  # type: ignore[arg-type]
    report = optimize_for_gpu(package, options)
    form = gpu_form_of(read_model_package(package), precision)
    assert form.file.is_file() and form.mean_px == report.forms[FORMS[precision]].mean_px
    assert not form.over_budget and told[-1].startswith(f"{precision}: ")
    if precision == "fp16":
        assert form.mean_px is not None and form.mean_px <= 0.2


def test_over_the_budget_nothing_is_written(package: Path, frames: Path) -> None:
    before = {file.name for file in package.iterdir()}
    with pytest.raises(ModelError, match=r"int8 form of model package .* over its budget of 1e-09 px"):
        optimize_for_gpu(package, GpuOptions("int8", frames, 1e-9))
    assert {file.name for file in package.iterdir()} == before

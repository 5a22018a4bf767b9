"""TensorRT-RTX itself builds engines here, for GPUs that are not: kinds of networks, every type."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from fastpose.cuda.nvinfer import Nvinfer, open_tensorrt_rtx
from fastpose.cuda.onnx_quantise import quantisable, quantised_in_half
from fastpose.cuda.onnx_types import with_half_types
from fastpose.cuda.runtime import Gpu, Job, Missing
from fastpose.errors import DeviceError, ModelError
from fastpose.model_package import digest_of, read_model_package
from fastpose.optimizing.onnx_ranges import measured_ranges
from import_sources import GOLDEN
from tiny_package import save_detector, save_heatmap, save_simcc

GPUS = [Gpu(-1, f"SM{a}{b}", (a, b), "13.0") for a, b in ((7, 5), (8, 6), (8, 9), (12, 0))]
SHIPPED = read_model_package(Path(__file__).parents[2] / "python/fastpose/models/simulated_mouse")


@pytest.fixture(scope="module")
def rtx() -> Nvinfer:
    try:
        return open_tensorrt_rtx()
    except Missing as missing:
        pytest.skip(str(missing))


def job(file: Path, shape: tuple[int, ...], outputs: tuple[str, ...], precision: str = "fp32") -> Job:
    return Job(file, digest_of(file), precision, shape, outputs)  # type: ignore[arg-type]


def quietly(*_: object) -> None:
    """No progress."""


@pytest.mark.parametrize("gpu", GPUS, ids=lambda gpu: gpu.sm)
def test_one_layer_for_each_gpu(rtx: Nvinfer, tmp_path: Path, gpu: Gpu) -> None:
    save_heatmap(tmp_path / "maps.onnx", 3)
    plan = rtx.build(job(tmp_path / "maps.onnx", (1, 3, 64, 96), ("heatmap", "locref")), gpu, quietly)
    other = rtx.build(job(tmp_path / "maps.onnx", (2, 3, 64, 96), ("heatmap",)), gpu, quietly)
    assert len(plan) > 10_000 and plan != other


def in_precision(precision: str, folder: Path) -> Path:
    model = onnx.load(str(SHIPPED.network))
    if precision == "int8":
        tensors = [np.random.default_rng(1).standard_normal((1, 1, 64, 96)).astype(np.float32)]
        ranges = measured_ranges(model, tensors, {node.input[0] for node in quantisable(model)})
        model = quantised_in_half(model, {name: float(v.max()) for name, v in ranges.items()})
    elif precision != "fp32":
        model = with_half_types(model, precision)  # type: ignore[arg-type]
    file = folder / f"model_{precision}.onnx"
    file.write_bytes(model.SerializeToString())
    return file


@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16", "int8"])
def test_the_shipped_network_in_each_precision(rtx: Nvinfer, tmp_path: Path, precision: str) -> None:
    file = in_precision(precision, tmp_path)
    asked: list[str] = []
    plan = rtx.build(
        job(file, (1, 1, 128, 160), SHIPPED.outputs, precision),
        GPUS[2],
        lambda phase, done, total: asked.append(phase),
    )
    assert len(plan) > 100_000 and "Building engine" in asked


def test_int8_for_the_oldest_gpu(rtx: Nvinfer, tmp_path: Path) -> None:
    file = in_precision("int8", tmp_path)
    assert rtx.build(job(file, (1, 1, 128, 160), SHIPPED.outputs, "int8"), GPUS[0], quietly)


@pytest.mark.parametrize("kind", ["single", "bottomup"])
def test_networks_that_sleap_exported(rtx: Nvinfer, tmp_path: Path, kind: str) -> None:
    from fastpose.importing.detect import detect
    from fastpose.importing.imported import Options
    from fastpose.importing.write import write_package

    export = GOLDEN / "sleap" / kind
    write_package(tmp_path / "package", detect(export).read(export, Options()))
    package = read_model_package(tmp_path / "package")
    assert rtx.build(job(package.network, (1, package.channels, 128, 160), package.outputs), GPUS[1], quietly)


def test_a_head_of_matrix_products(rtx: Nvinfer, tmp_path: Path) -> None:
    save_simcc(tmp_path / "simcc.onnx", 1, (64, 48))
    assert rtx.build(job(tmp_path / "simcc.onnx", (1, 1, 48, 64), ("x", "y")), GPUS[2], quietly)


def test_what_it_refuses_is_named(rtx: Nvinfer, tmp_path: Path) -> None:
    save_detector(tmp_path / "boxes.onnx")
    with pytest.raises(ModelError, match=r"tensorrt-rtx [\d.]+ (refuses|cannot build) boxes.onnx.*NonZero"):
        rtx.build(job(tmp_path / "boxes.onnx", (1, 1, 64, 96), ("boxes", "scores")), GPUS[2], quietly)
    (tmp_path / "none.onnx").write_bytes(b"no network")
    with pytest.raises(ModelError, match=r"refuses none.onnx: \S+"):
        rtx.build(job(tmp_path / "none.onnx", (1, 1, 64, 96), ("y",)), GPUS[2], quietly)


def test_an_output_that_is_not_there_is_named(rtx: Nvinfer) -> None:
    with pytest.raises(ModelError, match=r"no output 'nose'; it has: heatmap, locref"):
        rtx.build(job(SHIPPED.network, (1, 1, 64, 96), ("nose",)), GPUS[2], quietly)


def test_gpus_and_types_that_it_does_not_run_are_told(rtx: Nvinfer) -> None:
    h200 = Gpu(0, "NVIDIA H200", (9, 0))
    assert rtx.suits(h200, "fp16") == (
        "TensorRT-RTX runs on SM75, SM80, SM86, SM89, SM120, SM121; NVIDIA H200 is SM90"
    )
    assert rtx.suits(GPUS[0], "bf16").startswith("bf16 needs SM80 or newer, SM75 is SM75")
    assert rtx.suits(GPUS[2], "fp16") == ""


def test_without_a_gpu_a_plan_is_not_loaded(rtx: Nvinfer) -> None:
    with pytest.raises(DeviceError, match="a plan runs on a GPU, and there is none"):
        rtx.load(b"plan", job(SHIPPED.network, (1, 1, 64, 96), ("heatmap",)), GPUS[2])

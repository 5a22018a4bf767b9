"""Top-down on an NVIDIA GPU: one graph for the detector, one for the crops of all animals at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fastpose import _core
from fastpose.assembly.cuda_networks import (
    GpuNetwork,
    Row,
    decode_of,
    job_of,
    of_one_row,
    running_of,
    tensor_of,
)
from fastpose.cuda.forms import gpu_form_of
from fastpose.cuda.gpu import cuda_module, find_gpu
from fastpose.cuda.load import install, load_program
from fastpose.cuda.runtime import Gpu
from fastpose.errors import DeviceError
from fastpose.model_forms import Form, Shape
from fastpose.model_package import Detector, ModelPackage

__all__ = ["GpuTopDown", "TopDownPlan", "open_gpu_top_down"]


@dataclass(frozen=True)
class TopDownPlan:
    """What the two graphs are made for.

    Attributes
    ----------
    row : Row
        From a frame to the detector's tensor.
    detector_shape : tuple of int
        N, C, H, W of that tensor.
    crop : dict
        Keyword arguments of `_cuda.Crop` but scale and offset.
    crop_shape : tuple of int
        N, C, H, W of the crops: a row for each animal.
    boxes : callable
        From the shapes of the detector's outputs to the stage that finds the animals there.
    """

    row: Row
    detector_shape: Shape
    crop: dict[str, Any]
    crop_shape: Shape
    boxes: Callable[[Sequence[Sequence[int]]], _core.BoxStage]


@dataclass(frozen=True)
class GpuTopDown:
    """Both graphs.

    Attributes
    ----------
    estimator : Estimator
    detector, crops : GpuNetwork
    """

    estimator: _core.Estimator
    detector: GpuNetwork
    crops: GpuNetwork


def open_gpu_top_down(
    package: ModelPackage, device: str, precision: str, plan: TopDownPlan, *, runtime: str = "auto"
) -> GpuTopDown:
    """Build, load and capture the detector in fp32 and the network of the animals.

    Raises
    ------
    DeviceError
        As `open_gpu_network`; also for a detector of boxes: how many it finds shows only when it ran, and a
        graph has fixed shapes.
    ModelError
        As `open_gpu_network`.
    """
    detector = package.detector
    assert detector is not None
    _require_fixed_shapes(package, detector, device)
    gpu, module = find_gpu(device), cuda_module()
    found, finder = _detector(module, package, detector, gpu, plan, runtime)
    crops = _crops(module, package, gpu, precision, plan, found.graph, runtime)
    estimator = module.top_down(detector=found.graph, boxes=finder, crops=crops.graph)
    return GpuTopDown(estimator, found, crops)


def _require_fixed_shapes(package: ModelPackage, detector: Detector, device: str) -> None:
    if detector.kind == "boxes":
        raise DeviceError(
            f"device {device}: the detector of model package '{package.name}' gives a number of boxes that "
            "follows the frame; allowed on cuda: networks without a detector, detectors of kind centroids; "
            "use detector_device cpu, or device cpu"
        )


def _detector(
    module: Any, package: ModelPackage, detector: Detector, gpu: Gpu, plan: TopDownPlan, runtime: str
) -> tuple[GpuNetwork, Any]:
    form = Form("onnx", "fp32", "fp32", package.folder / detector.file, package.sha256[detector.file])
    job = job_of(form, detector.outputs, plan.detector_shape)
    loaded = load_program(job, gpu, runtime, what=f"{package.name}'s detector")
    outputs = loaded.program.outputs
    finder = module.BoxFinder(plan.boxes([of_one_row(port.shape, 1) for port in outputs]), plan.crop_shape[0])
    scale, offset = detector.normalisation.factors
    graph = module.CudaNetwork(
        device=gpu.index,
        preprocess=[module.Preprocess(**plan.row.options, scale=scale, offset=offset)],
        input=tensor_of(module, loaded.program.input),
        outputs=[tensor_of(module, port) for port in outputs],
        decode=module.host_decode(finder),
        bodyparts=1,
        whole_frames=True,  # users' kernels see them
    )
    notes = install(loaded, graph)
    running = running_of("detector", plan.detector_shape, loaded, form, gpu, notes, graph.description)
    return GpuNetwork(graph, running, gpu.index), finder


def _crops(
    module: Any, package: ModelPackage, gpu: Gpu, precision: str, plan: TopDownPlan, frames: Any, runtime: str
) -> GpuNetwork:
    form, count = gpu_form_of(package, precision), plan.crop_shape[0]
    job = job_of(form, package.outputs, plan.crop_shape)
    loaded = load_program(job, gpu, runtime, what=package.name)
    outputs = loaded.program.outputs
    scale, offset = package.normalisation.factors
    graph = module.CudaCrops(
        frames=frames,
        crop=module.Crop(**plan.crop, scale=scale, offset=offset),
        input=tensor_of(module, loaded.program.input),
        outputs=[tensor_of(module, port) for port in outputs],
        decode=decode_of(module, package, [of_one_row(port.shape, count) for port in outputs]),
        bodyparts=len(package.bodyparts),
    )
    notes = install(loaded, graph)
    running = running_of("crops", plan.crop_shape, loaded, form, gpu, notes, graph.description)
    return GpuNetwork(graph, running, gpu.index)

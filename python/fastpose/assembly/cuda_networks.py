"""From frames of one kind to poses on an NVIDIA GPU: one CUDA graph for each network and input size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fastpose.assembly.cuda_lists import lists_decode
from fastpose.assembly.decoders import SoftWindow, make_decoder, soft_of
from fastpose.assembly.running import GpuGrant, Running
from fastpose.cuda.forms import gpu_form_of
from fastpose.cuda.gpu import cuda_module, find_gpu
from fastpose.cuda.load import Loaded, install, load_program
from fastpose.cuda.runtime import Gpu, Job, Port
from fastpose.errors import DeviceError
from fastpose.model_forms import Form, Shape
from fastpose.model_package import ModelPackage

__all__ = [
    "GpuNetwork",
    "Row",
    "decode_of",
    "job_of",
    "of_one_row",
    "open_gpu_backend",
    "open_gpu_network",
    "running_of",
    "tensor_of",
]

_ELEMENTS = ("f32", "f16", "u8")  # that the engine's kernels write and read


@dataclass(frozen=True)
class Row:
    """What preprocessing makes of one camera's frames: `_cuda.Preprocess`, without normalisation.

    Attributes
    ----------
    options : dict
        Keyword arguments of `_cuda.Preprocess` but scale and offset.
    """

    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class GpuNetwork:
    """A network in a graph with its preprocessing and decoding.

    Attributes
    ----------
    graph : fastpose._cuda.CudaNetwork
    running : Running
    device : int
        Index of the GPU.
    """

    graph: Any
    running: Running
    device: int = 0


def open_gpu_network(
    package: ModelPackage,
    device: str,
    precision: str,
    rows: Sequence[Row],
    input_shape: Shape,
    *,
    runtime: str = "auto",
    part: str = "frame",
) -> GpuNetwork:
    """Build, load and capture a network with one row for each camera or animal.

    Parameters
    ----------
    package : ModelPackage
    device : str
        "cuda:N".
    precision : str
    rows : sequence of Row
        As many as `input_shape` has images.
    input_shape : tuple of int
        N, C, H, W.
    runtime : str
        "auto", "tensorrt", "tensorrt-rtx" or "torch".
    part : str
        What it sees, for the report.

    Raises
    ------
    DeviceError
        There is no such GPU or runtime, or the engine was built without CUDA.
    ModelError
        The runtime refuses the network, or model.yaml and network do not belong together.
    """
    gpu, form = find_gpu(device), gpu_form_of(package, precision)
    job = job_of(form, package.outputs, input_shape)
    loaded = load_program(job, gpu, runtime, what=package.name)
    module = cuda_module()
    scale, offset = package.normalisation.factors
    graph = module.CudaNetwork(
        device=gpu.index,
        preprocess=[module.Preprocess(**row.options, scale=scale, offset=offset) for row in rows],
        input=tensor_of(module, loaded.program.input),
        outputs=[tensor_of(module, port) for port in loaded.program.outputs],
        decode=decode_of(
            module, package, [of_one_row(port.shape, len(rows)) for port in loaded.program.outputs]
        ),
        individuals=package.count_of_individuals,
        bodyparts=len(package.bodyparts),
        whole_frames=part != "roi",  # users' kernels see them; a roi that follows uploads its own rows alone
    )
    notes = install(loaded, graph)
    running = running_of(part, input_shape, loaded, form, gpu, notes, graph.description)
    return GpuNetwork(graph, running, gpu.index)


def open_gpu_backend(
    package: ModelPackage, device: str, precision: str, input_shape: Shape, *, runtime: str, part: str
) -> Running:
    """The network alone on the GPU, for crops that the CPU cuts out; raises as `open_gpu_network` does."""
    form, gpu = gpu_form_of(package, precision), find_gpu(device)
    loaded = load_program(job_of(form, package.outputs, input_shape), gpu, runtime, what=package.name)
    module = cuda_module()
    backend = module.CudaBackend(
        device=gpu.index,
        input=tensor_of(module, loaded.program.input),
        outputs=[tensor_of(module, port) for port in loaded.program.outputs],
        description=_told(loaded, gpu),
    )
    notes = install(loaded, backend)
    return Running(part, input_shape, backend, form, "", "; ".join(notes))


def job_of(form: Form, outputs: Sequence[str], input_shape: Shape) -> Job:
    """What a runtime builds of a form."""
    return Job(form.file, form.sha256, form.precision, input_shape, tuple(outputs))


def tensor_of(module: Any, port: Port) -> Any:
    """The engine's tensor for a program's input or output; raises DeviceError for other elements."""
    if port.element not in _ELEMENTS:
        raise DeviceError(
            f"tensor {port.name!r} of the network is {port.element}; allowed on cuda: {', '.join(_ELEMENTS)}"
        )
    return module.Tensor(port.name, port.shape, port.element, port.layout)


def decode_of(module: Any, package: ModelPackage, shapes: Sequence[Sequence[int]]) -> Any:
    """The decoder as a kernel where there is one; else the graph downloads lists or maps for the CPU."""
    checked = make_decoder(package, shapes)  # says where model.yaml and network do not belong together
    parts = len(package.bodyparts)
    if package.decoder == "heatmap":
        return module.heatmap_decode(
            bodyparts=parts,
            map_size=(shapes[0][3], shapes[0][2]),
            stride=package.stride,
            locref_stdev=package.locref_stdev,
            activation=package.activation,
        )
    if package.simcc is not None:
        return module.simcc_decode(
            bodyparts=parts, bins=(shapes[0][3], shapes[1][3]), **package.simcc.model_dump()
        )
    soft = soft_of(package) if package.decoder == "soft_heatmap" else None
    if isinstance(soft, SoftWindow):
        return module.soft_window_decode(
            bodyparts=parts,
            map_size=(shapes[0][3], shapes[0][2]),
            stride=package.stride,
            **soft.model_dump(exclude={"method"}),
        )
    if package.paf is not None or package.paf_tree is not None:
        return lists_decode(module, package, shapes)
    return module.host_decode(checked)


def of_one_row(shape: Sequence[int], count: int) -> list[int]:
    """Four dimensions of one row of a batch."""
    whole = [1] * (4 - len(shape)) + list(shape)
    axis = 0 if whole[0] == count else 1
    return [1 if place == axis else size for place, size in enumerate(whole)] if count > 1 else whole


def running_of(
    part: str, shape: Shape, loaded: Loaded, form: Form, gpu: Gpu, notes: Sequence[str], graph: str
) -> Running:
    """What runs, for the report."""
    grant = GpuGrant(f"{_told(loaded, gpu)}: {graph}", form.precision, loaded.plan.cached)
    return Running(part, shape, grant, form, "", "; ".join(notes))


def _told(loaded: Loaded, gpu: Gpu) -> str:
    return f"cuda:{gpu.index} {gpu.name}, {loaded.program.description}"

"""Compiles a package's networks for the device that was asked for."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose import _core
from fastpose.assembly.cuda_networks import open_gpu_backend
from fastpose.assembly.running import Running
from fastpose.cache import kept_compiled
from fastpose.cpu import this_cpu
from fastpose.cuda.gpu import is_cuda
from fastpose.errors import DeviceError, FastposeError, ModelError
from fastpose.model_forms import Precision, Shape, plan_of, shape_text
from fastpose.model_package import ModelPackage

__all__ = ["Device", "load_on_cpu", "open_backend", "open_detector"]


@dataclass(frozen=True)
class Device:
    """What runs a network.

    Attributes
    ----------
    device : str
        "cpu", "cuda:N" or "fake".
    precision : str
        "auto", "fp32", "fp16", "bf16" or "int8".
    threads : int
        0: as ``fastpose tune`` found, else the runtime's choice.
    alone : bool
        The only network of this process: its threads may be kept on their cores. Several that are kept there
        get the same ones: on two cores two networks of one thread each are then half as fast.
    runtime : str
        Of device cuda: "auto", "tensorrt", "tensorrt-rtx" or "torch".
    emulated : bool
        bf16 also where the CPU lacks its instructions and the runtime rounds in their stead: the same
        numbers, slowly; to measure them.
    """

    device: str = "cpu"
    precision: Precision = "auto"
    threads: int = 0
    alone: bool = False
    runtime: str = "auto"
    emulated: bool = False

    @property
    def is_cuda(self) -> bool:
        """Whether it is an NVIDIA GPU."""
        return is_cuda(self.device)


def open_backend(package: ModelPackage, device: Device, input_shape: Shape, part: str = "frame") -> Running:
    """Compile the form of the package's network that suits the precision.

    Parameters
    ----------
    package : ModelPackage
    device : Device
    input_shape : tuple of int
        N, C, H, W.
    part : str
        What it sees, for the report: "frame", "roi" or "crops".

    Raises
    ------
    DeviceError
        The device or precision is not to be had.
    ModelError
        The network does not take this shape or lacks an output; or its form is missing or damaged.
    """
    if device.device == "fake":
        return Running(part, input_shape, _fake_backend(package, input_shape))
    if device.is_cuda:
        return open_gpu_backend(
            package, device.device, device.precision, input_shape, runtime=device.runtime, part=part
        )
    _require_cpu(device)
    plan = plan_of(package, device.precision, device.threads, this_cpu(), input_shape)
    compiler = _Compiler(plan.form.file, package.outputs, plan.form.sha256)
    pinned = plan.pinned if device.alone else False
    backend = compiler.compiled(
        input_shape,
        precision=plan.form.asked,
        threads=plan.threads,
        pinned=pinned,
        emulated=device.emulated,
    )
    return Running(part, input_shape, backend, plan.form, plan.threads_by, compiler.note)


def open_detector(package: ModelPackage, device: Device, input_shape: Shape) -> Running:
    """Compile the package's detector, which has one form alone; raises as `open_backend` does."""
    detector = package.detector
    assert detector is not None
    if device.device == "fake":
        return Running("detector", input_shape, _fake_backend(package, input_shape))
    _require_cpu(device)
    compiler = _Compiler(package.folder / detector.file, detector.outputs, package.sha256[detector.file])
    asked = "auto" if device.precision == "int8" else device.precision
    pinned = None if device.alone else False
    backend = compiler.compiled(
        input_shape, precision=asked, threads=device.threads, pinned=pinned, emulated=device.emulated
    )
    threads_by = "config" if device.threads else "runtime"
    return Running("detector", input_shape, backend, None, threads_by, compiler.note)


def _require_cpu(device: Device) -> None:
    if device.device != "cpu":
        raise DeviceError(f"model.device is {device.device!r}; allowed: cpu, cuda, cuda:N, fake")


@dataclass
class _Compiler:
    """Compiles one file, and keeps what came of it for the next time."""

    file: Path
    outputs: Sequence[str]
    sha256: str
    note: str = ""

    def compiled(self, input_shape: Shape, **options: Any) -> _core.Backend:
        with kept_compiled(f"{self.sha256[:24]}-{shape_text(input_shape)}") as kept:
            self.note = kept.problem
            folder = str(kept.folder or "")
            return load_on_cpu(self.file, self.outputs, input_shape, cache_folder=folder, **options)


def load_on_cpu(file: Path, outputs: Sequence[str], input_shape: Shape, **options: Any) -> _core.Backend:
    """Compile a network with OpenVINO.

    Parameters
    ----------
    file : Path
        ONNX or OpenVINO IR.
    outputs : sequence of str
        Their names.
    input_shape : tuple of int
        N, C, H, W.
    **options
        precision, threads, pinned, cache_folder: see ``fastpose/_openvino.pyi``.

    Raises
    ------
    DeviceError
        There is no OpenVINO, or not this precision.
    ModelError
        OpenVINO refuses the network, its shape or its outputs.
    """
    runtime = _runtime()
    try:
        backend: _core.Backend = runtime.load(
            str(file), input_shape=input_shape, outputs=list(outputs), **options
        )
        return backend
    except FastposeError as error:
        raise type(error)(" ".join(str(error).split())) from None  # OpenVINO tells a page


def _runtime() -> Any:
    """The module fastpose._openvino, which finds OpenVINO's libraries where the wheel is its neighbour."""
    try:
        with contextlib.suppress(ImportError):
            return importlib.import_module("fastpose._openvino")
        importlib.import_module("openvino")  # 0.2 s; loads its libraries from wherever the wheel lies
        return importlib.import_module("fastpose._openvino")
    except ImportError as error:
        raise DeviceError(
            f"device cpu: the OpenVINO runtime cannot be loaded ({error}); "
            "reinstall fastpose-rig so that it is built against the installed openvino"
        ) from None


def _fake_backend(package: ModelPackage, input_shape: Shape) -> _core.Backend:
    if package.decoder != "heatmap" or package.detector is not None:
        raise DeviceError("device fake: allowed for packages with decoder heatmap and no detector; use cpu")
    return _core.fake_backend(input_shape, _fake_maps(package, input_shape))


def _fake_maps(package: ModelPackage, input_shape: Shape) -> list[npt.NDArray[np.float32]]:
    """Maps with one clear peak per body part, spread over the input; they differ from frame to frame."""
    parts, results = len(package.bodyparts), 16
    height, width = (int(size // package.stride) for size in input_shape[2:])
    if height == 0 or width == 0:
        raise ModelError(
            f"model package '{package.name}': an input of {input_shape[3]}x{input_shape[2]} px has no map"
        )
    heatmap = np.full((results, parts, height, width), -6.0, np.float32)
    for result in range(results):
        for part in range(parts):
            row = (part + 1) * height // (parts + 1)
            heatmap[result, part, row, (result + part) % width] = 6.0
    locref = np.zeros((results, 2 * parts, height, width), np.float32)
    # Every row of a batch finds the same.
    rows = [np.repeat(maps, input_shape[0], axis=0) for maps in (heatmap, locref)]
    return rows[: len(package.outputs)]

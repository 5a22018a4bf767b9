"""Compiles a package's networks for the device that was asked for."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from fastpose import _core
from fastpose.errors import DeviceError, FastposeError, ModelError
from fastpose.model_package import ModelPackage

__all__ = ["Device", "open_backend", "open_detector"]

PRECISIONS = ("auto", "fp32", "bf16")
InputShape = tuple[int, int, int, int]  # N, C, H, W


@dataclass(frozen=True)
class Device:
    """What runs a network.

    Attributes
    ----------
    device : str
        "cpu" or "fake".
    precision : str
        "auto", "fp32" or "bf16".
    threads : int
        0: the runtime's choice.
    placed : bool
        The caller chooses the cores of all threads: the runtime must not move the one that calls it.
    """

    device: str = "cpu"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    threads: int = 0
    placed: bool = False


def open_backend(package: ModelPackage, device: Device, input_shape: InputShape) -> _core.Backend:
    """Compile the package's network.

    Raises
    ------
    DeviceError
        The device or precision is not to be had.
    ModelError
        The network does not take this shape or lacks an output.
    """
    return _open(package, device, package.network, package.outputs, input_shape)


def open_detector(package: ModelPackage, device: Device, input_shape: InputShape) -> _core.Backend:
    """Compile the package's detector; raises as `open_backend` does."""
    assert package.detector is not None
    file = package.folder / package.detector.file
    return _open(package, device, file, package.detector.outputs, input_shape)


def _open(
    package: ModelPackage, device: Device, file: Path, outputs: Sequence[str], input_shape: InputShape
) -> _core.Backend:
    if device.device == "fake":
        if package.decoder != "heatmap" or package.detector is not None:
            raise DeviceError(
                "device fake: allowed for packages with decoder heatmap and no detector; use cpu"
            )
        return _core.fake_backend(input_shape, _fake_maps(package, input_shape))
    if device.device != "cpu":
        raise DeviceError(f"model.device is {device.device!r}; allowed in this version: cpu, fake")
    if device.precision not in PRECISIONS:
        allowed = ", ".join(PRECISIONS)
        raise DeviceError(f"model.precision is {device.precision!r}; allowed on cpu: {allowed}")
    return _openvino_backend(device, file, outputs, input_shape)


def _openvino_backend(
    device: Device, file: Path, outputs: Sequence[str], input_shape: InputShape
) -> _core.Backend:
    try:
        importlib.import_module("openvino")  # loads its libraries from wherever the wheel lies
        from fastpose import _openvino
    except ImportError as error:
        raise DeviceError(
            f"device cpu: the OpenVINO runtime cannot be loaded ({error}); "
            "reinstall fastpose-rig so that it is built against the installed openvino"
        ) from None
    try:
        return _openvino.load(
            str(file),
            input_shape=input_shape,
            outputs=list(outputs),
            precision=device.precision,
            threads=device.threads,
            pinned=False if device.placed else None,
        )
    except FastposeError as error:
        raise type(error)(" ".join(str(error).split())) from None  # OpenVINO tells a page


def _fake_maps(package: ModelPackage, input_shape: InputShape) -> list[npt.NDArray[np.float32]]:
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
    return [heatmap, locref][: len(package.outputs)]

"""Preprocess, network and decode for one model package and one kind of frame."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from fastpose import _core
from fastpose.config import PixelFormat
from fastpose.errors import ConfigError, DeviceError, FastposeError, ModelError
from fastpose.model_package import ModelPackage

__all__ = ["Network", "NetworkOptions", "load_network"]

PRECISIONS = ("auto", "fp32", "bf16")


@dataclass(frozen=True)
class NetworkOptions:
    """How a network runs.

    Attributes
    ----------
    device : str
        "cpu" or "fake".
    precision : str
        "auto", "fp32" or "bf16".
    threads : int
        0: the runtime's choice.
    roi : tuple of int or None
        x, y, width, height of the rectangle it sees, px; None: the full frame.
    input_size : tuple of int or None
        Width and height of its input, px; None: the roi's, rounded up to what the network takes.
    """

    device: str = "cpu"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    threads: int = 0
    roi: tuple[int, int, int, int] | None = None
    input_size: tuple[int, int] | None = None


@dataclass(frozen=True)
class Network:
    """The three stages, planned for one frame size and pixel format."""

    package: ModelPackage
    preprocess: _core.PreprocessStage
    backend: _core.Backend
    decode: _core.DecodeStage
    roi: tuple[int, int, int, int]


def load_network(
    package: ModelPackage, options: NetworkOptions, *, frame_size: tuple[int, int], pixel_format: PixelFormat
) -> Network:
    """Plan the stages and compile the network.

    Parameters
    ----------
    package : ModelPackage
    options : NetworkOptions
    frame_size : tuple of int
        Width and height of the full frame, px.
    pixel_format : PixelFormat

    Raises
    ------
    ConfigError
        The roi does not fit into the frame, or input_size is none that the network takes.
    DeviceError
        The device or precision is not to be had.
    ModelError
        The network is not what model.yaml says.
    """
    if package.decoder not in ("heatmap", "paf") or package.detector is not None:
        raise ModelError(
            f"model package '{package.name}': decoder {package.decoder}"
            f"{' with a detector' if package.detector else ''}; allowed in this version: heatmap, paf, without one"
        )
    roi = options.roi or (0, 0, *frame_size)
    width, height = _input_size(package, options, roi)
    backend = _backend(package, options, (1, package.channels, height, width))
    maps = backend.output_shapes
    _check_maps(package, maps)
    _check_individuals(package)
    scale, offset = (_three(values) for values in (package.normalisation.scale, package.normalisation.offset))
    preprocess = _core.preprocess_stage(
        pixel_format=pixel_format,
        frame_size=frame_size,
        output_size=(width, height),
        roi=roi,
        colour=package.colour,
        scale=scale,
        offset=offset,
    )
    decode = _decode_stage(package, maps[0])
    return Network(package, preprocess, backend, decode, roi)


def _decode_stage(package: ModelPackage, heatmap: Sequence[int]) -> _core.DecodeStage:
    map_size = (heatmap[3], heatmap[2])
    if package.paf is not None:
        return _core.paf_decode_stage(
            shape=(package.count_of_individuals, len(package.bodyparts)),
            map_size=map_size,
            stride=package.stride,
            locref_stdev=package.locref_stdev,
            activation=package.activation,
            **package.paf.model_dump(),
        )
    return _core.heatmap_decode_stage(
        bodyparts=len(package.bodyparts),
        map_size=map_size,
        stride=package.stride,
        locref_stdev=package.locref_stdev,
        activation=package.activation,
    )


def _input_size(
    package: ModelPackage, options: NetworkOptions, roi: tuple[int, int, int, int]
) -> tuple[int, int]:
    multiple = package.padding.multiple
    if options.input_size is None:
        width, height = (-(-size // multiple) * multiple for size in roi[2:])
        return width, height
    if any(size % multiple for size in options.input_size):
        raise ConfigError(
            f"model.input_size is {list(options.input_size)}; allowed: multiples of {multiple} "
            f"(padding.multiple of model package '{package.name}')"
        )
    return options.input_size


def _backend(
    package: ModelPackage, options: NetworkOptions, input_shape: tuple[int, int, int, int]
) -> _core.Backend:
    if options.device == "fake":
        return _core.fake_backend(input_shape, _fake_maps(package, input_shape))
    if options.device != "cpu":
        raise DeviceError(f"model.device is {options.device!r}; allowed in this version: cpu, fake")
    if options.precision not in PRECISIONS:
        allowed = ", ".join(PRECISIONS)
        raise DeviceError(f"model.precision is {options.precision!r}; allowed on cpu: {allowed}")
    return _openvino_backend(package, options, input_shape)


def _openvino_backend(
    package: ModelPackage, options: NetworkOptions, input_shape: tuple[int, int, int, int]
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
            str(package.network),
            input_shape=input_shape,
            outputs=list(package.outputs),
            precision=options.precision,
            threads=options.threads,
        )
    except FastposeError as error:
        raise type(error)(" ".join(str(error).split())) from None  # OpenVINO tells a page


def _check_maps(package: ModelPackage, shapes: Sequence[Sequence[int]]) -> None:
    parts = len(package.bodyparts)
    expected = _channels(package)
    for name, shape, channels in zip(package.outputs, shapes, expected, strict=False):
        if shape[1] != channels:
            raise ModelError(
                f"model package '{package.name}': output {name} has {shape[1]} channels, "
                f"{parts} bodyparts need {channels}; model.yaml and model.onnx do not belong together"
            )


def _channels(package: ModelPackage) -> tuple[int, ...]:
    """Channels of each output: heatmap, locref where there is one, limbs of decoder paf."""
    parts = len(package.bodyparts)
    if package.paf is None:
        return (parts, 2 * parts)[: len(package.outputs)]
    locref = (2 * parts,) if package.locref_stdev > 0 else ()
    return (parts, *locref, 2 * len(package.paf.limbs))


def _check_individuals(package: ModelPackage) -> None:
    if package.count_of_individuals > 1 and package.paf is None:
        raise ModelError(
            f"model package '{package.name}': {package.count_of_individuals} individuals; "
            f"decoder {package.decoder} gives one animal in this version"
        )


def _three(values: tuple[float, ...]) -> tuple[float, float, float]:
    r, g, b = values if len(values) == 3 else values * 3
    return r, g, b


def _fake_maps(
    package: ModelPackage, input_shape: tuple[int, int, int, int]
) -> list[npt.NDArray[np.float32]]:
    """Maps with one clear peak per body part, spread over the input; they differ from frame to frame."""
    parts, results = len(package.bodyparts), 16
    height, width = (int(size // package.stride) for size in input_shape[2:])
    heatmap = np.full((results, parts, height, width), -6.0, np.float32)
    for result in range(results):
        for part in range(parts):
            row = (part + 1) * height // (parts + 1)
            heatmap[result, part, row, (result + part) % width] = 6.0
    locref = np.zeros((results, 2 * parts, height, width), np.float32)
    return [heatmap, locref][: len(package.outputs)]

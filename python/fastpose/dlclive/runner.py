"""Runs the network on frames of one size, or on windows whose size changes with every frame.

Note [changing sizes]: With dynamic cropping nearly every frame has another size. Networks with group
normalisation see the whole window, so padding it to one of a few fixed sizes would change every keypoint;
compiling for each size takes seconds. So the network is compiled once with free height and width, and only
the cheap stages around it are planned per size. At a size that is new the runtime plans its convolutions;
Note [arithmetic on shapes] tells what keeps that cheap. A size that comes again is as fast as a fixed one.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from fastpose import _core
from fastpose.assembly.decoders import make_decoder
from fastpose.cpu import this_cpu
from fastpose.dlclive.free_size import without_shape_arithmetic
from fastpose.errors import DeviceError, ModelError
from fastpose.model import Model
from fastpose.model_forms import Precision, form_of
from fastpose.model_package import ModelPackage

__all__ = ["ChangingSizeRunner", "FixedSizeRunner", "Runner"]

FrameFormat = Literal["mono8", "rgb8", "bgr8"]
DECODERS = ("heatmap", "paf")
"""Of networks that take windows of any size, bottom-up ones of DeepLabCut."""
_OPENVINO_PRECISION = {"fp32": "f32", "bf16": "bf16"}


class Runner(Protocol):
    """From a frame to keypoints."""

    def keypoints(self, frame: npt.NDArray[np.uint8], pixel_format: FrameFormat) -> npt.NDArray[np.float32]:
        """(individuals, K, 3) x, y in px of this frame, likelihood."""
        ...


class FixedSizeRunner:
    """The engine's own pipeline, compiled for each size that comes; meant for one or two of them."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def keypoints(self, frame: npt.NDArray[np.uint8], pixel_format: FrameFormat) -> npt.NDArray[np.float32]:
        return self._model.estimate(frame, pixel_format=pixel_format).keypoints


class ChangingSizeRunner:
    """One network for every size; see Note [changing sizes].

    Parameters
    ----------
    package : ModelPackage
        With decoder heatmap or paf, without a detector.
    precision : str
        "auto", "fp32", "bf16" or "int8"; all but int8 run the package's own network.

    Raises
    ------
    ModelError
        The package has another decoder, or a detector.
    DeviceError
        The runtime or the precision is not to be had.
    """

    def __init__(self, package: ModelPackage, precision: Precision) -> None:
        if package.decoder not in DECODERS or package.detector is not None:
            raise ModelError(
                f"model package '{package.name}': decoder {package.decoder}"
                f"{' with a detector' if package.detector else ''}; dynamic cropping needs decoder "
                f"{' or '.join(DECODERS)} without one; use dynamic=(False, 0.5, 10)"
            )
        self._package = package
        self._shape = (package.count_of_individuals, len(package.bodyparts))
        compiled, self._bytes = _compile(package, precision)
        self._request = compiled.create_infer_request()
        self._stages = lru_cache(maxsize=256)(self._plan)
        self._decoder = lru_cache(maxsize=256)(self._plan_decoder)

    def keypoints(self, frame: npt.NDArray[np.uint8], pixel_format: FrameFormat) -> npt.NDArray[np.float32]:
        frame = _padded(np.ascontiguousarray(frame), self._package)
        stage = self._stages((frame.shape[1], frame.shape[0]), pixel_format)
        self._request.infer({0: stage.run(frame)}, share_inputs=True)
        maps = [self._request.get_tensor(name).data for name in self._package.outputs]
        decoder = self._decoder(tuple(tuple(each.shape) for each in maps))
        return decoder.run(maps, self._shape, tensor_to_sensor=stage.tensor_to_sensor)

    def _plan(self, size: tuple[int, int], pixel_format: FrameFormat) -> _core.Preprocessor:
        package = self._package
        multiple = package.padding.multiple
        width, height = (-(-side // multiple) * multiple for side in size)
        normalisation = package.normalisation
        scale, offset = (normalisation.in_counts(*self._bytes) if self._bytes else normalisation).factors
        return _core.Preprocessor(
            pixel_format,
            size,
            (width, height),
            colour=package.colour,
            scale=scale,
            offset=offset,
            element="u8" if self._bytes else "f32",
            layout="nhwc" if self._bytes else "nchw",
        )

    def _plan_decoder(self, shapes: tuple[tuple[int, ...], ...]) -> _core.DecodeStage:
        return make_decoder(self._package, shapes)


def _compile(package: ModelPackage, precision: Precision) -> tuple[Any, tuple[float, float] | None]:
    """The network for any size, and for one that takes bytes, channels last, their step and zero."""
    file = _file(package, precision)
    try:
        import openvino

        from fastpose import _openvino
    except ImportError as error:
        raise DeviceError(
            f"device cpu: the OpenVINO runtime cannot be loaded ({error}); reinstall openvino"
        ) from None
    core = openvino.Core()
    if precision == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise DeviceError("precision bf16: this CPU has no bf16 instructions; use FP32 or AUTO")
    options: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1}
    if precision in _OPENVINO_PRECISION:
        options["INFERENCE_PRECISION_HINT"] = _OPENVINO_PRECISION[precision]
    try:
        core.add_extension(_openvino.__file__)  # operations of ours in forms that were made faster
        network = core.read_model(str(file))
        counts = _counts(network)
        network.reshape([1, -1, -1, package.channels] if counts else [1, package.channels, -1, -1])
        without_shape_arithmetic(network)
        return core.compile_model(network, "CPU", options), counts
    except RuntimeError as error:
        text = " ".join(str(error).split())
        raise ModelError(
            f"model package '{package.name}' cannot run on windows of changing size: {text}"
        ) from None


def _counts(network: Any) -> tuple[float, float] | None:
    """What a count of the input means, as `fastpose optimize` wrote it; None for an input of float32."""
    if not network.has_rt_info(["fastpose", "input_step"]):
        return None
    names = ("input_step", "input_zero")
    step, zero = (float(network.get_rt_info(["fastpose", name]).astype(str)) for name in names)
    return step, zero


def _file(package: ModelPackage, precision: Precision) -> Path:
    """The form that runs: rewritten ones may be for fixed sizes alone."""
    form = form_of(package, precision, this_cpu())
    return form.file if precision == "int8" else package.network


def _padded(frame: npt.NDArray[np.uint8], package: ModelPackage) -> npt.NDArray[np.uint8]:
    """Mirrored beyond the right and bottom edge up to a size that the network takes, where it wants that."""
    if package.padding.mode != "reflect":
        return frame
    below, right = (-side % package.padding.multiple for side in frame.shape[:2])
    if not below and not right:
        return frame
    return np.pad(frame, [(0, below), (0, right), (0, 0)][: frame.ndim], mode="reflect")

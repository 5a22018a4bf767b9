"""Networks on frames, without a rig: ``load_model(...).estimate(frame)``."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fastpose import _core
from fastpose.assembly.network import Frames, Network, NetworkOptions, TrackRoi, load_batch, load_network
from fastpose.config import PixelFormat
from fastpose.config.model import package_folder
from fastpose.cpu import this_cpu
from fastpose.cuda.forms import gpu_form_of
from fastpose.cuda.frame import Frame, frame_of, no_frame
from fastpose.cuda.gpu import find_gpu, index_of
from fastpose.errors import ConfigError
from fastpose.model_forms import Precision, form_of
from fastpose.model_package import ModelPackage, read_model_package
from fastpose.pose import Pose

__all__ = ["Model", "TrackRoi", "load_model"]

_CHANNELS: dict[int, PixelFormat] = {2: "mono8", 3: "rgb8"}  # dimensions of a frame: its default pixel format


def load_model(
    path: str | os.PathLike[str],
    *,
    device: str = "cpu",
    precision: Precision = "auto",
    threads: int | None = None,
    roi: tuple[int, int, int, int] | None = None,
    input_size: tuple[int, int] | None = None,
    track: TrackRoi | None = None,
    runtime: str = "auto",
    detector_device: Literal["cpu"] | None = None,
) -> Model:
    """Load a model package.

    Parameters
    ----------
    path : path-like
        Folder of the package, or ``builtin:NAME`` for one that fastpose ships.
    device : str
        "cpu", "cuda:0" or "fake": what runs the network; never another than asked for.
    precision : {"auto", "fp32", "fp16", "bf16", "int8"}
        auto: the fastest on this CPU of those that are within their budget, on a GPU fp16 where the package
        has it; int8, and all but fp32 on a GPU, need a package that ``fastpose optimize`` worked on.
    threads : int, optional
        Threads of the network; default: as ``fastpose tune`` found, else the runtime's choice.
    roi : tuple of int, optional
        x, y, width, height of the rectangle that the network sees, px; default: the full frame.
    input_size : tuple of int, optional
        Width and height of the network's input, px; default: the roi's, rounded up to the network's multiple.

    track : TrackRoi, optional
        A smaller roi inside `roi` that follows the animal from frame to frame; default: none.
    runtime : str
        Of a GPU: "tensorrt", "tensorrt-rtx", "torch", or "auto" for the first that runs there.
    detector_device : {"cpu"}, optional
        Beside a GPU: the package's detector runs on the CPU; for detectors of boxes, whose number follows the
        frame. Default: `device`.

    Raises
    ------
    ModelError
        The package is missing, incomplete or was changed, or has no form for this precision.
    DeviceError
        There is no such precision.
    """
    options = NetworkOptions(device, precision, threads or 0, roi, input_size, track, runtime=runtime)
    if detector_device is not None:
        options = replace(options, detector_device=detector_device)
    return Model(read_model_package(package_folder(path)), options)


class Model:
    """A network on one device; compiled for each size and format of frames when the first of them comes.

    Thread-bound.
    """

    def __init__(self, package: ModelPackage, options: NetworkOptions) -> None:
        if options.device == "cpu":
            form_of(package, options.precision, this_cpu())  # what cannot run is said now, not at a frame
        elif options.runs_on.is_cuda:
            gpu_form_of(package, options.precision)
            find_gpu(options.device)
        self._package, self._options = package, options
        self._pipelines: dict[tuple[tuple[int, int], str], tuple[_core.Pipeline, Network]] = {}
        self._description = ""
        self._frame: Frame | None = None

    @property
    def bodyparts(self) -> tuple[str, ...]:
        """Names of the body parts, in the order of the pose."""
        return self._package.bodyparts

    @property
    def package(self) -> ModelPackage:
        """What model.yaml says."""
        return self._package

    @property
    def follows(self) -> bool:
        """Whether the pose of a frame depends on the frames before."""
        return self._options.track is not None

    @property
    def batches(self) -> bool:
        """Whether it takes several frames at once, see `open_batch`."""
        return self._options.runs_on.is_cuda and not self.follows and self._package.detector is None

    @property
    def device(self) -> str:
        """What it runs on, as it was asked for: "cpu", "cuda:0"."""
        return self._options.device

    @property
    def frame(self) -> Frame:
        """The frame of the last `estimate`, on the GPU; raises DeviceError with other devices."""
        if self._frame is None:
            raise no_frame(self._options.device)
        return self._frame

    def open_batch(
        self, size: tuple[int, int], pixel_format: PixelFormat, count: int
    ) -> Callable[[Sequence[npt.NDArray[Any]]], npt.NDArray[np.float32]]:
        """Build the network for `count` frames at once; only where `batches` says so.

        Returns
        -------
        callable
            From `count` frames of this width and height to (count, individuals, K, 3) float32; for one
            thread at a time.
        """
        assert self.batches
        frames = [Frames(size, pixel_format)] * count
        _, networks = load_batch(self._package, self._options, frames)
        found: Callable[[Sequence[npt.NDArray[Any]]], npt.NDArray[np.float32]]
        found = networks[0].graphs[0].graph.estimate
        return found

    def twin(self) -> Model:
        """Another one with the same options, for another thread."""
        return Model(self._package, self._options)

    def estimate(self, frame: npt.NDArray[Any], *, pixel_format: PixelFormat | None = None) -> Pose:
        """Find the keypoints in a frame.

        Parameters
        ----------
        frame : ndarray
            (H, W) uint8 mono8 or (H, W, 3) uint8 rgb8; else as `pixel_format` says.
        pixel_format : str, optional
            "mono8", "rgb8", "bgr8", "bayer_rg8", "bayer_gr8", "bayer_gb8", "bayer_bg8"; "mono10" and "mono12"
            for (H, W) uint16.

        Returns
        -------
        Pose
            In pixels of the frame, likelihood 0-1.

        Raises
        ------
        ConfigError
            The frame's shape or dtype does not fit its pixel format.
        """
        if not isinstance(frame, np.ndarray):
            raise ConfigError(f"frame is a {type(frame).__name__}; allowed: a NumPy array")
        format_ = pixel_format or _CHANNELS.get(frame.ndim, "mono8")
        _check_frame(frame, format_)
        size = (frame.shape[1], frame.shape[0])
        pipeline, network = self._pipeline(size, format_)
        keypoints = pipeline.process(np.ascontiguousarray(frame), pixel_format=format_)
        if len(network.graphs) == 1:  # a roi that follows brings only its own rows to the GPU
            graph, index = network.graphs[0].graph, index_of(self._options.device)
            self._frame = frame_of(graph, format_, size, index)
        return Pose(keypoints, self.bodyparts)

    def _pipeline(self, size: tuple[int, int], pixel_format: PixelFormat) -> tuple[_core.Pipeline, Network]:
        key = (size, pixel_format)
        if key not in self._pipelines:
            network = load_network(self._package, self._options, frame_size=size, pixel_format=pixel_format)
            parts = _core.PipelineParts(
                estimator=network.estimator,
                individuals=self._package.count_of_individuals,
                bodyparts=len(self.bodyparts),
            )
            self._pipelines[key] = (_core.Pipeline(parts), network)
        found = self._pipelines[key]
        self._description = found[1].description
        return found

    def __repr__(self) -> str:
        where = self._description or self._options.device
        return f"Model({self._package.name!r}, bodyparts={len(self.bodyparts)}, {where})"


def _check_frame(frame: npt.NDArray[Any], pixel_format: str) -> None:
    colour, wide = pixel_format in ("rgb8", "bgr8"), pixel_format in ("mono10", "mono12")
    known = colour or wide or pixel_format == "mono8" or pixel_format.startswith("bayer_")
    if not known:
        raise ConfigError(
            f"pixel_format is {pixel_format!r}; allowed: mono8, rgb8, bgr8, "
            "bayer_rg8, bayer_gr8, bayer_gb8, bayer_bg8, mono10, mono12"
        )
    fits = frame.ndim == (3 if colour else 2) and (not colour or frame.shape[2] == 3)
    kind = "uint16" if wide else "uint8"
    if not fits or frame.dtype != np.dtype(kind) or 0 in frame.shape:
        allowed = "(H, W, 3)" if colour else "(H, W)"
        raise ConfigError(
            f"frame has shape {frame.shape} and dtype {frame.dtype}; {pixel_format} needs {allowed} {kind}"
        )

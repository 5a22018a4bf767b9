"""Networks on frames, without a rig: ``load_model(...).estimate(frame)``."""

from __future__ import annotations

import os
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fastpose import _core
from fastpose.assembly.network import NetworkOptions, TrackRoi, load_network
from fastpose.config import PixelFormat
from fastpose.config.model import package_folder
from fastpose.cpu import this_cpu
from fastpose.errors import ConfigError
from fastpose.model_forms import Precision, form_of
from fastpose.model_package import ModelPackage, read_model_package
from fastpose.pose import Pose

__all__ = ["Model", "TrackRoi", "load_model"]

_CHANNELS: dict[int, PixelFormat] = {2: "mono8", 3: "rgb8"}  # dimensions of a frame: its default pixel format


def load_model(
    path: str | os.PathLike[str],
    *,
    device: Literal["cpu", "fake"] = "cpu",
    precision: Precision = "auto",
    threads: int | None = None,
    roi: tuple[int, int, int, int] | None = None,
    input_size: tuple[int, int] | None = None,
    track: TrackRoi | None = None,
) -> Model:
    """Load a model package.

    Parameters
    ----------
    path : path-like
        Folder of the package, or ``builtin:NAME`` for one that fastpose ships.
    device : {"cpu", "fake"}
        What runs the network; never another than asked for.
    precision : {"auto", "fp32", "bf16", "int8"}
        auto: the fastest on this CPU of those that are within their budget; int8 needs a package that
        ``fastpose optimize`` quantised.
    threads : int, optional
        Threads of the network; default: as ``fastpose tune`` found, else the runtime's choice.
    roi : tuple of int, optional
        x, y, width, height of the rectangle that the network sees, px; default: the full frame.
    input_size : tuple of int, optional
        Width and height of the network's input, px; default: the roi's, rounded up to the network's multiple.

    track : TrackRoi, optional
        A smaller roi inside `roi` that follows the animal from frame to frame; default: none.

    Raises
    ------
    ModelError
        The package is missing, incomplete or was changed, or has no form for this precision.
    DeviceError
        There is no such precision.
    """
    options = NetworkOptions(device, precision, threads or 0, roi, input_size, track)
    return Model(read_model_package(package_folder(path)), options)


class Model:
    """A network on one device; compiled for each size and format of frames when the first of them comes.

    Thread-bound.
    """

    def __init__(self, package: ModelPackage, options: NetworkOptions) -> None:
        if options.device == "cpu":
            form_of(package, options.precision, this_cpu())  # what cannot run is said now, not at a frame
        self._package, self._options = package, options
        self._pipelines: dict[tuple[tuple[int, int], str], tuple[_core.Pipeline, str]] = {}
        self._description = ""

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
        pipeline = self._pipeline(size, format_)
        keypoints = pipeline.process(np.ascontiguousarray(frame), pixel_format=format_)
        return Pose(keypoints, self.bodyparts)

    def _pipeline(self, size: tuple[int, int], pixel_format: PixelFormat) -> _core.Pipeline:
        key = (size, pixel_format)
        if key not in self._pipelines:
            network = load_network(self._package, self._options, frame_size=size, pixel_format=pixel_format)
            parts = _core.PipelineParts(
                estimator=network.estimator,
                individuals=self._package.count_of_individuals,
                bodyparts=len(self.bodyparts),
            )
            self._pipelines[key] = (_core.Pipeline(parts), network.description)
        pipeline, self._description = self._pipelines[key]
        return pipeline

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

"""``DLCLive``: the original's class on fastpose's engine."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose.assembly.network import NetworkOptions
from fastpose.dlclive.cropping import Window, dynamic_window, static_window
from fastpose.dlclive.display import Display
from fastpose.dlclive.exceptions import DLCLiveError, DLCLiveWarning
from fastpose.dlclive.runner import ChangingSizeRunner, FixedSizeRunner, FrameFormat, Runner
from fastpose.dlclive.source import package_of, source_config
from fastpose.dlclive.utils import Frame, bgr_to_rgb, checked_frame, gray_to_rgb, resize_frame
from fastpose.errors import ConfigError, DeviceError
from fastpose.model import Model
from fastpose.model_package import ModelPackage, read_model_package

__all__ = ["DLCLive"]

MODEL_TYPES = ("base", "tensorflow", "pytorch", "onnx", "lite", "tflite")
_PRECISIONS = {"FP32": "fp32", "BF16": "bf16", "INT8": "int8", "AUTO": "auto"}


class DLCLive:
    """Finds the pose in single frames.

    Every frame goes through: crop (`cropping`), window around the animal (`dynamic`), `resize`, colour
    conversion, network; then the keypoints back into px of the full frame, then `processor`.

    Parameters
    ----------
    model_path : path-like
        DeepLabCut's exported ``.pt``, a model package, ``builtin:NAME``, or anything else that ``fastpose
        import`` reads. What is no package is imported at its first use and kept, see
        `fastpose.cache.cache_folder`.
    model_type : str
        "base", "tensorflow", "pytorch", "onnx", "lite" or "tflite": accepted for the sake of scripts. What
        the file is decides how it is read, and fastpose's engine runs it.
    precision : str
        "FP32"; beyond the original "BF16", "INT8" (a package that ``fastpose optimize`` quantised) and "AUTO"
        (what is fastest on this CPU; with `dynamic` the package's own network as the runtime likes it).
    tf_config
        Ignored, with a warning: there is no TensorFlow.
    single_animal : bool
        True: poses are (K, 3); False: (individuals found, K, 3).
    device : str, optional
        "cpu"; None and "auto": the best there is in this version, which is the CPU.
    top_down_config : dict, optional
        `bbox_cutoff` (default: the package's) and `max_detections` of top-down networks: crops that run with
        every frame (default: the model's individuals; one with ``single_animal=True``). `skip_frames` is
        ignored with a warning: the detector sees every frame.
    top_down_dynamic : dict, optional
        Refused; see Notes.
    cropping : sequence of int, optional
        x1, x2, y1, y2, px.
    dynamic : tuple
        State, least likelihood, margin in px: from the second frame on, only the window around the keypoints
        that were found on the frame before. For heatmap networks without a detector; refused for others.
    resize : float, optional
        Factor on width and height; sizes are cut to whole px.
    convert2rgb : bool
        Colour frames are BGR, as OpenCV gives them; False: they are RGB already. Grey ones are grey either
        way.
    processor : object, optional
        Has ``process(pose, **kwargs)``; see `fastpose.dlclive.Processor`.
    display : bool or Display
        Show each frame with its keypoints in a window; slow.
    pcutoff, display_radius, display_cmap
        Of the window: least likelihood shown, radius in px, colours.

    Attributes
    ----------
    pose : ndarray or None
        What the last call returned, before the copy that it handed out.
    is_initialized : bool
    dynamic_cropping : list of int or None
        x1, x2, y1, y2 of the last window inside the cropped frame, px.

    Raises
    ------
    ModelError
        The model is missing, damaged or not supported.
    ConfigError
        An argument is out of range.
    DeviceError
        The device or precision is not to be had here.

    Notes
    -----
    DeepLabCut-live 1.1.0 differs from its documentation in these points, where this class does what is
    documented:

    - ``convert2rgb=False`` is honoured; there, it is overridden, and RGB frames get red and blue swapped.
    - `cropping` together with `dynamic`: the window lies around the animal; there, it is off by the crop's
      corner.
    - The window follows the network's own keypoints, never a missing one (NaN) and not what the processor
      made of them.
    - The returned pose is the caller's to change; there, it is the array that steers the next window.
    - Crops of top-down networks are as wide and as high as the box; there, width and height change places,
      which moves keypoints by up to tens of px wherever the two are not the same after rounding.
    - Nothing found by a top-down network is a pose of NaN; there, it is (0, 0) with some likelihood.
    - Networks with part affinity fields give x, y, likelihood like all others; there, identity and affinity
      stand in two more columns.
    - Floats are fine as margin (the command line gives them).
    - `top_down_dynamic` cannot run there and `skip_frames` clips boxes to 3 px; the roi tracking of
      fastpose's own configs is the way to follow one animal with a fixed window.
    """

    PARAMETERS = ("path", "cfg", "model_type", "precision", "cropping", "dynamic", "resize", "processor")

    def __init__(
        self,
        model_path: str | os.PathLike[str],
        model_type: str = "base",
        precision: str = "FP32",
        tf_config: Any = None,
        single_animal: bool = True,
        device: str | None = None,
        top_down_config: dict[str, Any] | None = None,
        top_down_dynamic: dict[str, Any] | None = None,
        cropping: Sequence[int] | None = None,
        dynamic: tuple[bool, float, float] = (False, 0.5, 10),
        resize: float | None = None,
        convert2rgb: bool = True,
        processor: Any = None,
        display: bool | Display = False,
        pcutoff: float = 0.5,
        display_radius: int = 3,
        display_cmap: str = "bmy",
    ) -> None:
        _check_model_type(model_type)
        if tf_config is not None:
            warnings.warn(
                "tf_config changes nothing: there is no TensorFlow here", DLCLiveWarning, stacklevel=2
            )
        if resize is not None and not resize > 0:
            raise ConfigError(f"resize is {resize}; allowed: a factor above 0, or None")
        self.path = Path(model_path)
        self.model_type, self._precision = model_type, precision
        self.cropping, self.dynamic, self.resize = cropping, dynamic, resize
        self.dynamic_cropping: list[int] | None = None
        self.processor, self.convert2rgb, self.single_animal = processor, convert2rgb, single_animal
        self.pose: Any = None
        self.is_initialized = False
        static_window(cropping)
        self._top_down = _TopDown(top_down_config, top_down_dynamic)
        self._package = package_of(model_path)
        self._cfg: dict[str, Any] | None = None
        self._network_pose: npt.NDArray[np.float32] | None = None
        self._runner: Runner | None = self._open(device)
        shown = display if isinstance(display, Display) else None
        self.display = shown or (Display(display_cmap, display_radius, pcutoff) if display else None)

    @property
    def cfg(self) -> dict[str, Any]:
        """The config that came with the model."""
        if self._cfg is None:
            self._cfg = self.read_config()
        return self._cfg

    @property
    def precision(self) -> str:
        """As it was asked for."""
        return self._precision

    @property
    def parameterization(self) -> dict[str, Any]:
        """The arguments, by name."""
        return {name: getattr(self, name) for name in self.PARAMETERS}

    def read_config(self) -> dict[str, Any]:
        """Read the config that came with the model: DeepLabCut's own, or what the package says of itself."""
        self._cfg = source_config(self._package)
        return self._cfg

    def process_frame(self, frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Return the frame as the network sees it: cropped, resized, RGB.

        Parameters
        ----------
        frame : ndarray
            (H, W) grey or (H, W, 3) uint8, BGR unless `convert2rgb` is False.
        """
        seen, pixel_format = self._prepare(frame)
        return _as_rgb(seen, pixel_format)

    def init_inference(self, frame: npt.NDArray[np.uint8] | None = None, **kwargs: Any) -> Any:
        """Find the pose in the first frame, which takes longer: the network is compiled for its size.

        Parameters and result as for `get_pose`. Whatever an earlier frame said is forgotten.
        """
        self._network_pose = None
        pose = self._pose_in(frame, "initialize inference", kwargs)
        self.is_initialized = True
        return pose

    def get_pose(self, frame: npt.NDArray[np.uint8] | None = None, **kwargs: Any) -> Any:
        """Find the pose in a frame.

        Parameters
        ----------
        frame : ndarray
            (H, W) grey or (H, W, 3) uint8, BGR unless `convert2rgb` is False.
        **kwargs
            For the processor.

        Returns
        -------
        ndarray
            (K, 3), or (individuals, K, 3) with ``single_animal=False``: float32 x, y in px of the full frame,
            likelihood; or what the processor made of it.

        Raises
        ------
        DLCLiveError
            No frame, or `close` was called.
        ConfigError
            The frame's shape or dtype is none of these.
        """
        return self._pose_in(frame, "get a pose", kwargs)

    def close(self) -> None:
        """Give back the network and the window."""
        self.is_initialized = False
        self._runner = None
        if self.display is not None:
            self.display.destroy()

    def _open(self, device: str | None) -> Runner:
        if device not in (None, "auto", "cpu", "fake"):
            raise DeviceError(f"device is {device!r}; allowed in this version: cpu, auto")
        if self._precision.upper() not in _PRECISIONS:
            allowed = ", ".join(_PRECISIONS)
            raise DeviceError(f"precision is {self._precision!r}; allowed on cpu: {allowed}")
        precision: Any = _PRECISIONS[self._precision.upper()]
        package = self._top_down.applied_to(read_model_package(self._package), self.single_animal)
        if self.dynamic[0] and device != "fake":
            return ChangingSizeRunner(package, precision)
        return FixedSizeRunner(
            Model(package, NetworkOptions("fake" if device == "fake" else "cpu", precision))
        )

    def _pose_in(self, frame: npt.NDArray[np.uint8] | None, to_do: str, kwargs: dict[str, Any]) -> Any:
        if frame is None:
            raise DLCLiveError(f"no frame to {to_do} with; give one")
        if self._runner is None:
            raise DLCLiveError(f"cannot {to_do}: close() was called; make a new DLCLive")
        seen, pixel_format = self._prepare(frame)
        pose = self._shaped(self._runner.keypoints(seen, pixel_format))
        if self.display is not None:
            self.display.display_frame(_as_rgb(seen, pixel_format), pose)
        self._to_full_frame(pose)
        self._network_pose = pose
        self.pose = pose.copy()
        if self.processor is not None:
            self.pose = self.processor.process(self.pose, **kwargs)
        return self.pose.copy() if isinstance(self.pose, np.ndarray) else self.pose

    def _prepare(self, frame: npt.NDArray[np.uint8]) -> tuple[Frame, FrameFormat]:
        seen = _cut(checked_frame(frame), static_window(self.cropping), "cropping")
        window = dynamic_window(self._pose_in_crop(), self.dynamic, (seen.shape[1], seen.shape[0]))
        self.dynamic_cropping = list(window) if window else None
        seen = resize_frame(_cut(seen, window, "dynamic"), self.resize)
        if seen.ndim == 2:
            return seen, "mono8"
        return seen, "bgr8" if self.convert2rgb else "rgb8"

    def _pose_in_crop(self) -> npt.NDArray[np.float32] | None:
        """The network's last pose in px of the cropped frame."""
        if self._network_pose is None or not self.cropping:
            return self._network_pose
        pose: npt.NDArray[np.float32] = self._network_pose.copy()
        pose[..., 0] -= self.cropping[0]
        pose[..., 1] -= self.cropping[2]
        return pose

    def _shaped(self, keypoints: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        if self.single_animal:
            first: npt.NDArray[np.float32] = keypoints[0].copy()
            return first
        found = np.any(np.all(np.isfinite(keypoints), axis=2), axis=1)
        several: npt.NDArray[np.float32] = keypoints[found][: self._top_down.max_detections].copy()
        return several

    def _to_full_frame(self, pose: npt.NDArray[np.float32]) -> None:
        if self.resize is not None:
            pose[..., :2] *= 1 / self.resize
        for corner in (self.cropping, self.dynamic_cropping):
            if corner:
                pose[..., 0] += corner[0]
                pose[..., 1] += corner[2]


class _TopDown:
    """The arguments for top-down networks."""

    def __init__(self, config: dict[str, Any] | None, dynamic: dict[str, Any] | None) -> None:
        if dynamic is not None:
            raise ConfigError(
                "top_down_dynamic is not supported; follow one animal with dynamic=(True, 0.5, 50), or with "
                "model.roi of a fastpose config"
            )
        config = dict(config or {})
        if config.pop("skip_frames", None) is not None:
            warnings.warn(
                "skip_frames changes nothing: the detector sees every frame", DLCLiveWarning, stacklevel=4
            )
        config.pop("crop_size", None)  # the package knows it
        self.min_score: float | None = config.pop("bbox_cutoff", None)
        self.max_detections: int | None = config.pop("max_detections", None)
        if config:
            raise ConfigError(
                f"top_down_config has {sorted(config)}; allowed: bbox_cutoff, max_detections, skip_frames"
            )

    def applied_to(self, package: ModelPackage, single_animal: bool) -> ModelPackage:
        """The package with these in place of its own."""
        if package.detector is None:
            return package
        changes: dict[str, Any] = {}
        if self.min_score is not None:
            changes["detector"] = package.detector.model_copy(update={"min_score": float(self.min_score)})
        count = 1 if single_animal else self.max_detections
        if count is not None:
            changes["individuals"] = tuple(f"individual_{number}" for number in range(count))
        return package.model_copy(update=changes)


def _check_model_type(model_type: str) -> None:
    if model_type == "tensorrt":
        raise DeviceError(f"model_type is 'tensorrt'; allowed in this version: {', '.join(MODEL_TYPES)}")
    if model_type not in MODEL_TYPES:
        raise ConfigError(f"model_type is {model_type!r}; allowed: {', '.join(MODEL_TYPES)}")


def _cut(frame: Frame, window: Window | None, what: str) -> Frame:
    if window is None:
        return frame
    x1, x2, y1, y2 = window
    found = frame[y1:y2, x1:x2]
    if not found.size:
        raise ConfigError(
            f"{what} is {list(window)}: outside of a frame of {frame.shape[1]}x{frame.shape[0]} px; "
            "allowed: [x1, x2, y1, y2] that overlaps it"
        )
    return found


def _as_rgb(frame: Frame, pixel_format: FrameFormat) -> Frame:
    if pixel_format == "mono8":
        return gray_to_rgb(frame)
    return bgr_to_rgb(frame) if pixel_format == "bgr8" else frame

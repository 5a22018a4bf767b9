"""The networks of a session: which camera's frames go through which, and which of them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fastpose import _core
from fastpose import config as cfg
from fastpose.arming import require_parity
from fastpose.assembly.network import (
    Frames,
    Network,
    NetworkOptions,
    TrackRoi,
    load_batch,
    load_network,
    why_no_batch,
)
from fastpose.cuda.forms import require_gpu_budget
from fastpose.cuda.gpu import is_cuda
from fastpose.drivers import CameraSource
from fastpose.model_package import ModelPackage, read_model_package

__all__ = ["Networks", "open_networks"]


@dataclass
class Networks:
    """What runs on the frames of each camera.

    Attributes
    ----------
    by_camera : dict of Network
        For each camera that a network sees, in the config's order.
    acting : str or None
        The camera that the protocol belongs to, or the first; None without a network.
    set : tuple of str
        Cameras whose frames go through one loop together, in their order; empty where each has its own.
    batch : Batch or None
        One network for all cameras of the set.
    why_no_batch : str
        Why one network for several cameras of the set sees them one after the other; empty: it does not.
    """

    by_camera: dict[str, Network] = field(default_factory=dict)
    acting: str | None = None
    set: tuple[str, ...] = ()
    batch: _core.Batch | None = None
    why_no_batch: str = ""

    @property
    def first(self) -> Network | None:
        """That of the acting camera; None without a network."""
        return None if self.acting is None else self.by_camera[self.acting]

    @property
    def description(self) -> str:
        """What runs, in words; empty without a network."""
        told: dict[str, list[str]] = {}
        for camera, network in self.by_camera.items():
            told.setdefault(self._told(camera, network), []).append(camera)
        if len(self.by_camera) == 1:
            return next(iter(told))
        return "; ".join(f"{', '.join(cameras)}: {text}" for text, cameras in told.items())

    def _told(self, camera: str, network: Network) -> str:
        in_batch = self.batch is not None and camera in self.set
        return f"{network.runs[0].part}, {network.description}" if in_batch else network.description

    @property
    def hint(self) -> str:
        """How they may become faster; empty where nothing is known."""
        return next((network.hint for network in self.by_camera.values() if network.hint), "")

    @property
    def notes(self) -> list[str]:
        """What stood in the way, a line each."""
        told = {note for network in self.by_camera.values() for note in network.notes}
        if self.why_no_batch:
            told.add(f"cameras {', '.join(self.set)} are not one batch: {self.why_no_batch}")
        return sorted(told)


def open_networks(config: cfg.Config, cameras: Sequence[CameraSource], *, placed: bool = False) -> Networks:
    """Load the config's networks for the frames of their cameras.

    With `placed` the engine chooses the cores of all threads, and the networks' runtime leaves them there.

    Raises
    ------
    ConfigError, ModelError, DeviceError
        One of them cannot run here.
    """
    frames = {camera.name: Frames(camera.frame_size, camera.pixel_format) for camera in cameras}
    in_set = tuple(name for name in config.analysed if name in config.synchronised)
    networks = Networks(acting=config.acting_camera, set=in_set if len(in_set) > 1 else ())
    alone = not placed and len(config.analysed) == 1
    for model in config.networks.values():
        _open(model, {name: frames[name] for name in model.seen}, networks, alone=alone)
    networks.by_camera = {name: networks.by_camera[name] for name in config.analysed}
    return networks


def _open(model: cfg.Model, frames: Mapping[str, Frames], networks: Networks, *, alone: bool) -> None:
    """Load one network for each of its cameras, or for all at once where they are the whole set."""
    package = read_model_package(model.folder)
    if not model.accept_parity:
        require_parity(package, model.precision if model.device == "cpu" else "fp32")
        if is_cuda(model.device):
            require_gpu_budget(package, model.precision)
    options = _options(model, alone=alone)
    if _open_batch(package, options, frames, networks):
        return
    for name, each in frames.items():
        networks.by_camera[name] = load_network(
            package, options, frame_size=each.size, pixel_format=each.pixel_format
        )


def _open_batch(
    package: ModelPackage, options: NetworkOptions, frames: Mapping[str, Frames], networks: Networks
) -> bool:
    """Load it for all at once; False where it cannot be, or they are not the set."""
    if len(frames) < 2 or set(frames) != set(networks.set):
        return False
    in_order = [frames[name] for name in networks.set]
    networks.why_no_batch = why_no_batch(package, options, in_order)
    if networks.why_no_batch:
        return False
    networks.batch, rows = load_batch(package, options, in_order)
    networks.by_camera |= dict(zip(networks.set, rows, strict=True))
    return True


def _options(spec: cfg.Model, *, alone: bool) -> NetworkOptions:
    tracked = spec.roi if isinstance(spec.roi, cfg.TrackedRoi) else None
    fixed = tracked.within if tracked else spec.roi
    roi = (fixed.x, fixed.y, fixed.width, fixed.height) if isinstance(fixed, cfg.Rectangle) else None
    track = _track(tracked) if tracked else None
    return NetworkOptions(
        spec.device,
        spec.precision,
        spec.threads or 0,
        roi,
        spec.input_size,
        track,
        alone=alone,
        runtime=spec.runtime,
        detector_device=spec.detector_device or "",
    )


def _track(roi: cfg.TrackedRoi) -> TrackRoi:
    return TrackRoi(roi.size, roi.margin_px, roi.min_likelihood, roi.step_px)

"""Puts the engine together: cameras, network, rules and outputs of one config."""

from __future__ import annotations

from collections.abc import Sequence

from fastpose import _core
from fastpose import config as cfg
from fastpose.arming import require_parity
from fastpose.assembly.behaviour import Lines, make_filter, make_identity, make_protocol, make_rules
from fastpose.assembly.network import Network, NetworkOptions, TrackRoi, load_network
from fastpose.assembly.session_folder import Names, SessionFolder
from fastpose.drivers import CameraSource
from fastpose.errors import ConfigError
from fastpose.model_package import ModelPackage, read_model_package

__all__ = ["loop_camera", "make_engine", "open_network"]


def loop_camera(config: cfg.Config, cameras: Sequence[CameraSource]) -> CameraSource | None:
    """The camera that the network sees; None without a network."""
    networks = list(config.networks.values())
    wanted = networks[0].camera if networks else None
    return next((camera for camera in cameras if camera.name == wanted), None)


def open_network(config: cfg.Config, camera: CameraSource | None, *, placed: bool = False) -> Network | None:
    """Load the config's network for the frames of its camera; None where there is none.

    With `placed` the engine chooses the cores of all threads, and the network's runtime leaves them there.

    Raises
    ------
    ConfigError, ModelError, DeviceError
        It cannot run here.
    """
    networks = list(config.networks.values())
    if len(networks) > 1:
        raise ConfigError(f"models has {len(networks)} networks; allowed in this version: one")
    if not networks or camera is None:
        return None
    spec = networks[0]
    package = read_model_package(spec.folder)
    if not spec.accept_parity:
        require_parity(package, spec.precision if spec.device == "cpu" else "fp32")
    return load_network(
        package,
        _options(spec, placed=placed),
        frame_size=camera.frame_size,
        pixel_format=camera.pixel_format,
    )


def _options(spec: cfg.Model, *, placed: bool) -> NetworkOptions:
    tracked = spec.roi if isinstance(spec.roi, cfg.TrackedRoi) else None
    fixed = tracked.within if tracked else spec.roi
    roi = (fixed.x, fixed.y, fixed.width, fixed.height) if isinstance(fixed, cfg.Rectangle) else None
    track = _track(tracked) if tracked else None
    return NetworkOptions(
        spec.device, spec.precision, spec.threads or 0, roi, spec.input_size, track, alone=not placed
    )


def make_engine(
    config: cfg.Config,
    cameras: Sequence[CameraSource],
    network: Network | None,
    lines: Lines,
    folder: SessionFolder,
    *,
    realtime: _core.RealtimeRequest,
    pose_feed: bool,
) -> _core.Engine:
    """The engine, not armed yet; every camera has its ring by now."""
    names, loop = _names(config, network), loop_camera(config, cameras)
    index = list(cameras).index(loop) if loop is not None else 0
    return _core.Engine(
        cameras=[_part(camera, folder, names) for camera in cameras],
        pipeline=_pipeline(config, network, lines) if network is not None else None,
        loop_camera=index,
        interlock=lines.interlock,
        pose_log=folder.pose_log(cameras[index].name, names),
        event_log=folder.event_log(names),
        pose_feed=pose_feed,
        realtime=realtime,
    )


def _names(config: cfg.Config, network: Network | None) -> Names:
    if network is None:
        return Names(config)
    package = network.package
    return Names(config, package.bodyparts, package.individuals, package.unique_bodyparts)


def _part(camera: CameraSource, folder: SessionFolder, names: Names) -> _core.CameraPart:
    assert camera.ring is not None
    log = folder.frame_log(camera.name, names)
    return _core.CameraPart(
        name=camera.name, ring=camera.ring, driver=camera.driver, log=log, reconnect=_reconnects(camera)
    )


def _reconnects(camera: CameraSource) -> bool:
    return bool(getattr(camera.spec, "reconnect", False))


def _identity(config: cfg.Config, package: ModelPackage) -> _core.Identity | None:
    (model,) = config.networks.values()
    return make_identity(model.identity, package)


def _pipeline(config: cfg.Config, network: Network, lines: Lines) -> _core.PipelineParts:
    package = network.package
    shape = (package.count_of_individuals, len(package.bodyparts))
    return _core.PipelineParts(
        estimator=network.estimator,
        identity=_identity(config, package),
        filter=make_filter(config.filter, shape),
        rules=make_rules(config, package),
        protocol=make_protocol(config, package.bodyparts),
        interlock=lines.interlock,
        individuals=shape[0],
        bodyparts=shape[1],
    )


def _track(roi: cfg.TrackedRoi) -> TrackRoi:
    return TrackRoi(roi.size, roi.margin_px, roi.min_likelihood, roi.step_px)

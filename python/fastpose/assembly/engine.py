"""Puts the engine together: cameras, networks, rules and outputs of one config."""

from __future__ import annotations

from collections.abc import Sequence

from fastpose import _core
from fastpose import config as cfg
from fastpose.assembly.behaviour import Lines, make_filter, make_identity, make_protocol, make_rules
from fastpose.assembly.network import Network
from fastpose.assembly.networks import Networks
from fastpose.assembly.session_folder import Names, SessionFolder
from fastpose.drivers import CameraSource
from fastpose.errors import ConfigError

__all__ = ["make_engine"]

PATIENT_MS = 1000.0  # for the rest of a set, where the sources wait as well


def make_engine(
    config: cfg.Config,
    cameras: Sequence[CameraSource],
    networks: Networks,
    lines: Lines,
    folder: SessionFolder,
    *,
    realtime: _core.RealtimeRequest,
    pose_feed: bool,
    hold_frames: bool = False,
) -> _core.Engine:
    """The engine, not armed yet; every camera has its ring by now."""
    names = [camera.name for camera in cameras]
    return _core.Engine(
        cameras=[_part(config, camera, networks, lines, folder) for camera in cameras],
        set=_set(config, cameras, networks),
        acting_camera=names.index(networks.acting) if networks.acting else 0,
        interlock=lines.interlock,
        event_log=folder.event_log(Names(config)),
        pose_feed=pose_feed,
        hold_frames=hold_frames,
        realtime=realtime,
    )


def _part(
    config: cfg.Config, camera: CameraSource, networks: Networks, lines: Lines, folder: SessionFolder
) -> _core.CameraPart:
    assert camera.ring is not None
    network = networks.by_camera.get(camera.name)
    names = _names(config, network)
    pipeline = _pipeline(config, camera, network, networks, lines) if network else None
    return _core.CameraPart(
        name=camera.name,
        ring=camera.ring,
        driver=camera.driver,
        log=folder.frame_log(camera.name, names),
        pipeline=pipeline,
        pose_log=folder.pose_log(camera.name, names),
        rate_hz=camera.rate_hz or 0.0,
        follower=_follows(camera),
        reconnect=bool(getattr(camera.spec, "reconnect", False)),
    )


def _follows(camera: CameraSource) -> bool:
    """It exposes when an edge says so: it is armed before the cameras that may make the edges."""
    trigger = getattr(camera.spec, "camera_trigger", None)
    return trigger is not None and trigger.source == "external_edge"


def _set(config: cfg.Config, cameras: Sequence[CameraSource], networks: Networks) -> _core.SetPart:
    if config.synchronise is None or not networks.set:
        return _core.SetPart(cameras=[])
    index = {camera.name: place for place, camera in enumerate(cameras)}
    spec = config.synchronise
    period_ms = _period_ms(spec, [camera for camera in cameras if camera.name in networks.set])
    return _core.SetPart(
        cameras=[index[name] for name in networks.set],
        by=spec.by,
        tolerance_ms=spec.tolerance_ms or period_ms / 4,
        wait_ms=spec.wait_ms or _wait_ms(cameras[index[networks.set[0]]], period_ms),
        batch=networks.batch,
        reads_all=len(config.seen_by_protocol) > 1,
    )


def _wait_ms(camera: CameraSource, period_ms: float) -> float:
    return PATIENT_MS if camera.spec.frames == "every" else period_ms / 2


def _period_ms(spec: cfg.Synchronise, cameras: Sequence[CameraSource]) -> float:
    """Of the fastest camera; 0 where no rate is known and none is needed."""
    rate_hz = max(camera.rate_hz or 0.0 for camera in cameras)
    needed = spec.wait_ms is None or (spec.by == "time" and spec.tolerance_ms is None)
    if not rate_hz and needed:
        names = ", ".join(camera.name for camera in cameras)
        raise ConfigError(
            f"synchronise: the rate of cameras {names} is not known; give wait_ms, and with by: time "
            "tolerance_ms"
        )
    return 1000 / rate_hz if rate_hz else 0.0


def _names(config: cfg.Config, network: Network | None) -> Names:
    if network is None:
        return Names(config)
    package = network.package
    return Names(config, package.bodyparts, package.individuals, package.unique_bodyparts)


def _pipeline(
    config: cfg.Config, camera: CameraSource, network: Network, networks: Networks, lines: Lines
) -> _core.PipelineParts:
    assert camera.ring is not None
    package, model = network.package, config.analysed[camera.name]
    shape = (package.count_of_individuals, len(package.bodyparts))
    rules, all_rules = config.rules_of(camera.name), list(config.rules)
    acts = camera.name == networks.acting
    return _core.PipelineParts(
        estimator=network.estimator,
        identity=make_identity(model.identity, package),
        filter=make_filter(config.filter, shape),
        rules=make_rules(config, rules, package, frame_size=(camera.ring.width, camera.ring.height)),
        rule_ids=[all_rules.index(name) for name in rules],
        protocol=make_protocol(config, _rules_seen(config), package.bodyparts) if acts else None,
        interlock=lines.interlock if acts else None,
        individuals=shape[0],
        bodyparts=shape[1],
    )


def _rules_seen(config: cfg.Config) -> list[str]:
    """The rules that the protocol sees, in the engine's order: see Note [One protocol] of set_pipeline.h."""
    return [name for camera in config.seen_by_protocol for name in config.rules_of(camera)]

"""Checks of what several cameras have to do with each other: who sees which, triggers, synchronised sets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fastpose.config.camera import SimCamera
from fastpose.config.cross_states import native_protocols
from fastpose.config.model import Model
from fastpose.config.problems import Problem, no_such
from fastpose.config.protocol import CythonProtocol, PythonProtocol

if TYPE_CHECKING:
    from fastpose.config.root import Config

Networks = list[tuple[str, Model]]  # path in the config, section


def cameras_of_networks(config: Config, networks: Networks) -> Iterator[Problem]:
    """Yield networks that see no camera, one that is not there, or one that another network sees."""
    seen_by: dict[str, str] = {}
    for path, model in networks:
        if model.camera and model.cameras:
            yield Problem(f"{path}.cameras", "given beside camera; allowed: one of camera, cameras")
        elif not model.seen:
            allowed = ", ".join(config.cameras)
            yield Problem(f"{path}.camera", f"missing; allowed: {allowed}; or cameras with several of them")
        for camera in model.seen:
            key = "camera" if model.camera else "cameras"
            if camera not in config.cameras:
                yield Problem(f"{path}.{key}", no_such("camera", camera, config.cameras))
            elif camera in seen_by:
                yield Problem(
                    f"{path}.{key}",
                    f"camera {camera!r} is seen by {seen_by[camera]} already; allowed: one network a camera",
                )
            seen_by[camera] = path


def cameras_of_rules(config: Config) -> Iterator[Problem]:
    """Yield rules that do not say which camera they look at, where there is a choice."""
    for name, rule in config.rules.items():
        yield from _choice(config, f"rules.{name}.camera", rule.camera)


def camera_of_protocol(config: Config) -> Iterator[Problem]:
    """Yield a protocol whose camera is not clear; that of a conditional one is its rule's."""
    if isinstance(config.protocol, (CythonProtocol, PythonProtocol, *native_protocols)):
        yield from _choice(config, "protocol.camera", config.protocol.camera)


def _choice(config: Config, path: str, camera: str | None) -> Iterator[Problem]:
    analysed = list(config.analysed)
    if camera is None and len(analysed) > 1:
        yield Problem(path, f"missing; allowed: {', '.join(analysed)}, the cameras that a network sees")
    elif camera is not None and camera in config.cameras and analysed and camera not in analysed:
        yield Problem(path, f"camera {camera!r} is only recorded; allowed: {', '.join(analysed)}")
    elif camera is not None and camera not in config.cameras:
        yield Problem(path, no_such("camera", camera, config.cameras))


def triggers(config: Config) -> Iterator[Problem]:
    """Yield simulated cameras whose wire nobody drives, or drives at another rate."""
    sims = {name: camera for name, camera in config.cameras.items() if isinstance(camera, SimCamera)}
    drivers: dict[str, str] = {}
    for name, camera in sims.items():
        line = camera.camera_trigger.line
        if line is None or camera.camera_trigger.source != "internal":
            continue
        if line in drivers:
            yield Problem(
                f"cameras.{name}.camera_trigger.line", f"{line!r} is driven by {drivers[line]!r} already"
            )
        drivers[line] = name
    for name, camera in sims.items():
        if camera.camera_trigger.source == "external_edge":
            yield from _driven(f"cameras.{name}", camera, sims, drivers)


def _driven(
    path: str, camera: SimCamera, sims: dict[str, SimCamera], drivers: dict[str, str]
) -> Iterator[Problem]:
    line = camera.camera_trigger.line
    driver = drivers.get(line or "")
    if driver is None:
        yield Problem(
            f"{path}.camera_trigger.line",
            f"no sim camera drives {line!r}; give one camera_trigger: {{source: internal, line: {line}}}",
        )
    elif sims[driver].rate_hz != camera.rate_hz:
        yield Problem(
            f"{path}.rate_hz", f"{camera.rate_hz:g}; allowed: {sims[driver].rate_hz:g}, that of {driver!r}"
        )


def synchronised(config: Config) -> Iterator[Problem]:
    """Yield what cannot be matched."""
    if config.synchronise is None:
        return
    path, named = "synchronise.cameras", config.synchronise.cameras
    for camera in named:
        if camera not in config.cameras:
            yield Problem(path, no_such("camera", camera, config.cameras))
    cameras = {name: config.cameras[name] for name in config.synchronised if name in config.cameras}
    if not named and len(cameras) < 2:
        yield Problem(path, f"there is one camera, {next(iter(cameras))}; allowed: two or more")
    rates = {name: rate for name, camera in cameras.items() if (rate := getattr(camera, "rate_hz", None))}
    if len(set(rates.values())) > 1:
        told = ", ".join(f"{name} {rate:g}" for name, rate in rates.items())
        yield Problem("synchronise", f"rate_hz differs ({told}); allowed: cameras of one rate")
    policies = {
        name: getattr(camera, "frames", "newest")
        for name, camera in cameras.items()
        if name in config.analysed
    }
    if len(set(policies.values())) > 1:
        told = ", ".join(f"{name} {policy}" for name, policy in policies.items())
        yield Problem("synchronise", f"frames differs ({told}); allowed: the same for all with a network")
    yield from _matching(config, rates, every="every" in policies.values())


def _matching(config: Config, rates: dict[str, float], *, every: bool) -> Iterator[Problem]:
    assert config.synchronise is not None
    period_ms = 1000 / max(rates.values()) if rates else None
    tolerance_ms, wait_ms = config.synchronise.tolerance_ms, config.synchronise.wait_ms
    if period_ms is not None and tolerance_ms is not None and tolerance_ms >= period_ms / 2:
        text = f"{tolerance_ms:g}; allowed: less than half the period, {period_ms / 2:g}"
        yield Problem("synchronise.tolerance_ms", text)
    if period_ms is not None and wait_ms is not None and wait_ms > period_ms and not every:
        yield Problem("synchronise.wait_ms", f"{wait_ms:g}; allowed: at most the period, {period_ms:g}")
    for name in config.synchronised if config.synchronise.by == "counter" else ():
        if getattr(config.cameras.get(name), "reconnect", False):
            yield Problem(
                "synchronise.by",
                f"counter with cameras.{name}.reconnect: true, after which its count is another; "
                "allowed: time, or reconnect: false",
            )

"""Checks that span sections: names that refer to each other, and what must fit into a frame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fastpose.config.action import misfits
from fastpose.config.camera import SimCamera
from fastpose.config.cross_cameras import (
    camera_of_protocol,
    cameras_of_networks,
    cameras_of_rules,
    synchronised,
    triggers,
)
from fastpose.config.cross_rules import calibrated_cameras, composites, crossings, rules_and_zones
from fastpose.config.cross_states import problems_of_experiment
from fastpose.config.model import Model, TrackedRoi
from fastpose.config.output import PylonOutput
from fastpose.config.problems import Problem, ProblemsError, no_such
from fastpose.config.protocol import ConditionalProtocol, NoProtocol
from fastpose.config.pylon import PylonCamera
from fastpose.config.real_camera import RealCamera
from fastpose.config.sim_led import lights_of_cameras
from fastpose.config.types import Rectangle

if TYPE_CHECKING:
    from fastpose.config.root import Config
    from fastpose.config.zone import Zone


def check_references(config: Config) -> None:
    """Raise ProblemsError with everything that does not fit together."""
    problems = [
        *_networks(config),
        *rules_and_zones(config),
        *composites(config),
        *calibrated_cameras(config),
        *_protocol(config),
        *problems_of_experiment(config),
        *_lines_of_cameras(config),
        *_exclusions(config),
        *cameras_of_rules(config),
        *camera_of_protocol(config),
        *triggers(config),
        *lights_of_cameras(config),
        *synchronised(config),
        *(
            problem
            for camera, size in known_sizes(config).items()
            for problem in outside_frame(config, camera, size)
        ),
    ]
    if problems:
        raise ProblemsError(problems)


def known_sizes(config: Config) -> dict[str, tuple[int, int]]:
    """Return width and height, px, of the cameras whose size the config itself says."""
    return {
        name: camera.size
        for name, camera in config.cameras.items()
        if isinstance(camera, (SimCamera, RealCamera)) and camera.size is not None
    }


def network_paths(config: Config) -> Iterator[tuple[str, Model]]:
    """Yield each network with its path in the config."""
    if config.model is not None:
        yield "model", config.model
    for name, model in config.models.items():
        yield f"models.{name}", model


def outside_frame(config: Config, camera: str, size: tuple[int, int]) -> Iterator[Problem]:
    """Yield the zones and rois that do not lie on frames of this camera, whose size is given in px."""
    for path, model in network_paths(config):
        if camera not in model.seen:
            continue
        yield from _roi(path, model, camera, size)
        for name, zone in _zones_seen(config, camera).items():
            for x, y in zone.points_outside(*size, config.calibration_of_camera(camera))[:1]:
                yield Problem(
                    f"zones.{name}",
                    f"({x:g}, {y:g}) is outside the frame of camera {camera!r}; "
                    f"allowed: x from 0 to {size[0]}, y from 0 to {size[1]}",
                )
        yield from crossings(config, camera, size)


def _zones_seen(config: Config, camera: str) -> dict[str, Zone]:
    """The zones that lie on this camera's frames: with several cameras those that its rules name."""
    if len(config.analysed) == 1:
        return config.zones
    named = {getattr(rule, "zone", None) for rule in config.rules_of(camera).values()}
    return {name: zone for name, zone in config.zones.items() if name in named}


def _roi(path: str, model: Model, camera: str, size: tuple[int, int]) -> Iterator[Problem]:
    tracked = model.roi if isinstance(model.roi, TrackedRoi) else None
    roi = tracked.within if tracked else model.roi
    name = f"{path}.roi.within" if tracked else f"{path}.roi"
    if isinstance(roi, Rectangle) and (roi.x + roi.width > size[0] or roi.y + roi.height > size[1]):
        yield Problem(
            name,
            f"{roi.width}x{roi.height} px at ({roi.x}, {roi.y}) goes beyond the frame of camera {camera!r}; "
            f"allowed: within {size[0]}x{size[1]} px",
        )
    searched = (roi.width, roi.height) if isinstance(roi, Rectangle) else size
    if tracked is not None:
        yield from _size_of_tracked(path, tracked, searched)


def _size_of_tracked(path: str, roi: TrackedRoi, searched: tuple[int, int]) -> Iterator[Problem]:
    if roi.size[0] > searched[0] or roi.size[1] > searched[1]:
        yield Problem(
            f"{path}.roi.size",
            f"{roi.size[0]}x{roi.size[1]} px; allowed: at most the {searched[0]}x{searched[1]} px searched",
        )
    if 2 * roi.margin_px >= min(roi.size):
        yield Problem(f"{path}.roi.margin_px", f"{roi.margin_px}; allowed: less than half of size")


def _networks(config: Config) -> Iterator[Problem]:
    networks = list(network_paths(config))
    if config.model is not None and config.models:
        yield Problem("models", "given beside model; allowed: one of model, models")
        return  # what follows from it helps nobody
    yield from cameras_of_networks(config, networks)
    if not networks and (config.rules or not isinstance(config.protocol, NoProtocol)):
        yield Problem("model", "missing; rules and protocols need a network")


def _lines_of_cameras(config: Config) -> Iterator[Problem]:
    """An output that is a line of a camera needs that camera, and the line for itself."""
    taken: dict[tuple[str, str], str] = {
        (name, camera.exposure_active_line): f"cameras.{name}.exposure_active_line"
        for name, camera in config.cameras.items()
        if isinstance(camera, PylonCamera) and camera.exposure_active_line is not None
    }
    of_pylon = [name for name, camera in config.cameras.items() if isinstance(camera, PylonCamera)]
    for name, output in config.outputs.items():
        if not isinstance(output, PylonOutput):
            continue
        if output.camera not in of_pylon:
            yield Problem(f"outputs.{name}.camera", no_such("Basler camera", output.camera, of_pylon))
        owner = taken.setdefault((output.camera, output.line), f"outputs.{name}")
        if owner != f"outputs.{name}":
            yield Problem(f"outputs.{name}.line", f"{output.line} is {owner}'s; allowed: another line")


def _exclusions(config: Config) -> Iterator[Problem]:
    for name, output in config.outputs.items():
        for index, other in enumerate(output.not_with):
            path = f"outputs.{name}.not_with[{index}]"
            others = [each for each in config.outputs if each != name]
            if other not in others:
                yield Problem(path, no_such("other output", other, others))
            elif "high" in (output.safe, config.outputs[other].safe):
                yield Problem(path, f"{other!r}; allowed: only between outputs with safe: low")


def _protocol(config: Config) -> Iterator[Problem]:
    protocol = config.protocol
    if not isinstance(protocol, ConditionalProtocol):
        return
    if protocol.when not in config.rules:
        yield Problem("protocol.when", no_such("rule", protocol.when, config.rules))
    for name, action in protocol.do.items():
        output = config.outputs.get(name)
        if output is None:
            yield Problem(f"protocol.do.{name}", no_such("output", name, config.outputs))
            continue
        for key, text in misfits(action, output):
            yield Problem(f"protocol.do.{name}.{key}", text)

"""Checks of what rules have to do with zones, with each other, and with calibrations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fastpose.config.problems import Problem, no_such
from fastpose.config.rule import LineCrossingRule, ZoneRule

if TYPE_CHECKING:
    from fastpose.config.root import Config
    from fastpose.config.rule import Rule


def rules_and_zones(config: Config) -> Iterator[Problem]:
    """Yield rules whose zone is not there or has another unit, and units that no calibration gives."""
    for name, rule in config.rules.items():
        path = f"rules.{name}"
        if isinstance(rule, ZoneRule):
            if rule.zone not in config.zones:
                yield Problem(f"{path}.zone", no_such("zone", rule.zone, config.zones))
                continue
            yield from _hysteresis(path, rule, config.zones[rule.zone].units)
        if config.unit_of(rule) == "mm" and config.calibration_of(rule) is None:
            yield Problem(
                path,
                "is in mm, and its camera has no calibration; give calibration: with px_per_mm, homography "
                "or points, or use px",
            )


def calibrated_cameras(config: Config) -> Iterator[Problem]:
    """Yield calibrations of cameras that are not there, and one for several cameras."""
    for camera in config.calibrations:
        if camera not in config.cameras:
            yield Problem(f"calibrations.{camera}", no_such("camera", camera, config.cameras))
    if config.calibration is not None and config.calibrations:
        yield Problem("calibrations", "given beside calibration; allowed: one of calibration, calibrations")
    elif config.calibration is not None and len(config.analysed) > 1:
        yield Problem(
            "calibration",
            f"there are networks on {', '.join(config.analysed)}; allowed: calibrations: {{camera: ...}}",
        )


def _hysteresis(path: str, rule: ZoneRule, units: str) -> Iterator[Problem]:
    other = "mm" if units == "px" else "px"
    if getattr(rule, f"hysteresis_{other}"):
        yield Problem(
            f"{path}.hysteresis_{other}",
            f"zone {rule.zone!r} is in {units}; allowed: hysteresis_{units}",
        )


def composites(config: Config) -> Iterator[Problem]:
    """Yield rules of rules that are not there, that look at another camera, or that go in a circle."""
    for name, rule in config.rules.items():
        for other in rule.names_of_rules():
            yield from _named(config, name, rule, other)
    for name in config.rules:
        circle = _circle(config, name)
        if circle:
            yield Problem(
                f"rules.{name}", f"goes in a circle: {' -> '.join(circle)}; allowed: rules that end somewhere"
            )
            return


def _named(config: Config, name: str, rule: Rule, other: str) -> Iterator[Problem]:
    path = f"rules.{name}.{'rules' if hasattr(rule, 'rules') else 'rule'}"
    if other not in config.rules:
        yield Problem(path, no_such("rule", other, [known for known in config.rules if known != name]))
    elif config.camera_of(config.rules[other]) != config.camera_of(rule):
        yield Problem(path, f"{other!r} looks at another camera; allowed: rules of the same camera")


def _circle(config: Config, start: str) -> list[str]:
    """Return the way from a rule back to itself; empty: there is none."""
    ways = [[start]]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        rule = config.rules.get(way[-1])
        for other in rule.names_of_rules() if rule else ():
            if other == start:
                return [*way, other]
            if other not in seen:
                seen.add(other)
                ways.append([*way, other])
    return []


def crossings(config: Config, camera: str, size: tuple[int, int]) -> Iterator[Problem]:
    """Yield lines whose both ends lie outside the frames of this camera, whose size is given in px."""
    for name, rule in config.rules_of(camera).items():
        if not isinstance(rule, LineCrossingRule):
            continue
        calibration = config.calibration_of(rule)
        ends = [calibration.to_px(end) if calibration and rule.units == "mm" else end for end in rule.line]
        if all(not (-0.5 <= x <= size[0] and -0.5 <= y <= size[1]) for x, y in ends):
            yield Problem(
                f"rules.{name}.line",
                f"both ends are outside the frame of camera {camera!r}; allowed: x from 0 to {size[0]}, "
                f"y from 0 to {size[1]}",
            )

"""What the rules of one camera are made from: its zones, calibration, body parts and animals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from fastpose import _core
from fastpose import config as cfg
from fastpose.errors import ConfigError
from fastpose.model_package import ModelPackage

__all__ = ["Room", "make_room"]

WHITE = 128  # grey level from which a pixel of a mask belongs to the zone

Point = tuple[float, float]


@dataclass(frozen=True)
class Room:
    """Turns names of the config into what the engine knows.

    Attributes
    ----------
    config : Config
    names : tuple of str
        The camera's rules, in their order.
    package : ModelPackage
    frame_size : tuple of int or None
        Width, height; px.
    """

    config: cfg.Config
    names: tuple[str, ...]
    package: ModelPackage
    frame_size: tuple[int, int] | None
    zones: Mapping[str, _core.Zone]
    calibration: _core.Calibration | None

    def gate(self, rule: cfg.PoseRule, individual: int | str | None = None) -> _core.Gate:
        """Return the gate of a rule; its places are px, or mm where the rule's are."""
        asked = rule.individual if individual is None else individual
        return _core.Gate(
            (self.package.count_of_individuals, len(self.package.bodyparts)),
            min_likelihood=rule.min_likelihood,
            individual=self.individual(asked),
            unique_bodyparts=len(self.package.unique_bodyparts),
            calibration=self.calibration if self.unit(rule) == "mm" else None,
        )

    def unit(self, rule: Any) -> str:
        """Return px or mm."""
        return self.config.unit_of(rule)

    def calibrated(self, rule: cfg.PoseRule, px: Point) -> Point:
        """Return a place of the frame in the rule's unit."""
        if self.unit(rule) == "px":
            return px
        assert self.calibration is not None
        return self.calibration.to_mm(*px)

    def hysteresis(self, rule: Any) -> float:
        """Return the hysteresis of a border, in the rule's unit."""
        value: float = getattr(rule, f"hysteresis_{self.unit(rule)}")
        return value

    def zone(self, name: str) -> _core.Zone:
        """Return a zone by its name."""
        if name not in self.zones:
            raise ConfigError(f"zone is {name!r}, which is no zone of this camera")
        return self.zones[name]

    def rules(self, rule: Any) -> list[int]:
        """Return the numbers of the rules that a rule is made of."""
        return [self.names.index(name) for name in rule.names_of_rules()]

    def individual(self, asked: int | str) -> int | str:
        """Return the index of an individual; any and all stay."""
        try:
            return self.package.index_of_individual(asked)
        except ConfigError as error:
            raise ConfigError(f"individual: {error}") from None

    def bodypart(self, rule: cfg.PoseRule, name: str) -> int:
        """Return the index of a body part of the rule's individual."""
        return self.bodyparts(rule, [name])[0]

    def bodyparts(self, rule: cfg.PoseRule, names: Sequence[str]) -> list[int]:
        """Return the indices of body parts of the rule's individual."""
        self._require_bodyparts(self.individual(rule.individual), names)
        return [self.index_of_bodypart(name) for name in names]

    def index_of_bodypart(self, name: str) -> int:
        """Return the index of a body part."""
        if name not in self.package.bodyparts:
            allowed = ", ".join(self.package.bodyparts)
            raise ConfigError(f"bodyparts: no body part {name!r}; allowed: {allowed}")
        return self.package.bodyparts.index(name)

    def target(self, to: cfg.Target) -> dict[str, Any]:
        """Return a target's arguments."""
        if to.bodypart is None:
            return {"point": to.point}
        special = to.individual in ("other", "self")
        return {
            "to_bodypart": self.index_of_bodypart(to.bodypart),
            "to_individual": to.individual
            if special
            else self.one_individual(to.individual, "to.individual"),
        }

    def one_individual(self, asked: int | str, key: str) -> int:
        """Return the index of one individual."""
        index = self.individual(asked)
        if not isinstance(index, int):
            raise ConfigError(f"{key} is {asked}; allowed: one of {', '.join(self.package.individuals)}")
        return index

    def _require_bodyparts(self, individual: int | str, names: Sequence[str]) -> None:
        """The last individual has the unique body parts alone; every animal can be compared with them."""
        unique = self.package.unique_bodyparts
        if not unique or individual != self.package.count_of_individuals - 1:
            return
        strangers = [name for name in names if name not in unique]
        if strangers:
            raise ConfigError(
                f"individual is {self.package.individuals[-1]!r}, which has no {strangers[0]!r}; allowed "
                f"body parts: {', '.join(unique)}; or give an animal"
            )


def make_room(
    config: cfg.Config,
    rules: Mapping[str, cfg.Rule],
    package: ModelPackage,
    frame_size: tuple[int, int] | None,
) -> Room:
    """Return the room of the rules of one camera; raises ConfigError for a mask that does not fit."""
    calibration = next((found for rule in rules.values() if (found := config.calibration_of(rule))), None)
    named = {rule.zone for rule in rules.values() if isinstance(rule, cfg.ZoneRule)}
    return Room(
        config=config,
        names=tuple(rules),
        package=package,
        frame_size=frame_size,
        zones={name: _zone(name, config.zones[name], frame_size) for name in sorted(named)},
        calibration=_core.Calibration([x for row in calibration.matrix for x in row])
        if calibration
        else None,
    )


def _zone(name: str, zone: cfg.Zone, frame_size: tuple[int, int] | None) -> _core.Zone:
    if zone.polygon is not None:
        return _core.polygon_zone(list(zone.polygon))
    if zone.circle is not None:
        return _core.circle_zone(center=zone.circle.center, radius_px=zone.circle.size)
    if zone.square is not None:
        square = zone.square
        return _core.square_zone(center=square.center, side_px=square.size, angle_deg=square.angle_deg)
    if zone.ellipse is not None:
        ellipse = zone.ellipse
        return _core.ellipse_zone(
            center=ellipse.center, half_axes_px=ellipse.size, angle_deg=ellipse.angle_deg
        )
    if zone.rectangle is not None:
        return _core.rectangle_zone(**zone.rectangle.model_dump())
    assert zone.mask is not None
    return _mask(name, zone.mask, frame_size)


def _mask(name: str, path: Path, frame_size: tuple[int, int] | None) -> _core.Zone:
    try:
        with Image.open(path) as image:
            grey = np.asarray(image.convert("L"))
    except (OSError, UnidentifiedImageError) as error:
        raise ConfigError(f"zones.{name}.mask: {str(path)!r} is no image that can be read: {error}") from None
    if frame_size is not None and grey.shape != frame_size[::-1]:
        width, height = frame_size
        raise ConfigError(
            f"zones.{name}.mask is {grey.shape[1]}x{grey.shape[0]} px; allowed: the frame's {width}x{height}"
        )
    return _core.mask_zone((grey >= WHITE).astype(np.uint8))

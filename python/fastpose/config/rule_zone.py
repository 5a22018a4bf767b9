"""Rules on zones and lines."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from fastpose.config.rule_parts import BodyPartPair, BodyParts, Degrees, Limit, PoseRule, Units
from fastpose.config.types import NonNegativeFloat, Point, PositiveFloat, Text


class ZoneRule(PoseRule):
    """A rule that names a zone; its unit is the zone's."""

    zone: Text
    """Name of one of the zones."""
    hysteresis_px: NonNegativeFloat = 0.0
    """The border moves outwards by this while the rule is true."""
    hysteresis_mm: NonNegativeFloat = 0.0
    """The same, of a zone in mm."""


class _PartsInZone(ZoneRule):
    bodyparts: BodyParts
    which: Literal["any", "all"] = "any"
    """How many of the body parts it takes."""


class InZoneRule(_PartsInZone):
    """True while the body parts are in the zone."""

    type: Literal["in_zone"]


class OutsideZoneRule(_PartsInZone):
    """True while the body parts are outside the zone."""

    type: Literal["outside_zone"]


class ZoneEntryRule(_PartsInZone):
    """True in the frame in which the body parts have come into the zone; min_duration_ms: and stayed."""

    type: Literal["zone_entry"]


class ZoneExitRule(_PartsInZone):
    """True in the frame in which the body parts, after min_duration_ms in the zone, have left it."""

    type: Literal["zone_exit"]


class DwellRule(_PartsInZone):
    """The time that the body parts were in the zone is more than a limit."""

    type: Literal["dwell"]
    above_ms: PositiveFloat
    within_ms: PositiveFloat | None = None
    """Of the last so much time all visits count; null: the present visit."""
    hysteresis_ms: NonNegativeFloat = 0.0

    @property
    def limit(self) -> Limit:
        """The limit of the time."""
        return Limit(self.above_ms, None, self.hysteresis_ms, "ms")

    @model_validator(mode="after")
    def _fits_into_the_window(self) -> Self:
        if self.within_ms is not None and self.above_ms >= self.within_ms:
            raise ValueError(
                f"above_ms is {self.above_ms:g}; allowed: less than within_ms, {self.within_ms:g}"
            )
        return self


class HeadInZoneRule(ZoneRule):
    """Body parts are in the zone and the same animal's head points to a place."""

    type: Literal["head_in_zone"]
    zone_bodyparts: BodyParts
    which: Literal["any", "all"] = "any"
    """How many of zone_bodyparts it takes."""
    bodyparts: BodyPartPair
    """From, to: the head's direction."""
    point: Point
    """That it points to, in the zone's unit."""
    below_deg: Annotated[Degrees, Field(gt=0)]
    hysteresis_deg: NonNegativeFloat = 0.0

    @property
    def limit(self) -> Limit:
        """The limit of the angle."""
        return Limit(None, self.below_deg, self.hysteresis_deg, "deg")

    def names_of_bodyparts(self) -> dict[str, tuple[str, ...]]:
        """Return every body part that the rule reads, by its key."""
        return {"zone_bodyparts": self.zone_bodyparts, **super().names_of_bodyparts()}


class LineCrossingRule(PoseRule):
    """True in the frame in which a body part has crossed a line.

    A body part that is missing crosses nothing.
    """

    type: Literal["line_crossing"]
    one_frame: ClassVar[bool] = True
    line: tuple[Point, Point]
    """Its two ends."""
    bodypart: Text
    side: Literal["left", "right", "both"] = "both"
    """That it goes to, for who looks along the line from its first end to its second."""
    hysteresis_px: NonNegativeFloat = 0.0
    """It has crossed when it is farther than this behind the line."""
    hysteresis_mm: NonNegativeFloat = 0.0
    """The same, with units: mm."""
    max_gap_ms: PositiveFloat = 500.0
    """A position that is older is no start of a crossing."""
    units: Units = "px"
    """Of the line's ends."""

    @model_validator(mode="after")
    def _line_with_a_length(self) -> Self:
        if self.line[0] == self.line[1]:
            raise ValueError("both ends of the line are one place; allowed: two places")
        other = "mm" if self.units == "px" else "px"
        if getattr(self, f"hysteresis_{other}"):
            raise ValueError(
                f"hysteresis_{other} given with units: {self.units}; allowed: hysteresis_{self.units}"
            )
        return self

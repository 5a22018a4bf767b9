"""Rules: conditions on poses with their hysteresis and timing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from typing_extensions import Self

from fastpose.config.types import (
    NUMBER,
    Fraction,
    NonNegativeFloat,
    NonNegativeInt,
    Point,
    PositiveFloat,
    Section,
    Text,
    no_repeats,
)


def _word(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value  # YAML reads a bare false as a boolean


BodyParts = Annotated[tuple[Text, ...], Field(min_length=1), AfterValidator(no_repeats)]
BodyPartPair = Annotated[tuple[Text, Text], AfterValidator(no_repeats)]
Degrees = Annotated[float, Field(ge=0, le=180), NUMBER]


class _Rule(Section):
    type: str
    min_likelihood: Fraction = 0.6
    """Keypoints below count as missing."""
    min_duration_ms: NonNegativeFloat = 0.0
    """The condition must hold this long before the rule becomes true."""
    refractory_ms: NonNegativeFloat = 0.0
    """After the rule became false it stays false at least this long."""
    missing: Annotated[Literal["hold", "false", "true"], BeforeValidator(_word)] = "hold"
    """What a missing keypoint means for the condition; hold: what it was."""
    individual: NonNegativeInt | Text = "any"
    """Name or index of the animal, any, or all."""
    camera: Text | None = None
    """Camera whose poses it looks at; null: the only one that a network sees."""

    def names_of_bodyparts(self) -> tuple[str, ...]:
        """Return every body part that the rule reads."""
        bodypart: str | None = getattr(self, "bodypart", None)
        bodyparts: tuple[str, ...] = getattr(self, "bodyparts", ())
        return bodyparts if bodypart is None else (bodypart, *bodyparts)

    def _exactly_one_of(self, *names: str) -> None:
        given = [name for name in names if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"{' and '.join(given) or 'neither'} given; allowed: exactly one of {', '.join(names)}"
            )


class _ZoneRule(_Rule):
    zone: Text
    """Name of one of the zones."""
    bodyparts: BodyParts
    which: Literal["any", "all"] = "any"
    """How many of the body parts it takes."""
    hysteresis_px: NonNegativeFloat = 0.0
    """The border moves outwards by this while the rule is true."""


class InZoneRule(_ZoneRule):
    """True while the body parts are in the zone."""

    type: Literal["in_zone"]


class OutsideZoneRule(_ZoneRule):
    """True while the body parts are outside the zone."""

    type: Literal["outside_zone"]


class SpeedRule(_Rule):
    """Speed of a body part over a window of time."""

    type: Literal["speed"]
    bodypart: Text
    above_px_s: NonNegativeFloat | None = None
    below_px_s: PositiveFloat | None = None
    window_ms: PositiveFloat = 50.0
    hysteresis_px_s: NonNegativeFloat = 0.0

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        self._exactly_one_of("above_px_s", "below_px_s")
        return self


class DistanceRule(_Rule):
    """Distance between two body parts."""

    type: Literal["distance"]
    bodyparts: BodyPartPair
    above_px: NonNegativeFloat | None = None
    below_px: PositiveFloat | None = None
    hysteresis_px: NonNegativeFloat = 0.0

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        self._exactly_one_of("above_px", "below_px")
        return self


class AngleRule(_Rule):
    """An angle, 0-180 degrees.

    Three body parts [a, b, c]: the angle at b. Two [from, to] with a point: between the heading from -> to
    and the direction from `to` to the point. Two with heading_deg: between the heading and that one.
    """

    type: Literal["angle"]
    bodyparts: Annotated[tuple[Text, ...], Field(min_length=2, max_length=3), AfterValidator(no_repeats)]
    point: Point | None = None
    """Target in the arena, px."""
    heading_deg: Annotated[float, Field(ge=-360, le=360), NUMBER] | None = None
    """Target heading: 0 points right, 90 down."""
    above_deg: Degrees | None = None
    below_deg: Degrees | None = None
    hysteresis_deg: NonNegativeFloat = 0.0

    @model_validator(mode="after")
    def _one_bound_and_one_target(self) -> Self:
        self._exactly_one_of("above_deg", "below_deg")
        if len(self.bodyparts) == 2:
            self._exactly_one_of("point", "heading_deg")
        elif self.point is not None or self.heading_deg is not None:
            raise ValueError(
                "point and heading_deg go with two bodyparts; three give the angle at the second"
            )
        return self


Rule = Annotated[
    InZoneRule | OutsideZoneRule | SpeedRule | DistanceRule | AngleRule,
    Field(discriminator="type"),
]

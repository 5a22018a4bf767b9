"""Rules on where body parts are to each other: distances, angles, the body's shape, other animals."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator
from typing_extensions import Self

from fastpose.config.rule_parts import (
    BodyPartPair,
    BodyPartTriple,
    DegreesRule,
    HighSpeedRule,
    LengthRule,
    ShortLengthRule,
    WindowMs,
)
from fastpose.config.types import NUMBER, NonNegativeInt, Point, Section, Size, Text, no_repeats


class DistanceRule(LengthRule):
    """Distance between two body parts of one animal."""

    type: Literal["distance"]
    bodyparts: BodyPartPair


class BodyLengthRule(LengthRule):
    """The way along body parts, from the first to the last."""

    type: Literal["body_length"]
    bodyparts: Annotated[tuple[Text, ...], Field(min_length=2), AfterValidator(no_repeats)]


class PostureRule(ShortLengthRule):
    """Root mean square distance of body parts from a template that is laid over them."""

    type: Literal["posture"]
    bodyparts: Annotated[tuple[Text, ...], Field(min_length=3), AfterValidator(no_repeats)]
    template: tuple[Point, ...]
    """A place for each body part, in the limit's unit; only their places to each other count."""
    turn: bool = True
    """Whether the template is turned as the animal is."""
    scale: bool = False
    """Whether the template is brought to the animal's size."""

    @model_validator(mode="after")
    def _a_place_each(self) -> Self:
        if len(self.template) != len(self.bodyparts):
            raise ValueError(
                f"template has {len(self.template)} places for {len(self.bodyparts)} bodyparts; "
                "allowed: one each"
            )
        if len(set(self.template)) < 2:
            raise ValueError("the template's places are all one; allowed: a shape")
        return self


class Target(Section):
    """What a body part comes near to: a body part of somebody, or a point."""

    bodypart: Text | None = None
    individual: NonNegativeInt | Text = "other"
    """Name or index of an animal, other (any other one), or self."""
    point: Point | None = None
    """In the limit's unit."""

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.bodypart is None) == (self.point is None):
            given = "neither" if self.point is None else "bodypart and point"
            raise ValueError(f"{given} given; allowed: exactly one of bodypart, point")
        return self


def _with_target(names: dict[str, tuple[str, ...]], to: Target) -> dict[str, tuple[str, ...]]:
    return names if to.bodypart is None else {**names, "to.bodypart": (to.bodypart,)}


class ContactRule(ShortLengthRule):
    """A body part is near to another animal's, to one of its own, or to a point."""

    type: Literal["contact"]
    bodypart: Text
    to: Target

    def names_of_bodyparts(self) -> dict[str, tuple[str, ...]]:
        """Return every body part that the rule reads, by its key."""
        return _with_target(super().names_of_bodyparts(), self.to)


class _MovingRule(HighSpeedRule):
    bodypart: Text
    to: Target
    window_ms: WindowMs = 200.0

    def names_of_bodyparts(self) -> dict[str, tuple[str, ...]]:
        """Return every body part that the rule reads, by its key."""
        return _with_target(super().names_of_bodyparts(), self.to)


class ApproachRule(_MovingRule):
    """The distance to the target falls faster than a limit."""

    type: Literal["approach"]


class RetreatRule(_MovingRule):
    """The distance to the target rises faster than a limit."""

    type: Literal["retreat"]


class AngleRule(DegreesRule):
    """An angle, 0-180 degrees.

    Three body parts [a, b, c]: the angle at b. Two [from, to] with a point: between the heading from -> to
    and the direction from `to` to the point. Two with heading_deg: between the heading and that one.
    """

    type: Literal["angle"]
    bodyparts: Annotated[tuple[Text, ...], Field(min_length=2, max_length=3), AfterValidator(no_repeats)]
    point: Point | None = None
    """Target in the arena, in `units`."""
    heading_deg: Annotated[float, Field(ge=-360, le=360), NUMBER] | None = None
    """Target heading: 0 points right, 90 down."""

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if len(self.bodyparts) == 2:
            self._exactly_one_of("point", "heading_deg")
        elif self.point is not None or self.heading_deg is not None:
            raise ValueError(
                "point and heading_deg go with two bodyparts; three give the angle at the second"
            )
        return self


class EgocentricRule(DegreesRule):
    """The head is turned to a side, as the animal has it: [back, neck, nose], seen from above."""

    type: Literal["egocentric"]
    bodyparts: BodyPartTriple
    side: Literal["left", "right", "both"] = "both"


class FacingEdgeRule(DegreesRule):
    """The head points to the middle of an edge of the frame, where a screen may stand."""

    type: Literal["facing_edge"]
    bodyparts: BodyPartPair
    """From, to: the head's direction."""
    edge: Literal["north", "east", "south", "west"]
    """Upper, right, lower or left edge of the frame."""
    size: Size | None = None
    """Width and height of the frame, px; null: the camera's."""

"""Rules on motion: speed, standing still, acceleration, turning."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from fastpose.config.rule_parts import (
    AnyAccelerationRule,
    BodyParts,
    DegreesPerSecondRule,
    LimitedRule,
    LowSpeedRule,
    WindowMs,
)
from fastpose.config.types import NonNegativeFloat, PositiveFloat, Text, no_repeats


class SpeedRule(LimitedRule):
    """Speed of a body part over a window of time."""

    limit_units = ("px_s", "mm_s")
    type: Literal["speed"]
    bodypart: Text
    above_px_s: NonNegativeFloat | None = None
    below_px_s: PositiveFloat | None = None
    window_ms: WindowMs = 50.0
    hysteresis_px_s: NonNegativeFloat = 0.0
    above_mm_s: NonNegativeFloat | None = None
    below_mm_s: PositiveFloat | None = None
    hysteresis_mm_s: NonNegativeFloat = 0.0


class FreezingRule(LowSpeedRule):
    """Body parts hardly move, by default for a second."""

    type: Literal["freezing"]
    bodyparts: BodyParts
    which: Literal["any", "all"] = "all"
    """How many of the body parts it takes."""
    window_ms: WindowMs = 200.0
    min_duration_ms: NonNegativeFloat = 1000.0
    """It must last this long before the rule becomes true."""


class AccelerationRule(AnyAccelerationRule):
    """Acceleration of a body part over a window of time."""

    type: Literal["acceleration"]
    bodypart: Text
    change: Literal["any", "faster", "slower"] = "any"
    """any: also a change of direction counts; faster, slower: of the speed alone."""
    window_ms: WindowMs = 100.0


class AngularVelocityRule(DegreesPerSecondRule):
    """Rate of turning: of the heading from -> to, or of three body parts [a, b, c] of the angle at b."""

    type: Literal["angular_velocity"]
    bodyparts: Annotated[tuple[Text, ...], Field(min_length=2, max_length=3), AfterValidator(no_repeats)]
    side: Literal["left", "right", "both"] = "both"
    """That it turns to, in the frame as it is seen."""
    window_ms: WindowMs = 100.0

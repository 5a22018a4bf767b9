"""Which animal is which, from frame to frame."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fastpose.config.types import Fraction, NonNegativeFloat, PositiveFloat, Section


class NoIdentity(Section):
    """Individuals in the order in which the network finds them."""

    type: Literal["none"]


class MotionIdentity(Section):
    """Constant velocity and similarity of key points; the best assignment of detections to animals."""

    type: Literal["motion"] = "motion"
    min_likelihood: Fraction = 0.1
    """Keypoints below are not compared."""
    max_gap_ms: NonNegativeFloat = 2000.0
    """An animal lost for longer may turn up anywhere."""
    velocity_window_ms: PositiveFloat = 50.0
    """Time constant of the mean velocity that predicts."""
    tolerance: PositiveFloat = 0.3
    """Body sizes that a keypoint may lie off its prediction."""


Identity = Annotated[NoIdentity | MotionIdentity, Field(discriminator="type")]

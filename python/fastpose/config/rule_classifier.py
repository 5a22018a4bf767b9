"""Rules that ask a classifier: an ONNX model over a window of features of the pose."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator
from typing_extensions import Self

from fastpose.config.rule_parts import BodyParts, BodyPartTriple, PoseRule, Units
from fastpose.config.types import (
    NUMBER,
    ConfigPath,
    Fraction,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    Section,
    Text,
    no_repeats,
)

_KINDS = ("positions", "likelihoods", "egocentric", "distance", "angle", "speed")


class Feature(Section):
    """Numbers that a classifier is given of each frame; exactly one of its kinds."""

    positions: BodyParts | None = None
    """x, y of each."""
    likelihoods: BodyParts | None = None
    egocentric: Annotated[tuple[Text, ...], Field(min_length=3), AfterValidator(no_repeats)] | None = None
    """[origin, ahead, others ...]: x, y of the others where origin is 0, 0 and the x axis points ahead."""
    distance: tuple[Text, Text] | None = None
    angle: BodyPartTriple | None = None
    """At the second body part, 0-180 degrees."""
    speed: Text | None = None
    """Way since the frame before, per second."""
    between: tuple[NonNegativeInt | Text, NonNegativeInt | Text] | None = None
    """Names or indices of the two animals that `distance` is between; null: within each animal."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [kind for kind in _KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(
                f"{' and '.join(given) or 'nothing'} given; allowed: exactly one of {', '.join(_KINDS)}"
            )
        if self.between is not None and self.distance is None:
            raise ValueError(f"between given beside {given[0]}; allowed: beside distance")
        if self.distance is not None and self.between is None and len(set(self.distance)) == 1:
            raise ValueError(f"{self.distance[0]!r} stands twice; allowed: two body parts, or between")
        return self

    @property
    def kind(self) -> str:
        """Which one it is."""
        return next(kind for kind in _KINDS if getattr(self, kind) is not None)

    @property
    def bodyparts(self) -> tuple[str, ...]:
        """The body parts that it is made of."""
        named: str | tuple[str, ...] = getattr(self, self.kind)
        return (named,) if isinstance(named, str) else named


class ClassifierRule(PoseRule):
    """A classifier says so: an ONNX model that the loop runs, over a window of frames up to this one."""

    type: Literal["classifier"]
    model: ConfigPath
    """An ONNX file that takes one row of numbers and gives a score for each class."""
    features: Annotated[tuple[Feature, ...], Field(min_length=1)]
    """In the order of the training; of several animals, all of the first, then all of the next."""
    individuals: tuple[NonNegativeInt | Text, ...] | None = None
    """Names or indices of the animals that the features are of; null: all of them."""
    individual: Literal["any"] = "any"
    """Not for classifiers: see individuals."""
    window_frames: Annotated[int, Field(ge=1, le=1024), NUMBER] = 1
    """Frames that one answer is about."""
    window: Literal["stack", "mean", "mean_std"] = "stack"
    """What the model is given of them: all, oldest first; their mean; means, then standard deviations."""
    class_index: NonNegativeInt = 1
    """Which of the model's classes."""
    above: Fraction | None = None
    """The class' score must be more; null: it must be the highest of all."""
    hysteresis: NonNegativeFloat = 0.0
    hold_ms: NonNegativeFloat = 100.0
    """So long a missing keypoint counts as where it was last seen."""
    max_gap_ms: PositiveFloat = 200.0
    """The window begins anew after a time without frames that is longer."""
    units: Units = "px"
    """Of positions, distances and speeds."""
    budget_ms: PositiveFloat = 2.0
    """What an answer may cost the loop (p99, measured before arming), or the config is refused."""

    @model_validator(mode="after")
    def _releasable(self) -> Self:
        if self.hysteresis and (self.above is None or self.hysteresis >= self.above):
            raise ValueError(f"hysteresis is {self.hysteresis:g}; allowed: 0, or less than above")
        return self

    def names_of_bodyparts(self) -> dict[str, tuple[str, ...]]:
        """Return every body part that the rule reads, by its key."""
        return {f"features[{index}]": feature.bodyparts for index, feature in enumerate(self.features)}

"""What rules have in common: timing, the gate, and limits in px or mm."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from typing_extensions import Self

from fastpose.config.types import (
    NUMBER,
    Fraction,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    Section,
    Text,
    no_repeats,
)


def _word(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value  # YAML reads a bare false as a boolean


BodyParts = Annotated[tuple[Text, ...], Field(min_length=1), AfterValidator(no_repeats)]
BodyPartPair = Annotated[tuple[Text, Text], AfterValidator(no_repeats)]
BodyPartTriple = Annotated[tuple[Text, Text, Text], AfterValidator(no_repeats)]
Degrees = Annotated[float, Field(ge=0, le=180), NUMBER]
WindowMs = Annotated[float, Field(gt=0, le=60_000), NUMBER]
Units = Literal["px", "mm"]
Missing = Annotated[Literal["hold", "false", "true"], BeforeValidator(_word)]


class Limit(NamedTuple):
    """A limit as the engine takes it."""

    above: float | None
    below: float | None
    hysteresis: float
    unit: str
    """px, mm, px_s, mm_s, px_s2, mm_s2, deg, deg_s or ms."""


class TimedRule(Section):
    """A rule: one value a frame, with its timing."""

    type: str
    min_duration_ms: NonNegativeFloat = 0.0
    """The condition must hold this long before the rule becomes true."""
    refractory_ms: NonNegativeFloat = 0.0
    """After the rule became false it stays false at least this long."""
    camera: Text | None = None
    """Camera whose poses it looks at; null: the only one that a network sees."""

    one_frame: ClassVar[bool] = False
    """Whether it is true in single frames, which last no time."""

    def names_of_bodyparts(self) -> dict[str, tuple[str, ...]]:
        """Return every body part that the rule reads, by its key."""
        keys = {"bodypart": getattr(self, "bodypart", None), "bodyparts": getattr(self, "bodyparts", ())}
        return {key: (names,) if isinstance(names, str) else names for key, names in keys.items() if names}

    def names_of_rules(self) -> tuple[str, ...]:
        """Return the rules that this one is made of."""
        return ()

    @property
    def unit(self) -> Units:
        """The unit of its places; that of a rule with a zone is the zone's."""
        units: Units = getattr(self, "units", "px")
        return units

    def _exactly_one_of(self, *names: str) -> None:
        given = [name for name in names if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"{' and '.join(given) or 'neither'} given; allowed: exactly one of {', '.join(names)}"
            )

    @model_validator(mode="after")
    def _lasts_long_enough(self) -> Self:
        if self.one_frame and self.min_duration_ms > 0:
            raise ValueError(
                f"min_duration_ms is {self.min_duration_ms:g}, and {self.type} is true in single frames; "
                "allowed: 0"
            )
        return self


class PoseRule(TimedRule):
    """A rule that looks at keypoints."""

    min_likelihood: Fraction = 0.6
    """Keypoints below count as missing."""
    missing: Missing = "hold"
    """What a missing keypoint means for the condition; hold: what it was."""
    individual: NonNegativeInt | Text = "any"
    """Name or index of the animal, any, or all."""


class LimitedRule(PoseRule):
    """A number and its limit: above or below, in one of some units."""

    limit_units: ClassVar[tuple[str, ...]]

    @property
    def limit(self) -> Limit:
        """The limit that is given."""
        (unit,) = (unit for unit in self.limit_units if self._given(unit))
        above, below = (getattr(self, f"{side}_{unit}", None) for side in ("above", "below"))
        return Limit(above, below, getattr(self, f"hysteresis_{unit}"), unit)

    @property
    def unit(self) -> Units:
        """The unit of its places."""
        unit = self.limit.unit.partition("_")[0]
        return "mm" if unit == "mm" else super().unit

    def _given(self, unit: str) -> list[str]:
        names = (f"{side}_{unit}" for side in ("above", "below"))
        return [name for name in names if getattr(self, name, None) is not None]

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        names = [f"{side}_{unit}" for unit in self.limit_units for side in ("above", "below")]
        self._exactly_one_of(*(name for name in names if name in type(self).model_fields))
        for unit in self.limit_units:
            if not self._given(unit) and getattr(self, f"hysteresis_{unit}"):
                raise ValueError(
                    f"hysteresis_{unit} given beside a limit in {self.limit.unit}; "
                    f"allowed: hysteresis_{self.limit.unit}"
                )
        return self


class LengthRule(LimitedRule):
    """A length, px or mm."""

    limit_units = ("px", "mm")
    above_px: NonNegativeFloat | None = None
    below_px: PositiveFloat | None = None
    hysteresis_px: NonNegativeFloat = 0.0
    above_mm: NonNegativeFloat | None = None
    below_mm: PositiveFloat | None = None
    hysteresis_mm: NonNegativeFloat = 0.0


class ShortLengthRule(LimitedRule):
    """A length that is below a limit, px or mm."""

    limit_units = ("px", "mm")
    below_px: PositiveFloat | None = None
    hysteresis_px: NonNegativeFloat = 0.0
    below_mm: PositiveFloat | None = None
    hysteresis_mm: NonNegativeFloat = 0.0


class HighSpeedRule(LimitedRule):
    """A speed that is above a limit, px/s or mm/s."""

    limit_units = ("px_s", "mm_s")
    above_px_s: NonNegativeFloat | None = None
    hysteresis_px_s: NonNegativeFloat = 0.0
    above_mm_s: NonNegativeFloat | None = None
    hysteresis_mm_s: NonNegativeFloat = 0.0


class LowSpeedRule(LimitedRule):
    """A speed that is below a limit, px/s or mm/s."""

    limit_units = ("px_s", "mm_s")
    below_px_s: PositiveFloat | None = None
    hysteresis_px_s: NonNegativeFloat = 0.0
    below_mm_s: PositiveFloat | None = None
    hysteresis_mm_s: NonNegativeFloat = 0.0


class AnyAccelerationRule(LimitedRule):
    """An acceleration, px/s^2 or mm/s^2."""

    limit_units = ("px_s2", "mm_s2")
    above_px_s2: NonNegativeFloat | None = None
    below_px_s2: PositiveFloat | None = None
    hysteresis_px_s2: NonNegativeFloat = 0.0
    above_mm_s2: NonNegativeFloat | None = None
    below_mm_s2: PositiveFloat | None = None
    hysteresis_mm_s2: NonNegativeFloat = 0.0


class DegreesRule(LimitedRule):
    """An angle, 0-180 degrees."""

    limit_units = ("deg",)
    above_deg: Degrees | None = None
    below_deg: Degrees | None = None
    hysteresis_deg: NonNegativeFloat = 0.0
    units: Units = "px"
    """mm: the angle in the arena's plane, of a camera that looks at it askew; places are then in mm."""


class DegreesPerSecondRule(LimitedRule):
    """A rate of turning, degrees/s."""

    limit_units = ("deg_s",)
    above_deg_s: NonNegativeFloat | None = None
    below_deg_s: PositiveFloat | None = None
    hysteresis_deg_s: NonNegativeFloat = 0.0
    units: Units = "px"
    """mm: of headings in the arena's plane."""

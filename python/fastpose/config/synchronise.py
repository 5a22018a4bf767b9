"""Cameras that are exposed together: how their frames are matched."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator
from typing_extensions import Self

from fastpose.config.types import NUMBER, PositiveFloat, Section, Text, no_repeats


class Synchronise(Section):
    """Cameras on one trigger. Those with a network go through one loop, in sets of frames."""

    cameras: Annotated[tuple[Text, ...], AfterValidator(no_repeats)] = ()
    """Two or more of the cameras; empty: all."""
    by: Literal["counter", "time"] = "counter"
    """counter: the cameras' own counts of exposures are equal, which they are where every camera was armed
    before the first trigger; time: exposures began within tolerance_ms of each other."""
    tolerance_ms: PositiveFloat | None = None
    """For by: time; null: a quarter of the period of the fastest camera."""
    wait_ms: Annotated[float, Field(ge=0.5, le=1000), NUMBER] | None = None
    """How long the loop waits for the rest of a set at most, from the arrival of its first frame; null: half
    the period of the fastest camera; where every frame is wanted, so that the sources wait too, 1000."""

    @model_validator(mode="after")
    def _two_or_more(self) -> Self:
        if len(self.cameras) == 1:
            raise ValueError(f"cameras is [{self.cameras[0]}]; allowed: two or more, or none for all")
        if self.by == "counter" and self.tolerance_ms is not None:
            raise ValueError(f"tolerance_ms is {self.tolerance_ms:g} with by counter; allowed: with by time")
        return self

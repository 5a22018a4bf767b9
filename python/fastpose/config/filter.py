"""Smoothing of keypoints and prediction to the moment of the effect."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from fastpose.config.types import NUMBER, Fraction, NonNegativeFloat, PositiveFloat, Section


class NoFilter(Section):
    """Keypoints as the network gives them."""

    type: Literal["none"] = "none"


class OneEuroFilter(Section):
    """Low-pass whose cutoff rises with speed (Casiez et al. 2012)."""

    type: Literal["one_euro"]
    min_cutoff_hz: PositiveFloat = 1.0
    """Cutoff at rest: lower is smoother and later."""
    beta: NonNegativeFloat = 0.02
    """Rise of the cutoff with speed, Hz per px/s."""
    derivative_cutoff_hz: PositiveFloat = 1.0
    max_gap_ms: NonNegativeFloat = 500.0
    """A keypoint missing for longer starts anew."""


class KalmanFilter(Section):
    """Constant velocity, one independent filter a keypoint and axis."""

    type: Literal["kalman"]
    process_noise: PositiveFloat = 5000.0
    """Spectral density of the acceleration, px^2/s^3."""
    measurement_noise_px: PositiveFloat = 2.0
    """Standard deviation."""
    horizon_ms: Annotated[float, Field(ge=0, le=1000), NUMBER] = 0.0
    """Predict this far beyond exposure_start, to make up for latency."""
    horizon: Literal["auto"] | None = None
    """auto: predict as far as exposure to action takes, measured at warm-up and then frame by frame;
    null: by horizon_ms."""
    min_likelihood: Fraction = 0.0
    """Keypoints below count as missing."""
    max_gap_ms: NonNegativeFloat = 500.0
    """A keypoint missing for longer starts anew."""

    @model_validator(mode="after")
    def _one_horizon(self) -> Self:
        if self.horizon == "auto" and self.horizon_ms:
            raise ValueError(f"horizon is auto and horizon_ms is {self.horizon_ms:g}; allowed: one of them")
        return self


Filter = Annotated[NoFilter | OneEuroFilter | KalmanFilter, Field(discriminator="type")]

"""Pairs what the software says it did with the light that the camera saw, and compares both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose.errors import ConfigError
from fastpose.loopback.measure import (
    CLOCKS_DISAGREE_NS,
    LATEST_NS,
    Action,
    histogram_ms,
    percentiles_ms,
)
from fastpose.loopback.onset import Onset, onsets
from fastpose.loopback.spot import Spot

__all__ = ["LedAction", "LedLoopback", "SeenFrames", "measure_led"]

Int64 = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LedAction(Action):
    """What the software says of one reaction, and the frame that caused it."""

    frame_id: int


@dataclass(frozen=True)
class SeenFrames:
    """Every exposure of the camera in order.

    Attributes
    ----------
    frame_id, start_ns : ndarray
        (n,) int64; the start on the camera's own clock where it has one.
    fraction : ndarray
        (n,) float64 of the LED's full brightness; NaN: the frame was not looked at.
    """

    frame_id: Int64
    start_ns: Int64
    fraction: Floats

    @property
    def period_ns(self) -> int:
        """From exposure to exposure."""
        return int(np.median(np.diff(self.start_ns)))


@dataclass(frozen=True)
class LedLoopback:
    """Exposure to light, measured by the camera that sees both, and by the software.

    Attributes
    ----------
    light_ns, software_ns : ndarray
        (n,) int64 of each action whose light was seen.
    bound_ns : ndarray
        (n,) int64 how far the light may have been from `light_ns`, to either side: more than nothing where it
        went on between exposures, and wherever the exposure time is not known.
    without_light, too_short : int
        Actions whose light no frame saw, and those whose light may have ended within its first exposure.
    exposure_us : float or None
        How long an exposure is; None: not known.
    spot : Spot
        The LED.
    """

    light_ns: Int64
    software_ns: Int64
    bound_ns: Int64
    without_light: int
    too_short: int
    exposure_us: float | None
    period_ns: int
    spot: Spot

    @property
    def difference_ns(self) -> Int64:
        """(n,) what the camera measured more than the software says."""
        return self.light_ns - self.software_ns

    @property
    def noise_us(self) -> float | None:
        """Standard deviation of one light's time by the noise of its brightness; None: not known."""
        if self.exposure_us is None:
            return None
        return self.exposure_us * self.spot.noise / (self.spot.on - self.spot.off)

    def agrees(self, tolerance_us: float) -> bool:
        """The median difference is within the tolerance, and nine of ten are within five times that.

        A difference that the bound leaves room for is none.
        """
        off_us = np.maximum(np.abs(self.difference_ns) - self.bound_ns, 0) / 1e3
        return bool(np.median(off_us) <= tolerance_us and np.percentile(off_us, 90) <= 5 * tolerance_us)

    def as_json(self, tolerance_us: float) -> dict[str, Any]:
        """For programs."""
        return {
            "n": len(self.light_ns),
            "without_light": self.without_light,
            "too_short": self.too_short,
            "light_ms": percentiles_ms(self.light_ns),
            "software_ms": percentiles_ms(self.software_ns),
            "difference_ms": percentiles_ms(self.difference_ns),
            "bound_ms": percentiles_ms(self.bound_ns),
            "exposure_us": self.exposure_us,
            "noise_us": None if self.noise_us is None else round(self.noise_us, 1),
            "period_us": self.period_ns / 1e3,
            "tolerance_us": tolerance_us,
            "agrees": self.agrees(tolerance_us),
            "histogram_ms": histogram_ms(self.light_ns),
            "led": self.spot.as_json(),
        }


def measure_led(
    actions: Sequence[LedAction], frames: SeenFrames, *, exposure_us: float | None, spot: Spot
) -> LedLoopback:
    """Find the light of each action: the first that goes on after the exposure that caused it.

    Parameters
    ----------
    actions : sequence
        In order of time.
    frames : SeenFrames
    exposure_us : float or None
        None: not known; then each light is known to a frame's period.
    spot : Spot

    Raises
    ------
    ConfigError
        No action has a light that can be measured; the text says why.
    """
    exposure_ns = None if exposure_us is None else round(exposure_us * 1e3)
    lights = onsets(
        frames.start_ns, frames.fraction, exposure_ns=exposure_ns, period_ns=frames.period_ns, dim=spot.dim
    )
    pairs = _pairs(actions, frames, lights)
    kept = [(action, cause_ns, light) for action, cause_ns, light in pairs if not light.short]
    short = len(pairs) - len(kept)
    if not kept:
        raise ConfigError(_why_none(len(actions), len(lights), short, frames))
    light_ns = [(light.earliest_ns + light.latest_ns) // 2 - cause_ns for _, cause_ns, light in kept]
    return LedLoopback(
        np.array(light_ns, np.int64),
        np.array([action.acted_ns - action.exposure_start_ns for action, _, _ in kept], np.int64),
        np.array([(light.latest_ns - light.earliest_ns) // 2 for _, _, light in kept], np.int64),
        len(actions) - len(pairs),
        short,
        exposure_us,
        frames.period_ns,
        spot,
    )


def _why_none(actions: int, lights: int, short: int, frames: SeenFrames) -> str:
    if short:
        return (
            f"{short} of {actions} flashes were over within the exposure that saw them first: their "
            f"brightness is their length; keep the output high for at least "
            f"{2 * frames.period_ns / 1e6:.3g} ms, two frames"
        )
    return (
        f"of {actions} actions none has a light: the LED went on {lights} times in "
        f"{int(np.isfinite(frames.fraction).sum())} frames; a flash must be dark for a frame before it, "
        "last for two frames, and come within 250 ms"
    )


def _pairs(
    actions: Sequence[LedAction], frames: SeenFrames, lights: Sequence[Onset]
) -> list[tuple[LedAction, int, Onset]]:
    """Each action with the start of the exposure that caused it and its light, where it has both."""
    index = {int(frame_id): at for at, frame_id in enumerate(frames.frame_id)}
    caused = [(action, index[action.frame_id]) for action in actions if action.frame_id in index]
    starts = frames.start_ns
    found, following = [], 0
    for at, (action, cause) in enumerate(caused):
        while following < len(lights) and lights[following].frame <= cause:
            following += 1
        if following == len(lights):
            break
        latest_ns = int(starts[cause]) + LATEST_NS
        if at + 1 < len(caused):
            latest_ns = min(latest_ns, _expected_ns(*caused[at + 1], starts) - CLOCKS_DISAGREE_NS)
        mine = [light for light in lights[following:] if light.earliest_ns < latest_ns]
        if mine:  # what is short may be something else: a whole one goes before it
            chosen = next((light for light in mine if not light.short), mine[0])
            found.append((action, int(starts[cause]), chosen))
            following = lights.index(chosen, following) + 1
    return found


def _expected_ns(action: LedAction, cause: int, starts: Int64) -> int:
    """When the software says that it acted, on the clock of the exposures."""
    return int(starts[cause]) + action.acted_ns - action.exposure_start_ns

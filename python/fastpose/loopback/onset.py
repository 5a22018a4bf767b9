"""When a light went on, by how bright it is in the frames that saw it.

Note [light within an exposure]: A sensor integrates. A light that goes on within the exposure [s, s + T] and
stays on until its end is in that frame for (s + T - t_on) / T of the time, which is its brightness as a
fraction of full brightness. So t_on = s + T (1 - fraction): one frame tells it to a small part of T. Where
the first frame that saw it has it at full brightness, it went on between the exposures: after the end of the
last dark one and before the start of this one. Where T is not known, all that is certain is that it went on
after the last dark exposure began and before the one after this frame's begins. Where the light was off again
before the exposure ended, the brightness is its length and not its beginning: such a flash is counted and not
measured.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Onset", "onsets"]

Int64 = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
DARK_FRAMES = 4
HALF = 0.5  # of full brightness: a light that stays on is brighter in the frame after its first


@dataclass(frozen=True)
class Onset:
    """A light that went on.

    Attributes
    ----------
    frame : int
        Index of the first frame that saw it.
    earliest_ns, latest_ns : int
        It went on between these; on the clock of the exposures.
    short : bool
        It may have been off again within that frame's exposure: nothing is known but these limits.
    """

    frame: int
    earliest_ns: int
    latest_ns: int
    short: bool = False


def onsets(
    starts_ns: Int64, fractions: Floats, *, exposure_ns: int | None, period_ns: int, dim: float
) -> list[Onset]:
    """Every time that a light went on.

    Parameters
    ----------
    starts_ns : ndarray
        (n,) start of each exposure, ascending.
    fractions : ndarray
        (n,) brightness as a fraction of full brightness; NaN: the frame was not looked at.
    exposure_ns : int or None
        How long each exposure is; None: not known.
    period_ns : int
        From exposure to exposure; no exposure is longer.
    dim : float
        A frame less than this brighter than those before is dark; above 1 - dim it is full.
    """
    seen = np.flatnonzero(np.isfinite(fractions))
    levels = [float(level) for level in fractions[seen]] + [0.0]
    scene, found = _Scene(dim), []
    for at, frame in enumerate(map(int, seen)):
        step = scene.step_of(levels[at])
        goes_on = scene.step_of(levels[at + 1]) >= HALF
        if not scene.turns_lit(levels[at], goes_on=goes_on):
            continue
        span = _Span(int(starts_ns[seen[at - 1]]), int(starts_ns[frame]), exposure_ns, period_ns, dim)
        full = step > 1 - dim
        earliest, latest = span.between() if full else span.within(step)
        found.append(Onset(frame, earliest, latest, short=not full and not goes_on))
    return found


class _Scene:
    """Whether the light is on, above how bright the place is without it: a slow shadow counts for nothing.

    That is the mean of the last dark frames. A frame is dark that is hardly brighter than they are, or than
    the one before; and where the scene became brighter while the light was on, one of a steady level below
    half of full brightness.
    """

    def __init__(self, dim: float) -> None:
        self._dim = dim
        self._dark: deque[float] = deque(maxlen=DARK_FRAMES)
        self._lit, self._previous = True, math.nan  # as long as no dark frame was seen

    def step_of(self, fraction: float) -> float:
        """How much brighter than dark."""
        return fraction - (sum(self._dark) / len(self._dark) if self._dark else 0.0)

    def turns_lit(self, fraction: float, *, goes_on: bool) -> bool:
        """Take in the next frame; whether it is the first that sees a light, for long or for a flash."""
        step = self.step_of(fraction)
        steady = abs(fraction - self._previous) < self._dim
        self._previous = fraction
        if self._lit and step >= self._dim and not (steady and fraction < HALF):
            return False
        if not self._lit and step >= self._dim and not steady:
            self._lit = goes_on or step >= HALF
            return True
        if self._lit and step >= self._dim:
            self._dark.clear()  # brighter than it was before the light
        self._dark.append(fraction)
        self._lit = False
        return False


@dataclass(frozen=True)
class _Span:
    """The last dark exposure and the first that saw the light."""

    dark_ns: int
    lit_ns: int
    exposure_ns: int | None
    period_ns: int
    dim: float

    def within(self, fraction: float) -> tuple[int, int]:
        """The light went on within the lit exposure."""
        if self.exposure_ns is None:
            return self.lit_ns, self.lit_ns + round(self.period_ns * (1 - fraction))
        on_ns = self.lit_ns + round(self.exposure_ns * (1 - fraction))
        return on_ns, on_ns

    def between(self) -> tuple[int, int]:
        """It went on after the dark exposure, or at its end, and before the lit one, or at its start."""
        blur_ns = round((self.exposure_ns or 0) * self.dim)
        earliest_ns = self.dark_ns + (self.exposure_ns or 0) - blur_ns
        if self.exposure_ns is None:
            return earliest_ns, self.lit_ns + round(self.period_ns * self.dim)
        return min(earliest_ns, self.lit_ns), self.lit_ns + blur_ns

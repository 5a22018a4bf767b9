"""Where an LED is in the view of a camera and how bright: learned while its output goes on and off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fastpose.errors import ConfigError

__all__ = ["Phase", "RoiPx", "Spot", "grey_levels", "learn_spot"]

Grey = npt.NDArray[Any]  # (H, W) or (H, W, 3), uint8 or uint16
Floats = npt.NDArray[np.float64]
RoiPx = tuple[int, int, int, int]  # x, y, width, height of the region that is read

LEAST_LEVELS = 3.0  # of 255, that a pixel has to change
LEAST_PIXELS = 4
MOST_OF_FRAME = 0.25  # more than this changes: the light is not an LED in view
MOST_SATURATED = 0.05  # of the samples that the light changes
LEAST_CONTRAST = 40.0  # step of the brightness over its noise
STEADY = 0.1  # of the step: as much may the brightness differ between times of one state
NOISES = 5.0  # a frame is lit that is so many noises brighter than dark
LEAST_DIM = 0.02


@dataclass(frozen=True)
class Phase:
    """Frames that were exposed while the output was on all the time, or off.

    Attributes
    ----------
    on : bool
    frames : list of ndarray
        As `grey_levels` gives them.
    """

    on: bool
    frames: list[Grey] = field(default_factory=list)


@dataclass(frozen=True)
class Spot:
    """An LED as a camera sees it.

    Attributes
    ----------
    roi : tuple of int
        x, y, width, height; px.
    off, on, noise : float
        Mean grey level of the roi with the LED off and on, and its standard deviation from frame to frame.
    """

    roi: RoiPx
    off: float
    on: float
    noise: float

    @property
    def dim(self) -> float:
        """Fraction of full brightness below which a frame counts as dark, 0 to 1."""
        return max(LEAST_DIM, NOISES * self.noise / (self.on - self.off))

    def fraction(self, level: float | Floats) -> Floats:
        """Brightness as a fraction of full brightness; beyond 0 to 1 by noise only."""
        return np.asarray((np.asarray(level, np.float64) - self.off) / (self.on - self.off))

    def level_of(self, frame: Grey) -> float:
        """Mean grey level of the roi in a frame, as `grey_levels` gives it."""
        return float(_cut(frame, self.roi).mean())

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "roi": list(self.roi),
            "off": round(self.off, 3),
            "on": round(self.on, 3),
            "noise": round(self.noise, 4),
        }


def grey_levels(pixels: npt.NDArray[Any], pixel_format: str) -> Grey:
    """The samples of a frame that light adds to, place by place.

    Parameters
    ----------
    pixels : ndarray
        As `fastpose.hosts.common.slot_array` shapes them.
    pixel_format : str

    Returns
    -------
    ndarray
        (H, W) grey, luma, or colours of a filter side by side; (H, W, 3) for rgb8 and bgr8. A view.
    """
    if pixel_format == "yuyv":
        return pixels[:, :, 0]
    return pixels[: len(pixels) * 2 // 3] if pixel_format == "nv12" else pixels


def learn_spot(phases: Sequence[Phase], *, white: int, roi: RoiPx | None = None) -> Spot:
    """Find the LED, or look at it where the user says that it is.

    Parameters
    ----------
    phases : sequence of Phase
        On and off in turn; of each at least one with frames. What changes once, as an animal that walks by,
        is no LED where there are several.
    white : int
        Highest grey level.
    roi : tuple of int, optional
        Its place; default: the pixels that change, around the one that changes most.

    Raises
    ------
    ConfigError
        Nothing or everything changes with the output, the LED is saturated, too dim, or not steady.
    """
    dark, lit = ([p.frames for p in phases if p.on is on and p.frames] for on in (False, True))
    if not dark or not lit:
        raise ConfigError("no frame was exposed while the LED was on, or none while it was off")
    found = _find(dark, lit, white) if roi is None else _inside(roi, dark[0][0])
    return _looked_at(found, dark, lit, white)


def _inside(roi: RoiPx, frame: Grey) -> RoiPx:
    height, width = frame.shape[:2]
    x, y, w, h = roi
    if x < 0 or y < 0 or w < 1 or h < 1 or x + w > width or y + h > height:
        raise ConfigError(
            f"--led-roi is {x},{y},{w},{h}; allowed: x,y,w,h inside the frame of {width}x{height} px"
        )
    return roi


def _find(dark: list[list[Grey]], lit: list[list[Grey]], white: int) -> RoiPx:
    contrast = _least_contrast(dark, lit)
    least = max(LEAST_LEVELS * white / 255, 4 * _noise_of_mean(dark + lit))
    changed = contrast > least
    if np.count_nonzero(changed) < LEAST_PIXELS:
        raise ConfigError(
            "no LED found: nothing in the frame gets brighter when the output goes on (at most "
            f"{max(0.0, float(contrast.max())):.1f} of {white} grey levels); is it wired to this output and "
            "in view? Where only a few pixels change: --led-roi x,y,w,h"
        )
    share = float(changed.mean())
    if share > MOST_OF_FRAME:
        raise ConfigError(
            f"no LED found: {share:.0%} of the frame gets brighter when the output goes on, allowed is "
            f"{MOST_OF_FRAME:.0%}; shield the LED so that it lights itself only, or say where to look: "
            "--led-roi x,y,w,h"
        )
    return _box(_around_the_peak(contrast, least))


def _least_contrast(dark: list[list[Grey]], lit: list[list[Grey]]) -> Floats:
    """(H, W) by how much each pixel is brighter in its darkest time on than in its brightest time off."""
    darkest = np.min([_mean(frames) for frames in lit], axis=0)
    brightest = np.max([_mean(frames) for frames in dark], axis=0)
    return np.asarray(darkest - brightest, np.float64)


def _mean(frames: list[Grey]) -> Floats:
    mean = np.mean(frames, axis=0, dtype=np.float64)
    return np.asarray(mean.mean(axis=2) if mean.ndim == 3 else mean)


def _noise_of_mean(phases: list[list[Grey]]) -> float:
    """Of one pixel's mean over a phase, grey levels; 0 where phases have a frame each."""
    several = [frames for frames in phases if len(frames) > 1]
    if not several:
        return 0.0
    of_mean = [np.median(np.std(frames, axis=0)) / len(frames) ** 0.5 for frames in several]
    return float(np.max(of_mean))


def _around_the_peak(contrast: Floats, least: float) -> npt.NDArray[np.bool_]:
    """The pixels that hang together with the brightest patch and change half as much."""
    smooth = _three_by_three(contrast)
    peak = np.unravel_index(int(np.argmax(smooth)), smooth.shape)
    bright = contrast > max(least, float(smooth[peak]) / 2)
    region = np.zeros_like(bright)
    region[peak] = True
    while True:
        grown = region.copy()
        grown[1:] |= region[:-1]
        grown[:-1] |= region[1:]
        grown[:, 1:] |= region[:, :-1]
        grown[:, :-1] |= region[:, 1:]
        grown &= bright
        grown[peak] = True
        if np.count_nonzero(grown) == np.count_nonzero(region):
            return region
        region = grown


def _three_by_three(values: Floats) -> Floats:
    padded = np.pad(values, 1, mode="edge")
    height, width = values.shape
    return np.asarray(
        sum(padded[y : y + height, x : x + width] for y in range(3) for x in range(3)) / 9, np.float64
    )


def _box(region: npt.NDArray[np.bool_]) -> RoiPx:
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    x, y = int(columns[0]), int(rows[0])
    return x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1


def _cut(frame: Grey, roi: RoiPx) -> Grey:
    x, y, width, height = roi
    return frame[y : y + height, x : x + width]


def _looked_at(roi: RoiPx, dark: list[list[Grey]], lit: list[list[Grey]], white: int) -> Spot:
    off, on = _levels(dark, roi), _levels(lit, roi)
    step = float(np.mean(np.concatenate(on)) - np.mean(np.concatenate(off)))
    noise = float(np.sqrt(np.mean([np.var(levels) for levels in off + on])))
    place = "{},{},{},{}".format(*roi)
    saturated = float(np.mean([np.mean(_cut(frame, roi) >= white) for frames in lit for frame in frames]))
    if saturated > MOST_SATURATED:
        raise ConfigError(
            f"the LED at {place} is saturated: {saturated:.0%} of its samples are white, and brightness says "
            "nothing of time there; dim it, or shorten exposure_us, lower gain_db or close the aperture"
        )
    if step < LEAST_LEVELS * white / 255 or step < LEAST_CONTRAST * noise:
        raise ConfigError(
            f"the LED at {place} is too dim: it adds {step:.2f} of {white} grey levels, and the noise from "
            f"frame to frame is {noise:.2f}; allowed: {LEAST_LEVELS * white / 255:.3g} levels and "
            f"{LEAST_CONTRAST:g} times the noise; make it brighter, or exposure_us longer"
        )
    drift = max(float(np.ptp([np.mean(levels) for levels in state])) for state in (off, on))
    if drift > STEADY * step:
        raise ConfigError(
            f"something else than the LED changes at {place}: {drift:.1f} grey levels between times of one "
            f"state, the LED adds {step:.1f}; keep animal and other lights away from it, or say where "
            "to look: --led-roi x,y,w,h"
        )
    level = float(np.mean(np.concatenate(off)))
    return Spot(roi, level, level + step, noise)


def _levels(phases: list[list[Grey]], roi: RoiPx) -> list[Floats]:
    return [np.array([float(_cut(frame, roi).mean()) for frame in frames]) for frames in phases]

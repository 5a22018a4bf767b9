"""Draws poses, zones and text into RGB frames, with soft edges and sub-pixel positions."""

from __future__ import annotations

import colorsys
import itertools
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

__all__ = ["Overlay", "colours", "draw_polyline", "draw_pose", "draw_text", "to_rgb"]

Rgb = npt.NDArray[np.uint8]  # (H, W, 3)
Colour = tuple[int, int, int]
Mask = npt.NDArray[np.float32]  # 0 outside, 1 inside

_SKELETON: Colour = (235, 235, 235)
# Hues that stay apart on fur and arena floors; more keypoints than these get hues around the circle.
_BASE: tuple[Colour, ...] = (
    (255, 65, 54),
    (46, 204, 255),
    (255, 220, 0),
    (61, 220, 100),
    (240, 100, 255),
    (255, 150, 30),
    (110, 130, 255),
    (0, 230, 190),
)


def colours(count: int) -> list[Colour]:
    """So many colours that are easy to tell apart."""
    if count <= len(_BASE):
        return list(_BASE[:count])
    hues = [colorsys.hsv_to_rgb(number / count, 0.75 + 0.25 * (number % 2), 1.0) for number in range(count)]
    return [(round(r * 255), round(g * 255), round(b * 255)) for r, g, b in hues]


def to_rgb(frame: npt.NDArray[np.uint8]) -> Rgb:
    """A copy of a frame as RGB.

    Parameters
    ----------
    frame : ndarray of uint8
        (H, W) grey or (H, W, 3) RGB.
    """
    if frame.ndim == 2:
        return np.repeat(frame[:, :, None], 3, axis=2)
    return np.array(frame[:, :, :3], np.uint8, order="C")


def draw_pose(
    frame: npt.NDArray[np.uint8],
    keypoints: npt.NDArray[Any],
    *,
    skeleton: Sequence[tuple[int, int]] = (),
    min_likelihood: float = 0.6,
    radius_px: float | None = None,
) -> Rgb:
    """A copy of a frame with the keypoints of one or more individuals as small discs.

    Parameters
    ----------
    frame : ndarray of uint8
        (H, W) grey or (H, W, 3) RGB.
    keypoints : ndarray
        (K, 3) or (individuals, K, 3): x, y in px of this frame, where the centre of the first pixel is
        (0, 0), and likelihood.
    skeleton : sequence of (int, int)
        Pairs of keypoints to join.
    min_likelihood : float
        Keypoints below are left out, as are missing ones (NaN).
    radius_px : float, optional
        Of the discs; 1/150 of the longer side, at least 2.5 px, when left out.

    Returns
    -------
    ndarray of uint8
        (H, W, 3) RGB.
    """
    canvas = to_rgb(frame)
    radius = max(2.5, max(canvas.shape[:2]) / 150) if radius_px is None else radius_px
    poses = np.asarray(keypoints, np.float64)
    for pose in poses[None] if poses.ndim == 2 else poses:
        visible = np.isfinite(pose).all(axis=1) & (pose[:, 2] >= min_likelihood)
        for a, b in skeleton:
            if visible[a] and visible[b]:
                draw_polyline(canvas, pose[[a, b], :2], _SKELETON, max(1.2, radius / 3), opacity=0.8)
        for number in np.flatnonzero(visible):
            colour = colours(len(pose))[number]
            _disc(canvas, pose[number, 0], pose[number, 1], radius + 1.0, (20, 20, 20), 0.75)
            _disc(canvas, pose[number, 0], pose[number, 1], radius, colour, 1.0)
    return canvas


def draw_polyline(
    canvas: Rgb,
    points: npt.NDArray[Any],
    colour: Colour,
    width_px: float = 1.5,
    *,
    opacity: float = 1.0,
) -> None:
    """Draw straight lines between points (n, 2) into the canvas."""
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        margin = width_px / 2 + 1
        box = _box(
            canvas, min(x0, x1) - margin, min(y0, y1) - margin, max(x0, x1) + margin, max(y0, y1) + margin
        )
        if box is None:
            continue
        rows, columns = np.ogrid[box]
        dx, dy = x1 - x0, y1 - y0
        along = ((columns - x0) * dx + (rows - y0) * dy) / max(dx * dx + dy * dy, 1e-9)
        along = np.clip(along, 0.0, 1.0)
        distance = np.hypot(columns - x0 - along * dx, rows - y0 - along * dy)
        _blend(canvas, box, _soft(distance, width_px / 2) * opacity, colour)


class Overlay:
    """Outlines that are the same on every frame, ready to draw.

    Parameters
    ----------
    size : (int, int)
        (H, W) of the frames.
    outlines : iterable of ndarray
        (n, 2) points each, px.
    colour : (int, int, int)
    """

    def __init__(self, size: tuple[int, ...], outlines: Iterable[npt.NDArray[Any]], colour: Colour) -> None:
        coverage = np.zeros((*size, 3), np.uint8)
        for outline in outlines:
            draw_polyline(coverage, outline, (255, 255, 255))
        self._at = np.nonzero(coverage[:, :, 0])
        self._mask = coverage[self._at] / 255 * 0.8  # (pixels, 3)
        self._colour = np.asarray(colour, np.float64)

    def draw(self, canvas: Rgb) -> None:
        """Draw into a frame."""
        under = canvas[self._at]
        canvas[self._at] = np.round(under + (self._colour - under) * self._mask).astype(np.uint8)


def _disc(canvas: Rgb, x: float, y: float, radius: float, colour: Colour, opacity: float) -> None:
    box = _box(canvas, x - radius - 1, y - radius - 1, x + radius + 1, y + radius + 1)
    if box is None:
        return
    rows, columns = np.ogrid[box]
    _blend(canvas, box, _soft(np.hypot(columns - x, rows - y), radius) * opacity, colour)


def _soft(distance: npt.NDArray[Any], radius: float) -> Mask:
    """Coverage of pixels at this distance from the middle of a shape."""
    return np.clip(radius + 0.5 - distance, 0.0, 1.0).astype(np.float32)


def _box(canvas: Rgb, left: float, top: float, right: float, bottom: float) -> tuple[slice, slice] | None:
    """The pixels of a rectangle that lie on the canvas."""
    height, width = canvas.shape[:2]
    x0, y0 = max(int(np.floor(left)), 0), max(int(np.floor(top)), 0)
    x1, y1 = min(int(np.ceil(right)) + 1, width), min(int(np.ceil(bottom)) + 1, height)
    return (slice(y0, y1), slice(x0, x1)) if x0 < x1 and y0 < y1 else None


def _blend(canvas: Rgb, box: tuple[slice, slice], mask: Mask, colour: Colour) -> None:
    under = canvas[box].astype(np.float32)
    over = np.asarray(colour, np.float32)
    canvas[box] = np.round(under + (over - under) * mask[:, :, None]).astype(np.uint8)


def draw_text(canvas: Rgb, x: int, y: int, content: str, colour: Colour, *, size_px: int = 14) -> int:
    """Write a line of text with its top left corner at (x, y), on a dark shade; returns the y below it."""
    letters = _letters(content, size_px)
    height, width = len(letters), len(letters[0])
    shade = _box(canvas, x - 4, y - 2, x + width + 3, y + height + 1)
    place = _box(canvas, x, y, x + width - 1, y + height - 1)
    if shade is not None and place is not None:
        _blend(canvas, shade, np.full(canvas[shade].shape[:2], 0.55, np.float32), (0, 0, 0))
        shown = letters[max(-y, 0) :, max(-x, 0) :][: canvas[place].shape[0], : canvas[place].shape[1]]
        _blend(canvas, place, shown, colour)
    return y + height + 5


@lru_cache(maxsize=512)
def _letters(content: str, size_px: int) -> Mask:
    """Coverage of a line of text."""
    font = ImageFont.load_default(size_px)
    left, _, right, _ = font.getbbox(content)
    ascent, descent = font.getmetrics() if isinstance(font, ImageFont.FreeTypeFont) else (size_px, 4)
    image = Image.new("L", (max(int(right - left) + 1, 1), ascent + descent))
    ImageDraw.Draw(image).text((-left, 0), content, fill=255, font=font)
    return np.asarray(np.asarray(image) / 255, np.float32)

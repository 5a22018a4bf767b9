"""Small pieces of SVG: linear scales, round ticks, marks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Scale", "document", "line", "path", "rect", "round_ticks", "text"]


@dataclass(frozen=True)
class Scale:
    """Maps values low..high linearly to pixels start..stop."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        """Pixels of a value; values outside the range stay at its ends."""
        span = self.high - self.low
        share = (value - self.low) / span if span > 0 else 0.5
        return self.start + min(max(share, 0.0), 1.0) * (self.stop - self.start)


def round_ticks(low: float, high: float, about: int = 6) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten between `low` and `high`, about so many."""
    span = high - low
    if not span > 0:
        return [low]
    raw = span / about
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = magnitude * next(factor for factor in (1, 2, 5, 10) if factor * magnitude >= raw * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def document(width: int, height: int, label: str, parts: Sequence[str]) -> str:
    """An inline SVG that fills the width of its place; `label` is what it shows, for screen readers."""
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label, quote=True)}">'
        + "".join(parts)
        + "</svg>"
    )


def rect(
    x: float, y: float, width: float, height: float, kind: str, tip: str = "", radius: float = 0.0
) -> str:
    """A rectangle of CSS class `kind`; `tip` shows under the pointer."""
    rounded = f' rx="{radius:g}"' if radius else ""
    size = f'width="{max(width, 0):.2f}" height="{max(height, 0):.2f}"'
    return f'<rect class="{kind}" x="{x:.2f}" y="{y:.2f}" {size}{rounded}{_tip(tip)}/>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str, tip: str = "") -> str:
    """A straight line."""
    return f'<line class="{kind}" x1="{x1:.2f}" y1="{y1:.2f}" x2="{x2:.2f}" y2="{y2:.2f}"{_tip(tip)}/>'


def path(commands: str, kind: str, tip: str = "") -> str:
    """A path of SVG commands."""
    return f'<path class="{kind}" d="{commands}"{_tip(tip)}/>'


def text(x: float, y: float, content: str, kind: str = "label", anchor: str = "start") -> str:
    """Text with its baseline at y."""
    return f'<text class="{kind}" x="{x:.2f}" y="{y:.2f}" text-anchor="{anchor}">{escape(content)}</text>'


def _tip(tip: str) -> str:
    return f' data-tip="{escape(tip, quote=True)}"' if tip else ""

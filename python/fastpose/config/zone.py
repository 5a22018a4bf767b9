"""Zones: regions of the arena that rules name, in full-frame sensor pixels."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator
from typing_extensions import Self

from fastpose.config.types import Float, Point, PositiveFloat, Section


class Circle(Section):
    """All points within the radius."""

    center: Point
    radius_px: PositiveFloat


class ZoneRectangle(Section):
    """Rectangle with sides along the image axes."""

    x: Float
    """Left, px."""
    y: Float
    """Top, px."""
    width: PositiveFloat
    height: PositiveFloat


class Zone(Section):
    """Exactly one of polygon, circle, rectangle."""

    polygon: Annotated[tuple[Point, ...], Field(min_length=3, max_length=256)] | None = None
    """Corners in order, px."""
    circle: Circle | None = None
    rectangle: ZoneRectangle | None = None

    @model_validator(mode="after")
    def _one_shape_with_area(self) -> Self:
        shapes = [name for name in ("polygon", "circle", "rectangle") if getattr(self, name) is not None]
        if len(shapes) != 1:
            given = " and ".join(shapes) or "no shape"
            raise ValueError(f"{given} given; allowed: exactly one of polygon, circle, rectangle")
        if self.polygon is not None and _area(self.polygon) == 0:
            raise ValueError("the polygon has no area; its corners lie on one line")
        if self.polygon is not None and (crossing := _crossing_edges(self.polygon)):
            raise ValueError(
                "edges {} and {} of the polygon cross; list its corners in order".format(*crossing)
            )
        return self

    @model_serializer(mode="wrap")
    def _without_empty_shapes(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: shape for name, shape in handler(self).items() if shape is not None}

    def points_outside(self, width: int, height: int) -> list[Point]:
        """Return the defining points that do not lie on a frame of this size, px.

        A circle may reach over the edge, its centre may not.
        """
        return [(x, y) for x, y in self._points() if not (-0.5 <= x <= width and -0.5 <= y <= height)]

    def _points(self) -> tuple[Point, ...]:
        if self.polygon is not None:
            return self.polygon
        if self.circle is not None:
            return (self.circle.center,)
        assert self.rectangle is not None
        box = self.rectangle
        return ((box.x, box.y), (box.x + box.width, box.y + box.height))


def _area(polygon: tuple[Point, ...]) -> float:
    """Return the shoelace area, px^2."""
    following = polygon[1:] + polygon[:1]
    return (
        abs(math.fsum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(polygon, following, strict=True))) / 2
    )


def _crossing_edges(polygon: tuple[Point, ...]) -> tuple[int, int] | None:
    """Return two edges that cross, by the index of their first corner."""
    edges = list(zip(polygon, polygon[1:] + polygon[:1], strict=True))
    for i, (a, b) in enumerate(edges):
        for j, (c, d) in enumerate(edges[i + 1 :], start=i + 1):
            if _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0:
                return i, j
    return None


def _side(a: Point, b: Point, c: Point) -> float:
    """Return > 0, 0 or < 0: on which side of the line a-b the point c lies."""
    return (
        math.copysign(1, cross)
        if (cross := (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))
        else 0
    )

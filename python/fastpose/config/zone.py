"""Zones: regions of the arena that rules name, in full-frame sensor pixels or, calibrated, in mm."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator
from typing_extensions import Self

from fastpose.config.calibration import Calibration
from fastpose.config.rule_parts import Units
from fastpose.config.types import NUMBER, ConfigPath, Float, Point, PositiveFloat, Section

Angle = Annotated[float, Field(ge=-360, le=360), NUMBER]
HalfAxes = tuple[PositiveFloat, PositiveFloat]
SHAPES = ("polygon", "circle", "rectangle", "square", "ellipse", "mask")


class _Shape(Section):
    """A shape with a size that is given in px or in mm."""

    sizes: ClassVar[str]

    @property
    def unit(self) -> Units:
        """The unit that its size is given in."""
        return "px" if getattr(self, f"{self.sizes}_px") is not None else "mm"

    @property
    def size(self) -> Any:
        """Its size, in its unit."""
        return getattr(self, f"{self.sizes}_{self.unit}")

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        names = [f"{self.sizes}_{unit}" for unit in ("px", "mm")]
        if sum(getattr(self, name) is not None for name in names) != 1:
            raise ValueError(f"no size, or two; allowed: exactly one of {', '.join(names)}")
        return self


class Circle(_Shape):
    """All points within the radius."""

    sizes = "radius"
    center: Point
    radius_px: PositiveFloat | None = None
    radius_mm: PositiveFloat | None = None


class Square(_Shape):
    """A square about a centre."""

    sizes = "side"
    center: Point
    side_px: PositiveFloat | None = None
    side_mm: PositiveFloat | None = None
    angle_deg: Angle = 0.0
    """Heading of one of its sides: 0 right, 90 down."""


class Ellipse(_Shape):
    """An ellipse about a centre."""

    sizes = "half_axes"
    center: Point
    half_axes_px: HalfAxes | None = None
    """Along the heading, and across it."""
    half_axes_mm: HalfAxes | None = None
    angle_deg: Angle = 0.0
    """Heading of the first axis: 0 right, 90 down."""


class ZoneRectangle(Section):
    """Rectangle with sides along the image axes."""

    x: Float
    """Left, px."""
    y: Float
    """Top, px."""
    width: PositiveFloat
    height: PositiveFloat


class Zone(Section):
    """Exactly one shape."""

    polygon: Annotated[tuple[Point, ...], Field(min_length=3, max_length=256)] | None = None
    """Corners in order, px."""
    circle: Circle | None = None
    rectangle: ZoneRectangle | None = None
    square: Square | None = None
    ellipse: Ellipse | None = None
    mask: ConfigPath | None = None
    """Image of the frame's size: its white half of grey levels (128 and up) is the zone."""
    units: Units = "px"
    """mm: through the calibration of the rules' camera."""

    @model_validator(mode="after")
    def _one_shape_with_area(self) -> Self:
        shapes = [name for name in SHAPES if getattr(self, name) is not None]
        if len(shapes) != 1:
            given = " and ".join(shapes) or "no shape"
            raise ValueError(f"{given} given; allowed: exactly one of {', '.join(SHAPES)}")
        self._require_unit(shapes[0])
        if self.polygon is not None and _area(self.polygon) == 0:
            raise ValueError("the polygon has no area; its corners lie on one line")
        if self.polygon is not None and (crossing := _crossing_edges(self.polygon)):
            raise ValueError(
                "edges {} and {} of the polygon cross; list its corners in order".format(*crossing)
            )
        return self

    def _require_unit(self, name: str) -> None:
        shape = getattr(self, name)
        if isinstance(shape, _Shape) and shape.unit != self.units:
            raise ValueError(
                f"{shape.sizes}_{shape.unit} given with units: {self.units}; allowed: units: {shape.unit}, "
                f"or {shape.sizes}_{self.units}"
            )
        if name == "mask" and self.units == "mm":
            raise ValueError("a mask is an image; allowed: units: px")

    @model_serializer(mode="wrap")
    def _without_empty_shapes(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: shape for name, shape in handler(self).items() if shape is not None}

    def points_outside(self, width: int, height: int, calibration: Calibration | None = None) -> list[Point]:
        """Return the defining points, px, that do not lie on a frame of this size, px.

        A circle, square or ellipse may reach over the edge, its centre may not.
        """
        points = self._points()
        if self.units == "mm":
            points = tuple(calibration.to_px(point) for point in points) if calibration else ()
        return [(x, y) for x, y in points if not (-0.5 <= x <= width and -0.5 <= y <= height)]

    def _points(self) -> tuple[Point, ...]:
        centred = self.circle or self.square or self.ellipse
        if self.polygon is not None:
            return self.polygon
        if centred is not None:
            return (centred.center,)
        if self.rectangle is None:
            return ()
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

"""Calibration: from pixels of a camera's frames to millimetres in the arena.

NumPy is imported where a calibration is used: a config without one loads nothing compiled.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import yaml
from pydantic import Field, ValidationInfo, model_validator
from typing_extensions import Self

from fastpose.config.types import Float, Point, PositiveFloat, Section, absolute
from fastpose.config.yaml import Loader

if TYPE_CHECKING:
    from fastpose.config.homography import Matrix

Row = tuple[Float, Float, Float]


class PointPair(Section):
    """One place in both planes."""

    px: Point
    mm: Point


class Calibration(Section):
    """Exactly one of px_per_mm, homography, points; or file, which holds one of them."""

    px_per_mm: PositiveFloat | None = None
    """Of a camera that looks straight down; (0, 0) mm is the centre of the first pixel."""
    homography: tuple[Row, Row, Row] | None = None
    """From px to mm, row by row: (x w, y w, w) in mm = homography (x, y, 1) in px."""
    points: Annotated[tuple[PointPair, ...], Field(min_length=4)] | None = None
    """Places whose px and mm are known."""

    @model_validator(mode="before")
    @classmethod
    def _read_file(cls, data: Any, info: ValidationInfo) -> Any:
        if not isinstance(data, Mapping) or "file" not in data:
            return data
        if len(data) > 1 or not isinstance(data["file"], str):
            raise ValueError("file given beside other keys, or is no path; allowed: a path alone")
        return _section_of(absolute(Path(data["file"]), info))

    @model_validator(mode="after")
    def _one_that_can_be_inverted(self) -> Self:
        names = ("px_per_mm", "homography", "points")
        given = [name for name in names if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"{' and '.join(given) or 'nothing'} given; allowed: exactly one of {', '.join(names)}, file"
            )
        from fastpose.config.homography import determinant

        if not abs(determinant(self.matrix)) > 0:
            raise ValueError("homography has determinant 0; allowed: a matrix that can be inverted")
        return self

    @property
    def matrix(self) -> Matrix:
        """The homography from px to mm."""
        if self.px_per_mm is not None:
            step = 1 / self.px_per_mm
            return ((step, 0.0, 0.0), (0.0, step, 0.0), (0.0, 0.0, 1.0))
        if self.homography is not None:
            return self.homography
        from fastpose.config.homography import fit_homography

        assert self.points is not None
        return fit_homography([pair.px for pair in self.points], [pair.mm for pair in self.points])

    def to_px(self, mm: Point) -> Point:
        """Return where a place of the arena is in the frame."""
        from fastpose.config.homography import inverse, map_places

        x, y = map_places(inverse(self.matrix), [mm])[0]
        return float(x), float(y)

    def to_mm(self, px: Point) -> Point:
        """Return where a place of the frame is in the arena."""
        from fastpose.config.homography import map_places

        x, y = map_places(self.matrix, [px])[0]
        return float(x), float(y)


def _section_of(file: Path) -> Any:
    try:
        section = yaml.load(file.read_text(encoding="utf-8"), Loader)  # a SafeLoader
    except OSError as error:
        raise ValueError(f"file {str(file)!r} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise ValueError(f"file {str(file)!r} is no YAML that `fastpose calibrate` wrote") from None
    if not isinstance(section, Mapping) or set(section) != {"calibration"}:
        raise ValueError(f"file {str(file)!r} has no calibration as `fastpose calibrate` writes it")
    if isinstance(section["calibration"], Mapping) and "file" in section["calibration"]:
        raise ValueError(f"file {str(file)!r} names another file; allowed: the calibration itself")
    return section["calibration"]

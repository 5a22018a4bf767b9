"""What the drivers of real cameras have in common."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator
from typing_extensions import Self

from fastpose.config.camera import CameraSection, Frames, PixelFormat, Rate
from fastpose.config.types import (
    NUMBER,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    Section,
    Size,
    Text,
    number_to_text,
)

Binning = Annotated[int, Field(ge=1, le=16), NUMBER]
Serial = Annotated[str, Field(min_length=1), BeforeValidator(number_to_text)]


class CameraTrigger(Section):
    """What starts an exposure."""

    source: Literal["internal", "software", "external_edge"] = "internal"
    """internal: the camera's own clock at rate_hz; software: the computer, at rate_hz; external_edge: an edge
    on `line`."""
    line: Text | None = None
    """Input of the camera, by the camera's name for it: Line1, ...; for external_edge."""
    activation: Literal["rising", "falling"] = "rising"

    @model_validator(mode="after")
    def _line_belongs_to_an_edge(self) -> Self:
        if (self.line is None) == (self.source == "external_edge"):
            wanted = "needs the line, such as Line1" if self.line is None else "takes no line"
            raise ValueError(f"source {self.source} {wanted}")
        return self


class RealCamera(CameraSection):
    """A camera that is a device. What a driver or a device does not have is refused, not ignored."""

    serial: Serial | None = None
    """Which device; null: the only one. `fastpose cameras` lists them."""
    size: Size | None = None
    """Width and height of the image that the sensor sends, px; null: as the camera is set."""
    offset: tuple[NonNegativeInt, NonNegativeInt] | None = None
    """Left column and top row of that image on the sensor, px; null: as the camera is set."""
    binning: tuple[Binning, Binning] | None = None
    """Sensor pixels that become one, across and down."""
    pixel_format: PixelFormat | None = None
    """null: as the camera is set."""
    rate_hz: Rate | None = None
    """null: as the camera is set; with external_edge, the rate to expect."""
    exposure_us: PositiveFloat | None = None
    gain_db: NonNegativeFloat | None = None
    camera_trigger: CameraTrigger = CameraTrigger()
    reconnect: bool = False
    """true: a camera that is gone is tried again until it is back; outputs are safe meanwhile. false: the
    session ends."""
    frames: Frames = "newest"
    """newest: a slow loop skips to the newest frame, drops are counted; every: the source waits."""

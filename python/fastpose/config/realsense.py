"""RealSense cameras: colour, infrared or depth."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from fastpose.config.real_camera import RealCamera
from fastpose.config.refusals import refuse_settings
from fastpose.config.types import NUMBER, Float, PositiveFloat

__all__ = ["RealSenseCamera"]

_REFUSED = {
    "offset": "these cameras send whole images; a network sees a part of them with model.roi",
    "binning": "choose another size",
    "gain_db": "these cameras have no decibels, their own scale is set with options: {gain: 16}",
    "camera_trigger": "they are wired among each other; options: {inter_cam_sync_mode: 1} leads, 2 follows",
}


class RealSenseCamera(RealCamera):
    """One stream of a RealSense camera."""

    driver: Literal["realsense"]
    stream: Literal["color", "infrared", "depth"] = "color"
    imager: Annotated[int, Field(ge=1, le=2), NUMBER] | None = None
    """Of infrared: 1 is the left one, 2 the right one; null: left."""
    depth_range_mm: tuple[PositiveFloat, PositiveFloat] | None = None
    """Of depth, which comes as mono8: this distance is white, that one black; 0 is where none is known."""
    options: dict[str, Float] = Field(default_factory=dict)
    """Options of the sensor by their name in librealsense: emitter_enabled: 0, laser_power: 150, ..."""
    pixel_format: Literal["mono8", "rgb8", "bgr8", "yuyv"] | None = None
    """null: rgb8 for color, mono8 for infrared and depth."""
    frames: Literal["newest"] = "newest"
    """A camera does not wait."""

    @model_validator(mode="after")
    def _settings_of_its_stream(self) -> Self:
        if self.stream != "infrared" and self.imager is not None:
            raise ValueError(f"imager is of stream infrared; stream is {self.stream}")
        if (self.stream == "depth") != (self.depth_range_mm is not None):
            wanted = "needs" if self.stream == "depth" else "takes no"
            raise ValueError(f"stream {self.stream} {wanted} depth_range_mm, such as [300, 1200]")
        if self.depth_range_mm is not None and self.depth_range_mm[0] >= self.depth_range_mm[1]:
            raise ValueError(f"depth_range_mm is {list(self.depth_range_mm)}; allowed: the nearer one first")
        if self.stream == "color" and self.pixel_format == "mono8":
            raise ValueError("pixel_format is mono8; allowed for color: rgb8, bgr8, yuyv")
        if self.stream != "color" and self.pixel_format not in (None, "mono8"):
            raise ValueError(f"pixel_format is {self.pixel_format}; allowed for {self.stream}: mono8")
        return self

    @model_validator(mode="after")
    def _only_what_it_has(self) -> Self:
        refuse_settings(self, _REFUSED)
        return self

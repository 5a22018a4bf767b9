"""V4L2 cameras: USB webcams and whatever else Linux shows as /dev/video*."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from fastpose.config.real_camera import RealCamera
from fastpose.config.types import NUMBER, Name, Text

JPEG_FORMATS = ("mono8", "rgb8", "bgr8")
"""What Motion-JPEG can be decoded to."""


class V4l2Camera(RealCamera):
    """A camera of Linux's own driver."""

    driver: Literal["v4l2"]
    device: Text | None = None
    """Device file such as /dev/video0; under /dev/v4l/by-id names stay the same after a reboot. Instead of
    serial."""
    compression: Literal["none", "mjpg"] = "none"
    """mjpg: the camera sends Motion-JPEG, which fits more frames through USB; it is decoded to pixel_format
    (mono8, rgb8 or bgr8) beside the loop, by libjpeg-turbo."""
    controls: dict[Name, bool | int] = Field(default_factory=dict)
    """The camera's own controls, set in this order and read back; `fastpose cameras` lists them."""
    memory: Literal["auto", "userptr", "mmap"] = "auto"
    """auto: the driver writes into our memory where it can, else each frame is copied once, which `fastpose
    check` says; userptr: an error where it cannot; mmap: always copied."""
    buffers: Annotated[int, Field(ge=2, le=32), NUMBER] = 8
    """Frames that the driver may fill before the first of them is taken."""

    @model_validator(mode="after")
    def _one_name_for_it(self) -> Self:
        if self.serial is not None and self.device is not None:
            raise ValueError("serial and device both name the camera; allowed: one of them")
        return self

    @model_validator(mode="after")
    def _jpeg_becomes_pixels(self) -> Self:
        if self.compression == "mjpg" and self.pixel_format not in JPEG_FORMATS:
            raise ValueError(
                f"pixel_format is {self.pixel_format or 'null'} with compression mjpg; "
                f"allowed: {', '.join(JPEG_FORMATS)}"
            )
        return self

    @model_validator(mode="after")
    def _no_more_than_v4l2_has(self) -> Self:
        lacking = {
            "offset": "V4L2 reads whole frames of a size; leave it out",
            "binning": "choose a smaller size; leave it out",
            "gain_db": "V4L2 knows no decibels; use controls: {gain: ...}",
        }
        for key, way_out in lacking.items():
            if getattr(self, key) is not None:
                raise ValueError(f"{key} cannot be set by driver v4l2: {way_out}")
        if self.camera_trigger.source != "internal":
            raise ValueError(
                f"camera_trigger.source is {self.camera_trigger.source}, which V4L2 does not know; allowed: "
                "internal (a maker's own trigger may be one of its controls)"
            )
        return self

    @model_validator(mode="after")
    def _driver_holds_part_of_the_ring(self) -> Self:
        if self.buffers + 5 > self.ring_slots:
            most = self.ring_slots - 5
            raise ValueError(
                f"buffers is {self.buffers} of {self.ring_slots} ring_slots; allowed: at most {most}"
            )
        return self

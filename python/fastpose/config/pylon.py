"""Basler cameras, through pylon."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator
from typing_extensions import Self

from fastpose.config.real_camera import RealCamera
from fastpose.config.types import ConfigPath, Text

Feature = bool | int | float | str
Chunk = Literal["timestamp", "counter"]


def _no_chunk_twice(chunks: tuple[Chunk, ...]) -> tuple[Chunk, ...]:
    if len(set(chunks)) < len(chunks):
        raise ValueError("chunks names one twice; allowed: timestamp, counter, each once")
    return chunks


class PylonCamera(RealCamera):
    """A Basler camera: USB3 Vision, GigE Vision, CoaXPress; or one of pylon's emulator."""

    driver: Literal["pylon"]
    emulated: bool = False
    """true: a camera of pylon's own emulator; serials are 0815-0000, 0815-0001, ..."""
    pfs: ConfigPath | None = None
    """Feature file saved by the pylon Viewer, loaded first; what this section gives goes before it."""
    features: dict[Text, Feature] = Field(default_factory=dict)
    """GenICam features by their names, set last, in this order; "execute" runs a command."""
    exposure_active_line: Text | None = None
    """Output of the camera that is high while it exposes: Line2, ..."""
    chunks: Annotated[tuple[Chunk, ...], AfterValidator(_no_chunk_twice)] = ()
    """What the camera sends along with each frame: timestamp (of the start of the exposure), counter (of
    exposures). Without it, the transport's own are used."""

    @model_validator(mode="after")
    def _software_trigger_needs_a_rate(self) -> Self:
        if self.camera_trigger.source == "software" and self.rate_hz is None:
            raise ValueError("camera_trigger.source is software without rate_hz; give the rate to trigger at")
        return self

    @model_validator(mode="after")
    def _basler_has_no_nv12(self) -> Self:
        if self.pixel_format == "nv12":
            raise ValueError("pixel_format is nv12, which no Basler camera sends; allowed: yuyv, mono8, ...")
        return self

"""Every kind of camera."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fastpose.config.camera import SimCamera, VideoCamera
from fastpose.config.realsense import RealSenseCamera
from fastpose.config.stream import StreamCamera

Camera = Annotated[SimCamera | VideoCamera | StreamCamera | RealSenseCamera, Field(discriminator="driver")]

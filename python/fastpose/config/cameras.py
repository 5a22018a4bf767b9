"""Every kind of camera."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fastpose.config.camera import SimCamera, VideoCamera
from fastpose.config.v4l2 import V4l2Camera

Camera = Annotated[SimCamera | VideoCamera | V4l2Camera, Field(discriminator="driver")]

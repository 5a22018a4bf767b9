"""Every kind of camera."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fastpose.config.camera import SimCamera, VideoCamera

Camera = Annotated[SimCamera | VideoCamera, Field(discriminator="driver")]

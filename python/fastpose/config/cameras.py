"""Every kind of camera."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from fastpose.config.aravis import AravisCamera
from fastpose.config.camera import SimCamera, VideoCamera
from fastpose.config.pylon import PylonCamera
from fastpose.config.realsense import RealSenseCamera
from fastpose.config.stream import StreamCamera
from fastpose.config.v4l2 import V4l2Camera

Camera = Annotated[
    SimCamera | VideoCamera | PylonCamera | AravisCamera | V4l2Camera | StreamCamera | RealSenseCamera,
    Field(discriminator="driver"),
]

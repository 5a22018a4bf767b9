"""Cameras by the name of their driver; a driver's module is imported when it is asked for.

Each module has:

``look(spec) -> CameraLook``
    What the camera delivers, for checks before a session; needs nothing compiled where it can.
``open_source(name, spec) -> CameraSource``
    Open it far enough to know what it delivers, really set and read back.
``spawn(source, hosting) -> Host or None``
    Start the process that fills the source's ring; None where a C++ driver does that.
``hosted(spec) -> bool``
    Whether it brings work of its own beside the engine's threads.
``found() -> list of FoundCamera``
    The devices that this machine has, for ``fastpose cameras``.
"""

from __future__ import annotations

import importlib
from typing import Protocol, cast

from fastpose.config import Camera
from fastpose.drivers.source import CameraLines, CameraLook, CameraSource, DriverAbsent, FoundCamera, Hosting
from fastpose.hosts.host import Host

__all__ = [
    "DRIVERS",
    "CameraLines",
    "CameraLook",
    "CameraSource",
    "Driver",
    "DriverAbsent",
    "FoundCamera",
    "Hosting",
    "driver_of",
]

DRIVERS = {
    "sim": "fastpose.drivers.sim",
    "video": "fastpose.drivers.video",
    "aravis": "fastpose.drivers.aravis",
    "pylon": "fastpose.drivers.pylon",
    "stream": "fastpose.drivers.stream",
    "realsense": "fastpose.drivers.realsense",
    "v4l2": "fastpose.drivers.v4l2",
}
"""Module of each driver, in the order in which ``fastpose cameras`` lists them."""


class Driver(Protocol):
    """What a driver's module has."""

    def look(self, spec: Camera) -> CameraLook: ...
    def open_source(self, name: str, spec: Camera) -> CameraSource: ...
    def spawn(self, source: CameraSource, hosting: Hosting) -> Host | None: ...
    def hosted(self, spec: Camera) -> bool: ...
    def found(self) -> list[FoundCamera]: ...


def driver_of(name: str) -> Driver:
    """The module of a driver, by the name that configs use."""
    return cast("Driver", importlib.import_module(DRIVERS[name]))

"""What is known of a camera: before a session, in it, and when it is only listed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastpose.config import Camera, PixelFormat, PylonOutput
from fastpose.errors import CameraError
from fastpose.hosts.host import Host
from fastpose.hosts.progress import Progress

if TYPE_CHECKING:
    from fastpose import _core

__all__ = [
    "CameraLines",
    "CameraLook",
    "CameraSource",
    "DriverAbsent",
    "FoundCamera",
    "Hosting",
    "source_of_driver",
]

_BYTES_PER_PIXEL = {"rgb8": 3.0, "bgr8": 3.0, "yuyv": 2.0, "nv12": 1.5, "mono10": 2.0, "mono12": 2.0}


class DriverAbsent(CameraError):  # noqa: N818  it is no error that a machine lacks a kind of camera
    """A driver cannot work on this machine; the text says why and what to install."""


@dataclass(frozen=True)
class Hosting:
    """How a camera's process runs.

    Attributes
    ----------
    stderr_path : path
        Where what it says goes.
    nice : int
        Added to its niceness.
    cpus : tuple of int
        Cores that it keeps to; empty: any.
    spin_us : int
        Longest time for which it may look for a frame without sleeping; us.
    """

    stderr_path: str | os.PathLike[str]
    nice: int = 0
    cpus: tuple[int, ...] = ()
    spin_us: int = 0


@dataclass(frozen=True)
class CameraLook:
    """What a camera would deliver.

    Attributes
    ----------
    size : tuple of int
        Width, height; px.
    rate_hz : float
    length_s : float or None
        Until it ends by itself; None: never, or unknown.
    channels : int
        1 for grey and raw colour filters, 3 for colour.
    says : str
        What it is, in words.
    key : str
        Key of the config that names it, for messages; empty: the camera as a whole.
    pixel_format : str or None
        None: not known before it is opened; then mono8 or rgb8 is assumed.
    """

    size: tuple[int, int]
    rate_hz: float
    length_s: float | None
    channels: int
    says: str
    key: str = ""
    pixel_format: PixelFormat | None = None

    @property
    def likely_format(self) -> PixelFormat:
        """The pixel format, as far as it is known."""
        return self.pixel_format or ("rgb8" if self.channels == 3 else "mono8")

    @property
    def bytes_per_s(self) -> float:
        """Of its pixels."""
        per_pixel = _BYTES_PER_PIXEL.get(self.likely_format, 1.0)
        return per_pixel * self.size[0] * self.size[1] * self.rate_hz

    def __str__(self) -> str:
        length = "" if self.length_s is None else f", {self.length_s:.0f} s"
        return f"{self.says}, {self.size[0]}x{self.size[1]} px, {self.rate_hz:.4g} Hz{length}"


@dataclass(frozen=True)
class FoundCamera:
    """A device that is there.

    Attributes
    ----------
    driver : str
        Of the config.
    serial : str
        What the config's ``serial`` (or ``device``) takes to mean this one.
    name : str
        Maker and model.
    formats : tuple of str
        Pixel formats, in the config's names.
    size : tuple of int or None
        Largest width and height, px.
    rates_hz : tuple of float
        Lowest and highest, or those that it has; empty: not known.
    note : str
        What a user should know: in use by another program, no permission, ...
    """

    driver: str
    serial: str
    name: str
    formats: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    rates_hz: tuple[float, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class CameraLines:
    """Lines of a camera that are outputs of the experiment; the camera's process moves them.

    Attributes
    ----------
    block : str
        Name of the shared memory through which they are commanded.
    outputs : mapping
        The outputs by their names, in the order of the block's lines.
    """

    block: str
    outputs: Mapping[str, PylonOutput]


@dataclass
class CameraSource:
    """What a camera delivers, known before anything starts; and what runs for it in a session.

    Attributes
    ----------
    frame_size : tuple of int
        Width, height; px.
    total_frames : int or None
        Frames until it ends by itself; None: unknown.
    driver : Camera or None
        C++ driver; None for one that a process of its own hosts.
    stride_bytes, buffer_bytes, slots_held : int
        As in `fastpose._core.Ring.create` (there ``producer_slots``): bytes of a row, bytes that the driver
        needs of each slot (0: those of the frame), slots that it holds at once.
    details : dict
        What was read back from the device, for session.json.
    lines : CameraLines or None
        Its lines that are outputs; None: it has none.
    progress : Progress
        Of the encoder.
    notes : tuple of str
        What a user should know; each becomes a warning of the session.
    """

    name: str
    spec: Camera
    frame_size: tuple[int, int]
    pixel_format: PixelFormat
    rate_hz: float
    total_frames: int | None
    driver: _core.Camera | None = None
    stride_bytes: int = 0
    buffer_bytes: int = 0
    slots_held: int = 1
    details: dict[str, object] | None = None
    lines: CameraLines | None = None
    notes: tuple[str, ...] = ()
    ring: _core.Ring | None = None
    host: Host | None = None
    encoder: Host | None = None
    progress: Progress = field(default_factory=Progress)


def source_of_driver(
    name: str,
    spec: Camera,
    driver: _core.Camera,
    *,
    details: Mapping[str, object],
    notes: tuple[str, ...] = (),
) -> CameraSource:
    """What a device delivers whose C++ driver has opened it and read back what it was set to."""
    return CameraSource(
        name,
        spec,
        driver.frame_size,
        driver.pixel_format,
        driver.rate_hz,
        None,
        driver,
        stride_bytes=driver.stride_bytes,
        buffer_bytes=driver.buffer_bytes,
        slots_held=driver.depth,
        details=dict(details),
        notes=notes,
    )

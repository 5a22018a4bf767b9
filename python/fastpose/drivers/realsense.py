"""RealSense cameras through pyrealsense2, in a process of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from fastpose.config import Camera, PixelFormat, RealSenseCamera
from fastpose.drivers.source import CameraLook, CameraSource, DriverAbsent, FoundCamera, Hosting
from fastpose.errors import CameraError
from fastpose.hosts.host import Host
from fastpose.hosts.realsense_options import RealSenseOptions, StreamChoice

if TYPE_CHECKING:
    from fastpose.hosts.realsense_device import Device, Profile

__all__ = ["found", "hosted", "look", "open_source", "spawn"]


def look(spec: Camera) -> CameraLook:
    """Find the camera and its stream; nothing is started.

    Raises
    ------
    DriverAbsent
        pyrealsense2 is not installed.
    CameraError
        The camera is not there or has no such stream.
    """
    assert isinstance(spec, RealSenseCamera)
    device, profile = _profile(spec)
    says = f"{device.name} {device.serial}, {spec.stream}"
    channels = 3 if profile.pixel_format in ("rgb8", "bgr8", "yuyv") else 1
    return CameraLook((profile.width, profile.height), float(profile.rate_hz), None, channels, says)


def open_source(name: str, spec: Camera) -> CameraSource:
    """Find the camera and its stream; see `look`."""
    assert isinstance(spec, RealSenseCamera)
    device, profile = _profile(spec)
    return CameraSource(
        name,
        spec,
        (profile.width, profile.height),
        _pixel_format(spec),
        float(profile.rate_hz),
        None,
        details={"serial": device.serial, "model": device.name, "stream": spec.stream},
    )


def spawn(source: CameraSource, hosting: Hosting) -> Host:
    """Start the process that takes the camera's frames."""
    spec = source.spec
    assert isinstance(spec, RealSenseCamera) and source.ring is not None
    options = RealSenseOptions(
        source.ring.name,
        source.name,
        _choice(spec),
        spec.exposure_us,
        spec.options,
        spec.depth_range_mm,
        spec.reconnect,
        hosting.nice,
        hosting.cpus,
    )
    return Host(
        "fastpose.hosts.realsense", asdict(options), stderr_path=hosting.stderr_path, error=CameraError
    )


def hosted(_spec: Camera) -> bool:
    return True


def found() -> list[FoundCamera]:
    """A row for each stream of each camera.

    Raises
    ------
    DriverAbsent
        pyrealsense2 is not installed.
    """
    return [row for device in _devices() for row in _rows(device)]


def _rows(device: Device) -> list[FoundCamera]:
    profiles = device.profiles()
    streams = sorted({profile.stream for profile in profiles})
    return [_row(device, stream, [p for p in profiles if p.stream == stream]) for stream in streams]


def _row(device: Device, stream: str, profiles: Sequence[Profile]) -> FoundCamera:
    return FoundCamera(
        "realsense",
        device.serial,
        f"{device.name}, stream: {stream}",
        tuple(sorted({profile.pixel_format for profile in profiles})),
        max(((p.width, p.height) for p in profiles), key=lambda size: size[0] * size[1]),
        tuple(sorted({float(profile.rate_hz) for profile in profiles})),
        device.note,
    )


def _profile(spec: RealSenseCamera) -> tuple[Device, Profile]:
    from fastpose.hosts.realsense_device import choose_profile, find_device

    device = find_device(spec.serial or "", _devices)
    return device, choose_profile(device, _choice(spec))


def _devices() -> list[Device]:
    from fastpose.hosts.realsense_device import devices

    try:
        return devices()
    except ImportError as error:
        raise DriverAbsent(str(error)) from error


def _choice(spec: RealSenseCamera) -> StreamChoice:
    imager = (spec.imager or 1) if spec.stream == "infrared" else 0
    return StreamChoice(spec.serial or "", spec.stream, imager, spec.size, spec.rate_hz, _pixel_format(spec))


def _pixel_format(spec: RealSenseCamera) -> PixelFormat:
    return spec.pixel_format or ("rgb8" if spec.stream == "color" else "mono8")

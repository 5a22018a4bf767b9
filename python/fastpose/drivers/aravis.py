"""GigE Vision and USB3 Vision cameras through Aravis, in C++."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from fastpose.config import AravisCamera, Camera
from fastpose.drivers.source import (
    CameraLook,
    CameraSource,
    DriverAbsent,
    FoundCamera,
    Hosting,
    source_of_driver,
)
from fastpose.errors import CameraError

__all__ = ["found", "hosted", "look", "open_source", "runtime", "spawn"]

SIMULATED = "Fake_1"
RECEIVE_LIMIT = Path("/proc/sys/net/core/rmem_max")
PACKAGES = "libaravis-dev libusb-1.0-0-dev libxml2-dev zlib1g-dev pkg-config"


def look(spec: Camera) -> CameraLook:
    """Open the camera, set it up as asked, read it back, and let it go.

    Raises
    ------
    CameraError
        It is not there, in use, or cannot be set as asked.
    DriverAbsent
        This fastpose was built without Aravis.
    """
    assert isinstance(spec, AravisCamera)
    camera = _open(spec)
    details = camera.details
    says = " ".join(filter(None, (details.get("vendor"), details.get("model"), details.get("serial"))))
    if "packet_size" in details:
        says += f", packets of {details['packet_size']} bytes{_small_buffer(spec.gige.socket_buffer_bytes)}"
    channels = 3 if camera.pixel_format in ("rgb8", "bgr8") else 1
    return CameraLook(camera.frame_size, camera.rate_hz, None, channels, says)


def open_source(name: str, spec: Camera) -> CameraSource:
    """Open the camera and set it up; it exposes when the engine arms it. Raises as `look`."""
    assert isinstance(spec, AravisCamera)
    camera = _open(spec)
    return source_of_driver(name, spec, camera, details=camera.details)


def spawn(_source: CameraSource, _hosting: Hosting) -> None:
    """It runs on threads of the engine."""


def hosted(_spec: Camera) -> bool:
    """Aravis receives on a thread of its own."""
    return True


def found() -> list[FoundCamera]:
    """Ask the network and the USB bus; takes about a second.

    Raises
    ------
    DriverAbsent
        This fastpose was built without Aravis.
    """
    module = runtime()
    return [_described(module, device) for device in module.found()]


def runtime() -> Any:
    """The module fastpose._aravis; raises DriverAbsent with the way out."""
    try:
        return importlib.import_module("fastpose._aravis")
    except ModuleNotFoundError:
        reason = "this fastpose was built without Aravis"
    except ImportError as error:
        reason = f"Aravis cannot be loaded ({error})"
    raise DriverAbsent(
        f"driver aravis: {reason}; install it and build again: "
        f"apt-get install {PACKAGES}, then pip install --force-reinstall --no-deps ."
    )


def _open(spec: AravisCamera) -> Any:
    module = runtime()
    if spec.simulated:
        module.enable_fake()
    return module.make_camera(_spec(module, spec))


def _spec(module: Any, spec: AravisCamera) -> Any:
    trigger = spec.camera_trigger
    return module.Spec(
        serial=spec.serial or (SIMULATED if spec.simulated else ""),
        size=spec.size,
        offset=spec.offset,
        binning=spec.binning,
        pixel_format=spec.pixel_format,
        rate_hz=spec.rate_hz,
        exposure_us=spec.exposure_us,
        gain_db=spec.gain_db,
        trigger=module.Trigger(source=trigger.source, line=trigger.line or "", activation=trigger.activation),
        ptp=spec.ptp,
        features=list(spec.features.items()),
        buffers=spec.buffers,
        gige=module.Gige(**spec.gige.model_dump()),
    )


def _small_buffer(asked: int, limit_file: Path = RECEIVE_LIMIT) -> str:
    """What to do where the system grants a smaller receive buffer, which it does without a word."""
    try:
        granted = int(limit_file.read_text())
    except (OSError, ValueError):
        return ""
    if granted >= asked:
        return ""
    return (
        f" (the system grants a receive buffer of {granted} bytes only: sysctl -w net.core.rmem_max={asked})"
    )


def _described(module: Any, device: dict[str, str]) -> FoundCamera:
    serial, name = device["serial"] or device["id"], f"{device['vendor']} {device['model']}"
    note = f"{device['protocol']}, {device['address']}"
    try:
        offer = module.offer(device["id"])
    except CameraError as error:
        return FoundCamera("aravis", serial, name, note=f"{note}; {error}")
    return FoundCamera("aravis", serial, name, offer["formats"], offer["size"], offer["rates_hz"], note)

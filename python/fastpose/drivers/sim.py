"""The simulated camera: an animal with known keypoints, rendered in C++."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from fastpose.config import Camera, PixelFormat, SimCamera
from fastpose.drivers.source import CameraLook, CameraSource, FoundCamera, Hosting

if TYPE_CHECKING:
    from fastpose import _core

__all__ = ["found", "hosted", "look", "open_source", "spawn"]


def look(spec: Camera) -> CameraLook:
    """Nothing has to be opened."""
    assert isinstance(spec, SimCamera)
    length_s = spec.frames_total / spec.rate_hz if spec.frames_total else None
    channels = 3 if spec.pixel_format in ("rgb8", "bgr8") else 1
    says, pixel_format = f"simulated {spec.shape}", spec.pixel_format
    return CameraLook(spec.size, spec.rate_hz, length_s, channels, says, pixel_format=pixel_format)


def open_source(name: str, spec: Camera) -> CameraSource:
    """Make the camera; it renders when it is armed."""
    from fastpose import _core

    assert isinstance(spec, SimCamera)
    driver = _core.make_sim_camera(_sim_spec(spec))
    return CameraSource(name, spec, spec.size, spec.pixel_format, spec.rate_hz, spec.frames_total, driver)


def spawn(_source: CameraSource, _hosting: Hosting) -> None:
    """It runs on a thread of the engine."""


def hosted(_spec: Camera) -> bool:
    return False


def found() -> list[FoundCamera]:
    """There is always one."""
    formats = get_args(PixelFormat)
    return [FoundCamera("sim", "", "simulated animal in an arena", formats, (8192, 8192), (0.1, 10000.0))]


def _sim_spec(spec: SimCamera) -> _core.SimSpec:
    from fastpose import _core

    not_its_own = {
        "driver",
        "frames",
        "ring_slots",
        "reconnect",
        "lighting",
        "clock",
        "faults",
        "camera_trigger",
        "led",
    }
    return _core.SimSpec(
        **spec.model_dump(exclude=not_its_own),
        lighting=_core.SimLighting(**spec.lighting.model_dump()),
        clock=_core.SimClock(**spec.clock.model_dump()),
        faults=_core.SimFaults(**spec.faults.model_dump()),
        camera_trigger=_core.SimTrigger(
            source=spec.camera_trigger.source, line=spec.camera_trigger.line or ""
        ),
        led=_core.SimLed(**spec.led.model_dump()) if spec.led is not None else None,
        every_frame=spec.frames == "every",
    )

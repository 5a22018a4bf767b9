"""V4L2 cameras: found by serial or device file, opened by the C++ driver."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fastpose.config import Camera, V4l2Camera
from fastpose.drivers.source import (
    CameraLook,
    CameraSource,
    DriverAbsent,
    FoundCamera,
    Hosting,
    source_of_driver,
)
from fastpose.drivers.v4l2_nodes import Node, nodes, pick
from fastpose.errors import CameraError

if TYPE_CHECKING:
    from fastpose import _core

__all__ = ["found", "hosted", "look", "open_source", "spawn"]


def look(spec: Camera) -> CameraLook:
    """Open the camera, set it as in a session, read it back and close it.

    Raises
    ------
    DriverAbsent
        This is not Linux.
    CameraError
        It is not there, in use, or cannot do what is asked for.
    """
    assert isinstance(spec, V4l2Camera)
    camera = _open(spec)
    settings = camera.settings
    channels = 1 if camera.pixel_format.startswith(("mono", "bayer")) else 3
    copied = f", {settings['why_copied']}" if settings["why_copied"] else ", into the ring's slots"
    says = f"{settings['card']} at {settings['path']}, {settings['fourcc']}{copied}"
    return CameraLook(camera.frame_size, camera.rate_hz, None, channels, says)


def open_source(name: str, spec: Camera) -> CameraSource:
    """Open the camera and set it; what it was really set to lies in the source's details.

    Raises
    ------
    DriverAbsent, CameraError
        As for `look`.
    """
    assert isinstance(spec, V4l2Camera)
    camera = _open(spec)
    details = {**camera.settings, "exposure_us": camera.exposure_ns / 1000, "rate_hz": camera.rate_hz}
    return source_of_driver(name, spec, camera, details=details, notes=_notes(name, camera))


def _notes(name: str, camera: _core.V4l2Camera) -> tuple[str, ...]:
    copied = camera.settings["why_copied"]
    notes = [f"camera '{name}': {copied}"] if copied else []
    if not camera.exposure_ns:
        notes.append(
            f"camera '{name}': its exposure time is automatic or unknown; set exposure_us to make it constant"
        )
    return tuple(notes)


def spawn(_source: CameraSource, _hosting: Hosting) -> None:
    """It runs on a thread of the engine."""


def hosted(spec: Camera) -> bool:
    """Decoding is work beside the loop."""
    assert isinstance(spec, V4l2Camera)
    return spec.compression != "none"


def found() -> list[FoundCamera]:
    """Every device that captures video, with formats, sizes and rates.

    Raises
    ------
    DriverAbsent
        This is not Linux, or there is no /dev/video*.
    """
    _need_linux()
    here = nodes()
    if not here:
        raise DriverAbsent("'v4l2' finds no /dev/video*: plug a camera in (a container must be given it)")
    return [camera for node in here if (camera := _found(node)) is not None]


def _found(node: Node) -> FoundCamera | None:
    from fastpose import _core

    try:
        described = _core.v4l2_describe(str(node.stable_path))
    except CameraError as error:
        if "captures no video" in str(error):
            return None  # the node of a camera's metadata
        return FoundCamera("v4l2", node.serial or str(node.path), node.name, note=str(error))
    formats = described["formats"]
    sizes = [size for format_ in formats if format_["pixel_format"] for size in format_["sizes"]]
    rates = sorted({rate for size in sizes for rate in size["rates_hz"]})
    return FoundCamera(
        "v4l2",
        node.serial or str(node.path),
        described["card"],
        tuple(format_["pixel_format"] for format_ in formats if format_["pixel_format"]),
        max((size["size"] for size in sizes), key=lambda size: size[0] * size[1], default=None),
        (rates[0], rates[-1]) if rates else (),
        _note(node, described),
    )


def _note(node: Node, described: _core._V4l2Description) -> str:
    """The device file, each size with its rates, and the controls."""
    parts = [str(node.path)]
    for format_ in described["formats"]:
        sizes = ", ".join(_size_text(size) for size in format_["sizes"])
        supported = "" if format_["pixel_format"] else " (not supported)"
        parts.append(f"{format_['fourcc']}{supported}: {sizes or 'any size'}")
    if described["controls"]:
        parts.append("controls: " + ", ".join(_control_text(control) for control in described["controls"]))
    return "; ".join(parts)


def _size_text(size: _core._V4l2Size) -> str:
    width, height = size["size"]
    rates = "/".join(f"{rate:.4g}" for rate in size["rates_hz"])
    return f"{width}x{height}" + (f" at {rates} Hz" if rates else "")


def _control_text(control: _core._V4l2Control) -> str:
    allowed = " | ".join(control["menu"]) or f"{control['minimum']} to {control['maximum']}"
    return f"{control['name']} {control['value']} ({allowed})"


def _open(spec: V4l2Camera) -> _core.V4l2Camera:
    _need_linux()
    from fastpose import _core

    return _core.make_v4l2_camera(
        path=str(_path_of(spec)),
        pixel_format=spec.pixel_format,
        mjpg=spec.compression == "mjpg",
        size=spec.size,
        rate_hz=spec.rate_hz,
        exposure_us=spec.exposure_us,
        controls=[(name, int(value)) for name, value in spec.controls.items()],
        memory=spec.memory,
        buffers=spec.buffers,
    )


def _path_of(spec: V4l2Camera) -> Path:
    if spec.device is not None:
        return Path(spec.device)
    return pick(nodes(), spec.serial, _captures).stable_path


def _captures(node: Node) -> bool:
    """Whether a node gives video: a webcam often has a second one for its metadata."""
    from fastpose import _core

    try:
        _core.v4l2_describe(str(node.path))
    except CameraError as error:
        return "captures no video" not in str(error)
    return True


def _need_linux() -> None:
    if sys.platform != "linux":
        raise DriverAbsent("'v4l2' is Linux's; on this system use driver: stream for a webcam")

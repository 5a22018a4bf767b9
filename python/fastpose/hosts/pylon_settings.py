"""Sets a Basler camera as its config says, and reads back what it really does."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from fastpose.errors import CameraError
from fastpose.hosts.pylon_chunks import enable_chunks
from fastpose.hosts.pylon_library import saying
from fastpose.hosts.pylon_nodes import Nodes
from fastpose.hosts.pylon_options import Delivered, Line, PylonSettings

__all__ = ["PIXEL_FORMATS", "delivered", "free_user_output", "set_camera", "set_output_line"]

PIXEL_FORMATS: dict[str, tuple[str, ...]] = {
    "mono8": ("Mono8",),
    "mono10": ("Mono10",),
    "mono12": ("Mono12",),
    "rgb8": ("RGB8", "RGB8Packed"),
    "bgr8": ("BGR8", "BGR8Packed"),
    "bayer_rg8": ("BayerRG8",),
    "bayer_gr8": ("BayerGR8",),
    "bayer_gb8": ("BayerGB8",),
    "bayer_bg8": ("BayerBG8",),
    "yuyv": ("YCbCr422_8", "YUV422_8", "YUV422_YUYV_Packed"),
}
"""Ours, and what GenICam calls the same bytes; mono10 and mono12 are 16 bit, little-endian."""

_EXPOSURE = ("ExposureTime", "ExposureTimeAbs")
_RATE = ("AcquisitionFrameRate", "AcquisitionFrameRateAbs")
_GRANTED_RATE = ("ResultingFrameRate", "ResultingFrameRateAbs", "BslResultingAcquisitionFrameRate")
_PTP = ("PtpStatus", "GevIEEE1588Status", "BslPtpServoStatus")
_EDGES = {"rising": "RisingEdge", "falling": "FallingEdge"}


def set_camera(pylon: Any, camera: Any, settings: PylonSettings) -> Nodes:
    """Set an open camera; returns its features.

    Raises
    ------
    CameraError
        It does not take a value; the line says what it allows.
    """
    nodes = Nodes(camera.GetNodeMap())
    if settings.pfs is not None:
        with saying(f"pfs '{settings.pfs}' cannot be loaded into this camera"):
            pylon.FeaturePersistence.Load(settings.pfs, camera.GetNodeMap(), True)
    _set_region(nodes, settings)
    if settings.pixel_format is not None:
        _set_format(nodes, settings.pixel_format)
    _set_exposure(nodes, settings)
    _set_trigger(nodes, settings)
    _set_rate(nodes, settings)
    if settings.exposure_active_line is not None:
        _set_source("exposure_active_line", settings.exposure_active_line, "ExposureActive", nodes)
    enable_chunks(nodes, settings.chunks)
    for name, value in settings.features.items():
        nodes.set_feature(name, value)
    return nodes


def delivered(nodes: Nodes, settings: PylonSettings) -> Delivered:
    """What the camera does now.

    Raises
    ------
    CameraError
        Its pixel format is none of ours, or it is slower than the config asks for.
    """
    exposure_us = nodes.number(*_EXPOSURE) or 0.0
    return Delivered(
        size=(int(nodes.number("Width") or 0), int(nodes.number("Height") or 0)),
        pixel_format=_our_format(nodes.text("PixelFormat") or ""),
        buffer_bytes=int(nodes.number("PayloadSize") or 0),
        rate_hz=_granted_rate(nodes, settings, exposure_us),
        exposure_us=exposure_us,
        gain_db=nodes.number("Gain"),
        details=_details(nodes),
    )


def free_user_output(nodes: Nodes, line: Line, taken: Collection[str]) -> str:
    """The user output for a line: the one asked for, else the first that the line takes and no other has.

    Raises
    ------
    CameraError
        There is no such line, or no such user output that is free.
    """
    nodes.choose(f"outputs.{line.name}.line", line.line, "LineSelector")
    sources = [source for source in nodes.choices("LineSource") if source.startswith("UserOutput")]
    free = [source for source in sources if source not in taken]
    wanted = line.user_output or next(iter(free), None)
    if wanted in free and wanted is not None:
        return wanted
    allowed = ", ".join(free) or "none: this line has no user output that is free"
    raise CameraError(
        f"outputs.{line.name}.user_output {wanted or 'null'} on {line.line}: allowed: {allowed}"
    )


def set_output_line(nodes: Nodes, line: Line, user_output: str) -> None:
    """Make a line show a user output.

    Raises
    ------
    CameraError
        It cannot be an output, or cannot be inverted as asked.
    """
    key = f"outputs.{line.name}.line"
    nodes.choose(key, line.line, "LineSelector")
    if nodes.writable("LineInverter") is not None:
        nodes.set_feature("LineInverter", line.inverted)
    elif line.inverted:
        raise CameraError(f"outputs.{line.name}.inverted true: this camera inverts no line; allowed: false")
    _set_source(key, line.line, user_output, nodes)


def _set_region(nodes: Nodes, settings: PylonSettings) -> None:
    if settings.binning is not None:
        for value, name in zip(settings.binning, ("BinningHorizontal", "BinningVertical"), strict=True):
            if value != 1 or nodes.writable(name) is not None:
                nodes.set_integer("binning", value, name)
    if settings.size is not None or settings.offset is not None:
        for name in ("OffsetX", "OffsetY"):  # first to 0, or a larger size would not fit
            if nodes.writable(name) is not None:
                nodes.set_integer("offset", 0, name)
    for value, name in zip(settings.size or (), ("Width", "Height"), strict=False):
        nodes.set_integer("size", value, name)
    for value, name in zip(settings.offset or (), ("OffsetX", "OffsetY"), strict=False):
        nodes.set_integer("offset", value, name)


def _set_format(nodes: Nodes, wanted: str) -> None:
    if wanted not in PIXEL_FORMATS:
        raise CameraError(
            f"pixel_format {wanted}: Basler cameras have none; allowed: {', '.join(PIXEL_FORMATS)}"
        )
    offered = set(nodes.choices("PixelFormat"))
    if not offered.intersection(PIXEL_FORMATS[wanted]):
        allowed = ", ".join(ours for ours, names in PIXEL_FORMATS.items() if offered.intersection(names))
        raise CameraError(f"pixel_format {wanted}: this camera has none; allowed: {allowed}")
    nodes.choose("pixel_format", PIXEL_FORMATS[wanted], "PixelFormat")


def _set_exposure(nodes: Nodes, settings: PylonSettings) -> None:
    if settings.exposure_us is not None:
        nodes.switch_off("ExposureAuto")
        nodes.set_number("exposure_us", settings.exposure_us, *_EXPOSURE)
    if settings.gain_db is not None:
        nodes.switch_off("GainAuto")
        nodes.set_number("gain_db", settings.gain_db, "Gain", what="set features: {GainRaw: ...} instead")


def _set_trigger(nodes: Nodes, settings: PylonSettings) -> None:
    """One trigger starts each exposure; all others of the camera are off."""
    selectors = nodes.choices("TriggerSelector")
    for selector in [each for each in selectors if each != "FrameStart"] + ["FrameStart"]:
        if selector in selectors:
            nodes.choose("camera_trigger", selector, "TriggerSelector")
            nodes.switch_off("TriggerMode")
    if settings.trigger_source == "internal":
        return
    software = settings.trigger_source == "software"
    source = "Software" if software else settings.trigger_line
    nodes.choose("camera_trigger.line" if not software else "camera_trigger.source", source, "TriggerSource")
    if not software:
        edge = _EDGES[settings.trigger_activation]
        nodes.choose("camera_trigger.activation", edge, "TriggerActivation")
    nodes.choose("camera_trigger.source", "On", "TriggerMode")


def _set_rate(nodes: Nodes, settings: PylonSettings) -> None:
    internal = settings.trigger_source == "internal"
    if settings.rate_hz is None and internal:
        return
    if nodes.writable("AcquisitionFrameRateEnable") is not None:
        nodes.set_feature("AcquisitionFrameRateEnable", internal)
    if internal:
        nodes.set_number("rate_hz", settings.rate_hz or 0.0, *_RATE)


def _granted_rate(nodes: Nodes, settings: PylonSettings, exposure_us: float) -> float | None:
    if settings.trigger_source != "internal":
        return settings.rate_hz
    granted = nodes.number(*_GRANTED_RATE) or nodes.number(*_RATE) or settings.rate_hz or 0.0
    granted = min(granted, 1e6 / exposure_us) if exposure_us else granted
    if settings.rate_hz is not None and granted < 0.99 * settings.rate_hz:
        raise CameraError(
            f"rate_hz {settings.rate_hz:g}: with exposure_us {exposure_us:g} and this size the camera grants "
            f"{granted:.4g}; allowed: at most that; or shorten the exposure, or lower the size"
        )
    return granted


def _set_source(key: str, line: str, source: str, nodes: Nodes) -> None:
    nodes.choose(key, line, "LineSelector")
    if "Output" in nodes.choices("LineMode"):
        nodes.choose(key, "Output", "LineMode")
    nodes.choose(f"{key} {line}", source, "LineSource")


def _our_format(name: str) -> str:
    for ours, theirs in PIXEL_FORMATS.items():
        if name in theirs:
            return ours
    raise CameraError(
        f"the camera's pixel format is {name}, which fastpose does not read; give pixel_format, allowed: "
        f"{', '.join(PIXEL_FORMATS)}"
    )


def _details(nodes: Nodes) -> dict[str, Any]:
    found = {
        "model": nodes.text("DeviceModelName"),
        "firmware": nodes.text("DeviceFirmwareVersion", "DeviceVersion"),
        "user_id": nodes.text("DeviceUserID"),
        "ptp": nodes.text(*_PTP),
        "temperature_celsius": nodes.number("DeviceTemperature"),
    }
    return {key: value for key, value in found.items() if value not in (None, "")}

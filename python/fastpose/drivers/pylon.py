"""Basler cameras: each in a process of its own, which grabs straight into the ring."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from dataclasses import asdict, replace
from typing import Any, cast

from fastpose.config import Camera, PixelFormat, PylonCamera
from fastpose.drivers.source import CameraLines, CameraLook, CameraSource, DriverAbsent, FoundCamera, Hosting
from fastpose.errors import CameraError, CameraTimeout
from fastpose.hosts.host import Host
from fastpose.hosts.pylon_options import Delivered, Line, PylonOptions, PylonSettings

__all__ = ["found", "hosted", "look", "open_source", "settings_of", "spawn"]

BUFFERS = 9  # that pylon has at least while the recorder holds the others; it rehearses with one of them
_PROBE_TIMEOUT_S = 60.0
_EXTRA = "pip install 'fastpose-rig[pylon]'"


def look(spec: Camera) -> CameraLook:
    """Open it, set it, read back, close.

    Raises
    ------
    CameraError
        It is not there, in use, or does not take a setting.
    """
    assert isinstance(spec, PylonCamera)
    got = _deliver(spec)
    channels = 3 if got.pixel_format in ("rgb8", "bgr8", "yuyv") else 1
    says = f"{got.details.get('model', 'Basler camera')} {got.details.get('serial', '')}".strip()
    return CameraLook(got.size, _rate_hz(got), None, channels, says, key="serial")


def open_source(name: str, spec: Camera) -> CameraSource:
    """What the camera delivers, set and read back; it is closed again until its process opens it.

    Raises
    ------
    CameraError
        It is not there, in use, or does not take a setting.
    """
    assert isinstance(spec, PylonCamera)
    got = _deliver(spec)
    return CameraSource(
        name,
        spec,
        got.size,
        cast(PixelFormat, got.pixel_format),  # the process knows no others
        _rate_hz(got),
        None,
        buffer_bytes=got.buffer_bytes,
        slots_held=BUFFERS,
        details=_details(got),
    )


def spawn(source: CameraSource, hosting: Hosting) -> Host:
    """Start the process that grabs."""
    spec = source.spec
    assert isinstance(spec, PylonCamera) and source.ring is not None
    options = PylonOptions(
        ring=source.ring.name,
        camera=source.name,
        settings=replace(settings_of(spec), lines=_lines(source.lines)),
        lines=source.lines.block if source.lines else "",
        reconnect=spec.reconnect,
        nice=hosting.nice,
        cpus=hosting.cpus,
        spin_us=hosting.spin_us,
    )
    return Host("fastpose.hosts.pylon", asdict(options), stderr_path=hosting.stderr_path, error=CameraError)


def hosted(_spec: Camera) -> bool:
    return True


def found() -> list[FoundCamera]:
    """Every Basler camera that pylon sees; the emulated ones only where PYLON_CAMEMU is set.

    Raises
    ------
    DriverAbsent
        pypylon is not installed.
    """
    return [
        FoundCamera(
            "pylon",
            camera["serial"],
            camera["name"],
            tuple(camera.get("formats", ())),
            tuple(camera["size"]) if "size" in camera else None,
            tuple(camera.get("rates_hz", ())),
            camera["note"] or camera["transport"],
        )
        for camera in _ask({"list": True})
    ]


def settings_of(spec: PylonCamera) -> PylonSettings:
    """The part of the config that the camera's process needs."""
    trigger = spec.camera_trigger
    return PylonSettings(
        serial=spec.serial,
        emulated=spec.emulated,
        pfs=None if spec.pfs is None else str(spec.pfs),
        features=spec.features,
        binning=spec.binning,
        size=spec.size,
        offset=spec.offset,
        pixel_format=spec.pixel_format,
        rate_hz=spec.rate_hz,
        exposure_us=spec.exposure_us,
        gain_db=spec.gain_db,
        trigger_source=trigger.source,
        trigger_line=trigger.line or "",
        trigger_activation=trigger.activation,
        exposure_active_line=spec.exposure_active_line,
        chunks=spec.chunks,
    )


def _lines(lines: CameraLines | None) -> tuple[Line, ...]:
    outputs = lines.outputs if lines else {}
    return tuple(
        Line(name, output.line, output.user_output, output.inverted) for name, output in outputs.items()
    )


def _deliver(spec: PylonCamera) -> Delivered:
    return Delivered.from_json(_ask(asdict(settings_of(spec))))


def _rate_hz(got: Delivered) -> float:
    """An external trigger without rate_hz says nothing of its rate."""
    return got.rate_hz or 0.0


def _details(got: Delivered) -> dict[str, object]:
    read_back = {"rate_hz": got.rate_hz, "exposure_us": got.exposure_us, "gain_db": got.gain_db}
    return {**got.details, **{key: value for key, value in read_back.items() if value is not None}}


def _ask(question: dict[str, Any]) -> Any:
    """Have a process of its own look, so that neither pylon's threads nor its crashes come here."""
    if importlib.util.find_spec("pypylon") is None:
        raise DriverAbsent(f"driver 'pylon' needs pypylon, which is not installed; install it with: {_EXTRA}")
    command = [sys.executable, "-m", "fastpose.hosts.pylon_probe", json.dumps(question)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PROBE_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise CameraTimeout(
            f"pylon did not answer within {_PROBE_TIMEOUT_S:g} s; unplug the camera and plug it in again"
        ) from None
    return _answer(done)


def _answer(done: subprocess.CompletedProcess[str]) -> Any:
    lines = done.stdout.splitlines()
    try:
        answer = json.loads(lines[-1])
    except (IndexError, ValueError):
        said = done.stderr.strip().splitlines()
        raise CameraError(
            f"looking for Basler cameras ended with code {done.returncode}: {said[-1] if said else 'no word'}"
        ) from None
    if "error" in answer:
        raise CameraError(answer["error"])
    return answer["ok"]

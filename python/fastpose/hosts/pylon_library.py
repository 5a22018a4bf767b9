"""pypylon, imported where it is used: the library, its devices, cameras opened by their serials."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastpose.errors import CameraError

__all__ = ["MINIMUM", "emulated_cameras", "find_device", "library", "open_camera", "reason", "saying"]

MINIMUM = (26, 8)  # the first with SetBufferFactory
_EMULATED = "PYLON_CAMEMU"
_EMULATED_CLASS = "BaslerCamEmu"
_PLACE = re.compile(r" : \w+Exception thrown ")


def library(*, emulated: int = 0) -> Any:
    """The module ``pypylon.pylon``.

    Parameters
    ----------
    emulated : int
        So many cameras of pylon's emulator are there at least; counts only before the first import.

    Raises
    ------
    CameraError
        It is not installed, or too old to grab into memory of ours.
    """
    if emulated > int(os.environ.get(_EMULATED, "0") or 0):
        os.environ[_EMULATED] = str(emulated)
    try:
        pylon = importlib.import_module("pypylon.pylon")
    except ImportError as error:
        raise CameraError(
            f"driver 'pylon' needs pypylon ({error}); install it with: pip install 'fastpose-rig[pylon]'"
        ) from None
    if not hasattr(pylon, "BufferFactory"):
        wanted = ".".join(map(str, MINIMUM))
        raise CameraError(
            f"driver 'pylon' needs pypylon {wanted} or later, which grabs into memory of ours; "
            "update it with: pip install -U 'fastpose-rig[pylon]'"
        )
    return pylon


@contextmanager
def saying(what: str) -> Iterator[None]:
    """Turns what pylon and GenICam raise into one line that begins with `what`."""
    genicam = importlib.import_module("pypylon.genicam")
    try:
        yield
    except genicam.GenericException as error:
        raise CameraError(f"{what}: {reason(error)}") from None


def reason(error: BaseException) -> str:
    """What a GenICam exception says, without its place in the library's sources."""
    return _PLACE.split(str(error))[0].strip().rstrip(".") or type(error).__name__


def emulated_cameras(serial: str | None) -> int:
    """How many emulated cameras are needed for one of this serial: they are 0815-0000, 0815-0001, ..."""
    number = (serial or "").rpartition("-")[2]
    return int(number) + 1 if number.isdigit() else 1


def find_device(pylon: Any, serial: str | None, *, emulated: bool) -> Any:
    """The device info of a camera.

    Parameters
    ----------
    pylon : module
    serial : str or None
        None: the only one.
    emulated : bool
        Looks among the emulated ones, else among the real ones.

    Raises
    ------
    CameraError
        There is none, or more than one and no serial.
    """
    with saying("pylon cannot look for cameras"):
        devices = [
            device
            for device in pylon.TlFactory.GetInstance().EnumerateDevices()
            if (device.GetDeviceClass() == _EMULATED_CLASS) == emulated
        ]
    serials = [device.GetSerialNumber() for device in devices]
    here = f"here: {', '.join(serials)}" if serials else "pylon finds no camera: check cable, power, network"
    if serial is None and len(devices) == 1:
        return devices[0]
    if serial is None:
        raise CameraError(f"serial is not given and pylon finds {len(devices)} cameras; {here}")
    if serial not in serials:
        raise CameraError(f"serial '{serial}': no such Basler camera; {here}")
    return devices[serials.index(serial)]


def open_camera(pylon: Any, serial: str | None, *, emulated: bool) -> Any:
    """An open ``InstantCamera``.

    Raises
    ------
    CameraError
        It is not there, or another program has it.
    """
    device = find_device(pylon, serial, emulated=emulated)
    name = device.GetFriendlyName()
    with saying(f"camera {name} cannot be opened; does another program use it?"):
        camera = pylon.InstantCamera(pylon.TlFactory.GetInstance().CreateDevice(device))
        camera.Open()
    return camera

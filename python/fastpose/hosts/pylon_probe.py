"""Looks at Basler cameras in a process of its own, so that pylon's threads never live beside the loop.

Run as ``python -m fastpose.hosts.pylon_probe '<json>'``. ``{"list": true}`` lists the cameras there are, else
the JSON holds the fields of `fastpose.hosts.pylon_options.PylonSettings`: the camera is opened, set, read
back and closed. The answer is one line of JSON: ``{"ok": ...}`` or ``{"error": text}``.
"""

from __future__ import annotations

import contextlib
import json
import sys
from dataclasses import asdict
from typing import Any

from fastpose.errors import CameraError
from fastpose.hosts.pylon_camera import BaslerCamera
from fastpose.hosts.pylon_library import library, saying
from fastpose.hosts.pylon_nodes import Nodes
from fastpose.hosts.pylon_options import PylonSettings
from fastpose.hosts.pylon_settings import PIXEL_FORMATS

__all__ = ["deliver", "main", "present"]


def deliver(settings: PylonSettings) -> dict[str, Any]:
    """Fields of `Delivered`.

    Raises
    ------
    CameraError
        The camera is not there, in use, or does not take a setting.
    """
    camera = BaslerCamera(settings)
    try:
        found = asdict(camera.open())
        found["details"].update(transport=camera.stream, serial=camera.serial)
        return found
    finally:
        camera.close()


def present() -> list[dict[str, Any]]:
    """What is known of every camera, opened where no other program has it.

    Raises
    ------
    CameraError
        pypylon is not there, or cannot look for cameras.
    """
    pylon = library()
    with saying("pylon cannot look for cameras"):
        return [_look(pylon, info) for info in pylon.TlFactory.GetInstance().EnumerateDevices()]


def _look(pylon: Any, info: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "serial": info.GetSerialNumber(),
        "name": f"{info.GetVendorName()} {info.GetModelName()}",
        "transport": info.GetDeviceClass(),
        "note": "",
    }
    camera = None
    try:
        with saying("cannot be opened"):
            camera = pylon.InstantCamera(pylon.TlFactory.GetInstance().CreateDevice(info))
            camera.Open()
            found.update(_abilities(Nodes(camera.GetNodeMap())))
    except CameraError as error:
        found["note"] = str(error)
    finally:
        if camera is not None:
            with contextlib.suppress(Exception):
                camera.Close()
    return found


def _abilities(nodes: Nodes) -> dict[str, Any]:
    offered = set(nodes.choices("PixelFormat"))
    width = nodes.number("SensorWidth", "WidthMax") or 0
    height = nodes.number("SensorHeight", "HeightMax") or 0
    return {
        "formats": [ours for ours, names in PIXEL_FORMATS.items() if offered.intersection(names)],
        "size": [int(width), int(height)],
        "rates_hz": list(nodes.limits("AcquisitionFrameRate", "AcquisitionFrameRateAbs")),
    }


def main(arguments: list[str]) -> int:
    """Entry of the process; returns its exit code."""
    asked = json.loads(arguments[0])
    try:
        answer = present() if asked.get("list") else deliver(PylonSettings.from_json(asked))
    except CameraError as error:
        print(json.dumps({"error": str(error)}))
        return 2
    print(json.dumps({"ok": answer}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Tests of fastpose cameras: every device of every driver, and why a driver has none."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace

import pytest
from rich.console import Console

from fastpose import cameras_command
from fastpose.cameras_command import USES, as_json, look_for_cameras, print_cameras
from fastpose.drivers import DRIVERS, DriverAbsent, FoundCamera
from fastpose.errors import CameraError

BASLER = FoundCamera(
    "one", "24001234", "Basler [ace] acA1300", ("mono8", "mono12"), (1280, 1024), (1.0, 200.0), "in use"
)
WEBCAM = FoundCamera("one", "/dev/video0", "Webcam", ("yuyv",), (640, 480), (15.0, 30.0, 60.0))


def raising(error: Exception) -> SimpleNamespace:
    def found() -> list[FoundCamera]:
        raise error

    return SimpleNamespace(found=found)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    modules = {
        "one": SimpleNamespace(found=lambda: [BASLER, WEBCAM]),
        "none": SimpleNamespace(found=list),
        "absent": raising(DriverAbsent("needs its SDK; pip install 'fastpose-rig[absent]'")),
        "broken": raising(CameraError("the transport layer is not there")),
        "unimportable": raising(ImportError("libusb.so.0")),
    }
    monkeypatch.setattr(cameras_command, "DRIVERS", dict.fromkeys(modules, ""))
    monkeypatch.setattr(cameras_command, "driver_of", modules.__getitem__)


def printed() -> list[str]:
    out = io.StringIO()
    print_cameras(look_for_cameras(), Console(file=out, width=1000))
    return out.getvalue().splitlines()


def test_devices_and_drivers(table: None) -> None:
    lines = [line.split() for line in printed() if line]
    assert lines[1] == [
        *("one", "24001234", "Basler", "[ace]", "acA1300", "mono8,", "mono12", "1280x1024"),
        *("1", "to", "200", "in", "use"),
    ]
    assert lines[2][-5:] == ["yuyv", "640x480", "15,", "30,", "60"]
    drivers = {line.split()[0]: line for line in printed()[5:]}
    assert "ready, 2 found" in drivers["one"]
    assert "ready, no camera found" in drivers["none"]
    assert "pip install 'fastpose-rig[absent]'" in drivers["absent"]
    assert "cannot be asked: the transport layer is not there" in drivers["broken"]
    assert "cannot be asked: libusb.so.0" in drivers["unimportable"]


def test_json_has_it_all(table: None) -> None:
    states = {state["driver"]: state for state in json.loads(as_json(look_for_cameras()))}
    assert [state["ready"] for state in states.values()] == [True, True, False, False, False]
    camera = states["one"]["cameras"][0]
    assert (camera["serial"], camera["formats"], camera["size"]) == (
        "24001234",
        ["mono8", "mono12"],
        [1280, 1024],
    )
    assert camera["rates_hz"] == [1.0, 200.0] and camera["note"] == "in use"


def test_every_driver_says_what_it_is_for() -> None:
    assert set(DRIVERS) <= set(USES)


def test_the_drivers_of_this_machine_can_be_asked() -> None:
    states = {state.driver: state for state in look_for_cameras()}
    assert not states["sim"].absent and not states["stream"].absent
    assert all(state.absent or isinstance(state.cameras, list) for state in states.values())
    assert not any("cannot be asked" in state.absent for state in states.values())

"""Tests of fastpose.drivers.pylon: looking, opening and listing, without pylon in this process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import basler  # noqa: F401  skips where pypylon is not
from fastpose.config import PylonCamera
from fastpose.drivers import DriverAbsent, driver_of
from fastpose.drivers import pylon as driver
from fastpose.errors import CameraError, CameraTimeout


def camera(**values: object) -> PylonCamera:
    given = {"driver": "pylon", "emulated": True, "serial": "0815-0001", **values}
    return PylonCamera.model_validate(given)


def test_looking_reads_back_what_the_camera_would_do() -> None:
    seen = driver.look(camera(size=[640, 512], rate_hz=120, exposure_us=1000, pixel_format="rgb8"))
    assert (seen.size, seen.rate_hz, seen.channels, seen.length_s) == ((640, 512), 120.0, 3, None)
    assert str(seen) == "CamEmu 0815-0001, 640x512 px, 120 Hz"


def test_opening_says_what_the_ring_must_hold() -> None:
    source = driver_of("pylon").open_source("top", camera(size=[640, 512], pixel_format="bayer_rg8"))
    assert source.frame_size == (640, 512) and source.pixel_format == "bayer_rg8" and source.driver is None
    assert source.buffer_bytes == 640 * 512 and source.slots_held == driver.BUFFERS
    assert source.details is not None and source.details["serial"] == "0815-0001"


def test_an_external_trigger_has_no_rate_of_its_own() -> None:
    source = driver.open_source("top", camera(camera_trigger={"source": "external_edge", "line": "Line1"}))
    assert source.rate_hz == 0.0


def test_every_camera_is_listed() -> None:
    cameras = driver.found()
    assert [each.serial for each in cameras] == ["0815-0000", "0815-0001"]
    first = cameras[0]
    assert (first.driver, first.name, first.size) == ("pylon", "Basler Emulation", (4096, 4096))
    assert first.formats[:3] == ("mono8", "mono10", "mono12") and first.rates_hz == (0.01, 5000.0)


def test_without_pypylon_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DriverAbsent, match=r"needs pypylon, .*: pip install 'fastpose-rig\[pylon\]'"):
        driver.found()


@pytest.mark.parametrize(
    ("stdout", "stderr", "says"),
    [
        ('{"error": "serial is wrong"}', "", "^serial is wrong$"),
        ("", "a trace\nlibusb: no access", "ended with code 3: libusb: no access$"),
        ("noise", "", "ended with code 3: no word$"),
    ],
)
def test_what_the_looking_process_says(
    monkeypatch: pytest.MonkeyPatch, stdout: str, stderr: str, says: str
) -> None:
    done = subprocess.CompletedProcess([], 3, stdout, stderr)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    with pytest.raises(CameraError, match=says):
        driver.found()


def test_a_looking_process_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: object, timeout: float, **__: object) -> None:
        raise subprocess.TimeoutExpired("python", timeout)

    monkeypatch.setattr(subprocess, "run", hang)
    with pytest.raises(CameraTimeout, match="pylon did not answer within 60 s"):
        driver.look(camera())


def test_pylon_stays_out_of_the_engines_process() -> None:
    code = (
        "import sys; from fastpose.drivers import driver_of; from fastpose.config import PylonCamera; "
        "driver_of('pylon').look(PylonCamera(driver='pylon', emulated=True)); "
        "assert not any(name.startswith('pypylon') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYLON_CAMEMU": "1"})

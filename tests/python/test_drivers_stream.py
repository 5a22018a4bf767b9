"""Tests of fastpose.drivers.stream: how a config becomes what FFmpeg is asked for."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from fastpose.config import StreamCamera
from fastpose.drivers import stream
from fastpose.drivers.onvif import NetworkCamera

av_device = pytest.importorskip("av.device")


def source(**values: Any) -> Any:
    return stream._stream_source(StreamCamera(driver="stream", **values))


def test_a_url() -> None:
    asked = source(url="rtsp://cam/1", user="me", password_env="CAM", transport="udp", timeout_s=2)
    assert (asked.address, asked.input, asked.user, asked.password_env) == ("rtsp://cam/1", "", "me", "CAM")
    assert (asked.transport, asked.timeout_s, asked.options) == ("udp", 2, {})


@pytest.mark.parametrize(
    ("platform", "input_device"), [("linux", "v4l2"), ("win32", "dshow"), ("darwin", "avfoundation")]
)
def test_a_webcam_of_each_system(platform: str, input_device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    asked = source(device="HD Webcam", size=[640, 480], rate_hz=30, options={"pixel_format": "yuyv422"})
    assert (asked.address, asked.input) == ("HD Webcam", input_device)
    assert asked.options == {"video_size": "640x480", "framerate": "30", "pixel_format": "yuyv422"}
    assert source(device="0", input="gdigrab").input == "gdigrab"


def test_found(monkeypatch: pytest.MonkeyPatch) -> None:
    webcam = SimpleNamespace(name="@device_pnp", description="HD Webcam", media_types=["video"])
    microphone = SimpleNamespace(name="mic", description="Microphone", media_types=["audio"])
    asked: list[str] = []

    def enumerate_input_devices(name: str) -> list[SimpleNamespace]:
        asked.append(name)
        return [webcam, microphone]

    monkeypatch.setattr(av_device, "enumerate_input_devices", enumerate_input_devices)
    monkeypatch.setattr(stream, "discover", lambda: [NetworkCamera("192.168.0.64", "AXIS")])
    monkeypatch.setattr(sys, "platform", "win32")
    network, camera = stream.found()
    assert (network.serial, network.name) == ("192.168.0.64", "AXIS") and "url" in network.note
    assert (camera.driver, camera.serial, camera.name) == ("stream", "@device_pnp", "HD Webcam")
    assert asked == ["dshow"]
    monkeypatch.setattr(sys, "platform", "linux")
    assert stream.found() == [network]  # driver v4l2 lists the webcams

"""The config of driver stream: addresses, logins, clocks, and settings that FFmpeg cannot make."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from fastpose.config import StreamCamera, config_from, resolved_yaml
from fastpose.errors import ConfigError

RTSP = "rtsp://192.168.0.64/stream1"


def stream(**values: Any) -> StreamCamera:
    config = config_from({"session": {"subject": "a"}, "cameras": {"top": {"driver": "stream", **values}}})
    again = config_from(yaml.safe_load(resolved_yaml(config)))
    assert again == config
    camera = config.cameras["top"]
    assert isinstance(camera, StreamCamera)
    return camera


@pytest.mark.parametrize(
    "values",
    [
        {"url": RTSP},
        {
            "url": "http://cam/video.mjpg",
            "user": "me",
            "password_env": "CAM",
            "latency_ms": 80,
            "reconnect": True,
        },
        {"url": RTSP, "transport": "udp", "clock": "sender", "options": {"buffer_size": "1000000"}},
        {"device": "Integrated Camera", "input": "dshow", "size": [640, 480], "rate_hz": 30},
    ],
)
def test_good_ones(values: dict[str, Any]) -> None:
    camera = stream(**values)
    assert camera.frames == "newest" and camera.timeout_s == 5.0


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({}, r"neither is given of url, device; allowed: one of them"),
        ({"url": RTSP, "device": "0"}, r"both are given of url, device"),
        ({"url": "movie.mp4"}, r"'movie.mp4' is no address of a stream; allowed: rtsp, .* driver video"),
        ({"url": "rtsp://me:hush@cam/1"}, r"holds a password, .* use user and password_env"),
        ({"url": "http://cam/video?user=me&password=hush"}, r"holds a password"),
        ({"url": RTSP, "password_env": "CAM"}, r"password_env is given without user"),
        ({"device": "0", "user": "me"}, r"a device takes no login"),
        ({"url": RTSP, "input": "dshow"}, r"input is for device"),
        ({"url": "http://cam/x", "clock": "sender"}, r"allowed for rtsp alone"),
        (
            {"url": RTSP, "exposure_us": 1000},
            r"exposure_us is nothing that driver stream can set: .* web page",
        ),
        ({"url": RTSP, "serial": "1"}, r"serial .* name the camera by url or device"),
        ({"url": RTSP, "camera_trigger": {"source": "software"}}, r"camera_trigger .* use driver pylon"),
        ({"url": RTSP, "frames": "every"}, r"allowed: newest|'newest'"),
        ({"url": RTSP, "pixel_format": "bayer_rg8"}, r"pixel_format"),
        ({"url": RTSP, "timeout_s": 0}, r"timeout_s"),
    ],
)
def test_refusals_say_why(values: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text) as caught:
        stream(**values)
    assert "hush" not in str(caught.value)

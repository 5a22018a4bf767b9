"""The config of driver realsense: one stream with what it needs, and settings that these cameras lack."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from fastpose.config import RealSenseCamera, config_from, resolved_yaml
from fastpose.errors import ConfigError


def realsense(**values: Any) -> RealSenseCamera:
    config = config_from({"session": {"subject": "a"}, "cameras": {"top": {"driver": "realsense", **values}}})
    assert config_from(yaml.safe_load(resolved_yaml(config))) == config
    camera = config.cameras["top"]
    assert isinstance(camera, RealSenseCamera)
    return camera


@pytest.mark.parametrize(
    "values",
    [
        {},
        {
            "serial": 12345,
            "stream": "infrared",
            "imager": 2,
            "exposure_us": 4000,
            "options": {"emitter_enabled": 0},
        },
        {"stream": "depth", "depth_range_mm": [300, 900.5], "size": [848, 480], "rate_hz": 90},
        {"stream": "color", "pixel_format": "yuyv", "reconnect": True},
    ],
)
def test_good_ones(values: dict[str, Any]) -> None:
    assert realsense(**values).frames == "newest"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"imager": 1}, r"imager is of stream infrared; stream is color"),
        ({"stream": "depth"}, r"stream depth needs depth_range_mm"),
        ({"stream": "color", "depth_range_mm": [1, 2]}, r"stream color takes no depth_range_mm"),
        ({"stream": "depth", "depth_range_mm": [900, 300]}, r"allowed: the nearer one first"),
        ({"pixel_format": "mono8"}, r"allowed for color: rgb8, bgr8, yuyv"),
        ({"stream": "infrared", "pixel_format": "rgb8"}, r"allowed for infrared: mono8"),
        ({"gain_db": 6}, r"gain_db is nothing that driver realsense can set: .* options: \{gain: 16\}"),
        ({"binning": [2, 2]}, r"binning .* choose another size"),
        ({"camera_trigger": {"source": "external_edge", "line": "1"}}, r"inter_cam_sync_mode"),
        ({"stream": "fisheye"}, r"color"),
    ],
)
def test_refusals_say_why(values: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        realsense(**values)

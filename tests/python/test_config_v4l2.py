"""What a config may ask of a V4L2 camera."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from fastpose.config import V4l2Camera


def camera(**values: Any) -> V4l2Camera:
    return V4l2Camera(driver="v4l2", **values)


def test_everything_has_a_default() -> None:
    assert camera().memory == "auto"


def test_controls_keep_their_order() -> None:
    assert list(camera(controls={"auto_exposure": 1, "exposure": 20, "backlight": True}).controls) == [
        "auto_exposure",
        "exposure",
        "backlight",
    ]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"serial": "7", "device": "/dev/video0"}, "allowed: one of them"),
        ({"compression": "mjpg"}, "pixel_format is null with compression mjpg; allowed: mono8, rgb8, bgr8"),
        ({"compression": "mjpg", "pixel_format": "nv12"}, "pixel_format is nv12"),
        ({"offset": (8, 0)}, "offset cannot be set"),
        ({"binning": (2, 2)}, "choose a smaller size"),
        ({"gain_db": 3}, "use controls: {gain: ...}"),
        ({"camera_trigger": {"source": "external_edge", "line": "Line1"}}, "which V4L2 does not know"),
        ({"camera_trigger": {"source": "software"}}, "allowed: internal"),
        ({"buffers": 8, "ring_slots": 12}, "allowed: at most 7"),
        ({"buffers": 33}, "less than or equal to 32"),
    ],
)
def test_what_it_cannot_do_is_refused(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says.replace("{", r"\{").replace("}", r"\}")):
        camera(**values)
